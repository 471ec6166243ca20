/** What nobody in particular is to blame for parks nobody; who was parked comes back. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { evaluate } from '../../../src/engine/evaluate.ts'
import { bankPolicies, type House, openHouse } from '../../support/house.ts'
import { brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let house: House
beforeEach(async () => {
  house = await openHouse()
})
afterEach(() => house.close())

const actor = { type: 'os-user', name: 'test', authenticated: false } as const
const parked = async () =>
  (await house.rows<{ person_key: string }>('select person_key from muster.identity where parked_at is not null')).map(
    (row) => row.person_key,
  )
const findings = async () =>
  (
    await house.rows<{ kind: string; urgent: boolean; times: number }>(
      'select kind, urgent, times from muster.finding where closed_at is null',
    )
  ).map(({ kind, urgent, times }) => `${kind}${urgent ? '!' : ''} ${times}`)
const changed = () =>
  bankPolicies(house.tree.groups).map((file) => ({
    ...file,
    text: file.text.replace('jobCode: RISK', 'jobCode: RISKY'),
  }))
/** An employment without a worker: no validation lets it in, but a row may hold it. */
const poison = (person: string) =>
  house.rows(
    `update muster.inbox set body = (body::jsonb || jsonb_build_object('kept', body::jsonb->'worker')) - 'worker'
      where identity_id = (select id from muster.identity where person_key = $1)`,
    person,
  )
const mend = (person: string) =>
  house.rows(
    `update muster.inbox set body = body::jsonb || jsonb_build_object('worker', body::jsonb->'kept')
      where identity_id = (select id from muster.identity where person_key = $1)`,
    person,
  )
/** Every saved evaluation of these people fails so. */
const fails = async (code: string, people: string) => {
  await house.rows(`create or replace function fail_evaluation() returns trigger language plpgsql as $f$ begin
    if new.evaluated_at is distinct from old.evaluated_at and new.person_key ~ '${people}' then raise exception 'no' using errcode = '${code}'; end if;
    return new; end $f$`)
  await house.rows(
    'create or replace trigger fail_evaluation before update on muster.identity for each row execute function fail_evaluation()',
  )
}
const worksAgain = () => house.rows('drop trigger fail_evaluation on muster.identity')

test('an active policy version that cannot be read parks nobody, and the next good one brings all back', async () => {
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.rows(`with v as (insert into muster.policy_version (hash, files, applied_by)
      values ('x', '[{"path":"a.yaml","text":"birthright: {a: {whenn: everyone}}"}]', 'another version') returning id)
    update muster.active_policy set version = v.id from v`)
  await house.tell(leaves('P-1', await house.now()))
  for (let i = 0; i < 2; i++) await expect(house.evaluateAll()).rejects.toThrow('evaluation is impossible')
  expect(await parked()).toEqual([])
  expect(await findings()).toEqual(['evaluation-impossible! 2'])
  await house.rows('update muster.active_policy set version = (select min(id) from muster.policy_version)')
  await house.rows(`delete from muster.policy_version where hash = 'x'`)
  expect((await applyPolicy(house.engine, changed(), actor)).kind).toBe('applied')
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.shift(61_000)
  await house.sweep()
  expect(await findings()).toEqual([])
})

test('a missing right parks nobody', async () => {
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.tell(works('P-2', (await house.now()) - 1000))
  await house.rows('revoke select on muster.hold from muster_engine')
  await expect(house.evaluateAll()).rejects.toThrow('permission denied')
  expect(await parked()).toEqual([])
  expect(await findings()).toEqual(['evaluation-impossible! 1'])
  await house.rows('grant select on muster.hold to muster_engine')
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('when every single one of a batch fails, nobody is parked', async () => {
  for (let i = 0; i < 5; i++) await house.tell(works(`P-${i}`, (await house.now()) - 1000))
  await fails('22000', '.')
  await expect(house.evaluateAll()).rejects.toThrow()
  expect(await parked()).toEqual([])
  expect(await findings()).toEqual(['evaluation-impossible! 1'])
  await worksAgain()
  await house.quiesce()
  expect(await house.groupsOf('P-4')).toEqual(lending)
})

test('a whole batch of poison is parked when somebody beside it can be evaluated', async () => {
  const small = { ...house.engine, settings: { ...house.engine.settings, evaluateBatch: 4 } }
  for (const person of ['P-0', 'P-1', 'P-2', 'P-3', 'Q-1', 'Q-2'])
    await house.tell(works(person, (await house.now()) - 1000))
  await fails('22000', 'P-')
  await house.rows(`update muster.identity set work_due_at = work_due_at - interval '1 min' where person_key ~ 'P-'`)
  await evaluate(small, 'bulk')
  expect((await parked()).sort()).toEqual(['P-0', 'P-1', 'P-2', 'P-3'])
  await house.quiesce()
  expect(await house.groupsOf('Q-2')).toEqual(lending)
})

test('a fault of the server over one identity: the others go on, and it is not parked', async () => {
  for (let i = 0; i < 5; i++) await house.tell(works(`P-${i}`, (await house.now()) - 1000))
  await fails('XX001', 'P-3')
  await expect(house.evaluateAll()).rejects.toThrow()
  expect(await parked()).toEqual([])
  expect(await house.rows('select person_key from muster.identity where work_due_at <= muster.now()')).toEqual([
    { person_key: 'P-3' },
  ])
})

test('an evaluation that always takes too long is told apart from its batch', async () => {
  for (let i = 0; i < 5; i++) await house.tell(works(`P-${i}`, (await house.now()) - 1000))
  await fails('57014', 'P-3')
  await house.quiesce()
  expect(await parked()).toEqual(['P-3'])
  expect(await house.groupsOf('P-4')).toEqual(lending)
})

test('who is parked is tried again after growing pauses, and a failure in vain counts on', async () => {
  await house.tell(works('P-1', (await house.now()) - 1000))
  await poison('P-1')
  await house.quiesce()
  expect(await parked()).toEqual(['P-1'])
  for (const pause of [5_000, 10_000, 20_000]) {
    // Not since before the machine took its time.
    await house.rows('update muster.identity set parked_at = muster.now()')
    await house.shift(pause - 5_000)
    await house.sweep()
    expect(await parked()).toEqual(['P-1'])
    await house.shift(5_000)
    await house.sweep()
    expect(await parked()).toEqual([])
    await house.quiesce()
    expect(await parked()).toEqual(['P-1'])
  }
  await mend('P-1')
  await house.shift(900_000)
  await house.sweep()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  await house.sweep()
  expect(await findings()).toEqual([])
  // Failures count in a row.
  await poison('P-1')
  await house.rows('update muster.identity set work_due_at = muster.now()')
  await house.quiesce()
  expect(await house.rows('select failures from muster.identity')).toEqual([{ failures: 1 }])
})

test('somebody parked before the last day of work loses access when that has come', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', start + 3_600_000))
  await poison('P-1')
  await house.quiesce()
  expect(await parked()).toEqual(['P-1'])
  await mend('P-1')
  await house.shift(3_600_001)
  await house.sweep()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('applying a policy tries everybody who is parked', async () => {
  await house.tell(works('P-1', (await house.now()) - 1000))
  await poison('P-1')
  await house.quiesce()
  await mend('P-1')
  await applyPolicy(house.engine, changed(), actor)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
})
