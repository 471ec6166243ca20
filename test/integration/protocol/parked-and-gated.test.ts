/** What stops grants without stopping anybody else: poison, the ingest gate, a policy change, a target's mode (L12). */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { setTargetMode } from '../../../src/engine/set-target-mode.ts'
import { createFaults } from '../../support/faults.ts'
import { bankPolicies, type House, openHouse, target } from '../../support/house.ts'
import { brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let faults: ReturnType<typeof createFaults>
let house: House
beforeEach(async () => {
  faults = createFaults()
  house = await openHouse({ connector: faults.wrap })
})
afterEach(() => house.close())

const actor = { type: 'os-user', name: 'test', authenticated: false } as const
const granted = () => faults.calls.flatMap(({ operations }) => operations.filter(({ op }) => op === 'grant')).length
const parked = async () =>
  (await house.rows<{ person_key: string }>('select person_key from muster.identity where parked_at is not null')).map(
    (row) => row.person_key,
  )
const findings = async () =>
  (
    await house.rows<{ kind: string; urgent: boolean }>(
      'select kind, urgent from muster.finding where closed_at is null',
    )
  ).map(({ kind, urgent }) => `${kind}${urgent ? '!' : ''}`)
/** What no validation let in, but a row may hold: an employment without a worker. */
const poison = (person: string) =>
  house.rows(
    `update muster.inbox set body = body::jsonb - 'worker' where identity_id = (select id from muster.identity where person_key = $1)`,
    person,
  )

test('an identity whose evaluation throws is parked with a finding; the others of its batch go on', async () => {
  const start = await house.now()
  for (const person of ['P-1', 'P-2', 'P-3']) await house.tell(works(person, start - 1000))
  await poison('P-2')
  await house.quiesce()
  expect(await parked()).toEqual(['P-2'])
  expect(await findings()).toEqual(['evaluation-failed!'])
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await house.groupsOf('P-3')).toEqual(lending)
  expect(await house.account('P-2')).toBeNull()
})

test('its grants that were on their way are stopped', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.evaluateAll()
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  await house.tell(works('P-1', start))
  await poison('P-1')
  await house.quiesce()
  expect(await parked()).toEqual(['P-1'])
  expect(granted()).toBe(0)
})

test('an error of the database over one identity bisects the batch down to it', async () => {
  await house.rows(`create function pg_temp_poison() returns trigger language plpgsql as $f$
    begin if new.profile->>'personKey' = 'P-5' then raise exception 'poison' using errcode = '22000'; end if; return new; end $f$`)
  await house.rows(
    'create trigger poison before update on muster.identity for each row execute function pg_temp_poison()',
  )
  const start = await house.now()
  for (let i = 0; i < 9; i++) await house.tell(works(`P-${i}`, start - 1000))
  await house.quiesce()
  expect(await parked()).toEqual(['P-5'])
  expect(await findings()).toEqual(['evaluation-failed!'])
  for (let i = 0; i < 9; i++) expect(await house.groupsOf(`P-${i}`)).toEqual(i === 5 ? [] : lending)
})

test('an outage of the database blames nobody', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  const evaluating = house
    .holdAudit([() => house.evaluateAll()])
    .then((commit) =>
      house
        .rows(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'test-engine' and wait_event_type = 'Lock'`,
        )
        .then(commit),
    )
  await expect(evaluating).rejects.toThrow()
  expect(await parked()).toEqual([])
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('no grant goes before ingest has read what stood in Kafka at its start; what takes away goes', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await house.tell(works('P-2', start - 1000))
  await house.tell(leaves('P-1', start))
  await house.rows('update muster.stream set required_offset = next_offset + 1')
  const before = granted()
  await house.quiesce()
  expect(granted()).toBe(before)
  expect(await house.account('P-2')).toBeNull()
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.rows('update muster.stream set next_offset = required_offset')
  await house.quiesce()
  expect(await house.groupsOf('P-2')).toEqual(lending)
  expect(await brokenLaws(house)).toEqual([])
})

test('the gate is read by the claim too: what was dispatched before it fell goes back', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  await house.rows('update muster.stream set required_offset = next_offset + 1')
  for (const { id } of refs) await house.provision(id)
  expect(faults.calls).toEqual([])
  expect(await house.rows(`select 1 from muster.action where state = 'dispatched'`)).toEqual([])
})

test('before any stream is known nothing is given', async () => {
  await house.rows('update muster.stream set current = false')
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  expect(faults.calls).toEqual([])
})

test('a policy that becomes active between evaluation and claim is asked first', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await house.tell({ ...works('P-1', start), attributes: { jobCode: 'CA', department: 'LENDING' } })
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  const changed = bankPolicies(house.tree.groups).map((file) => ({
    ...file,
    text: file.text.replace('roles: [credit-approver]', 'roles: [base-employee]'),
  }))
  expect(await applyPolicy(house.engine, changed, actor)).toMatchObject({ kind: 'applied' })
  const before = granted()
  for (const { id } of refs) await house.provision(id)
  expect(granted()).toBe(before)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanApprove')
  expect(await brokenLaws(house)).toEqual([])
})

test.each(['plan', 'observe'] as const)(
  'a target in mode %s is sent nothing, whatever is open; back to enforce it all follows',
  async (mode) => {
    const start = await house.now()
    await house.tell(works('P-1', start - 1000))
    await house.quiesce()
    await house.tell(works('P-2', start - 1000))
    await house.tell({ ...works('P-1', start), attributes: { jobCode: 'CA', department: 'LENDING' } })
    await house.evaluateAll()
    await house.shift(600)
    const refs = await house.dispatchAll()
    await setTargetMode(house.engine, target, mode, actor)
    const calls = faults.calls.length
    for (const { id } of refs) await house.provision(id)
    await house.tell(leaves('P-3', start))
    await house.quiesce()
    expect(faults.calls.length).toBe(calls)
    expect(await house.groupsOf('P-1')).toEqual(lending)
    const open = await house.rows<{ n: number }>(
      `select count(*) as n from muster.action where state in ('ready', 'waiting')`,
    )
    expect((open[0]?.n ?? 0) > 0).toBe(mode === 'plan')
    // Nothing is late in a mode that sends nothing.
    await house.shift(house.engine.settings.bulkDeadlineMs + 1)
    expect((await house.sweep()).overdue).toBe(0)
    await setTargetMode(house.engine, target, 'enforce', actor)
    expect((await house.sweep()).overdue).toBe(0)
    await house.quiesce()
    expect(await house.groupsOf('P-1')).toContain('CBS_LoanApprove')
    expect(await house.groupsOf('P-2')).toEqual(lending)
    expect(await brokenLaws(house)).toEqual([])
  },
)
