/** Separation of duties counts groups by what they are, before a grant that conflicts with them can go (ADR 0010). */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { bankPolicies, type House, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { approverJob, works } from './people.ts'

let house: House
afterEach(() => house.close())

const actor = { type: 'os-user', name: 'test', authenticated: false } as const
type Change = (text: string) => string
const files = (change: Change) => bankPolicies(house.tree.groups).map((file) => ({ ...file, text: change(file.text) }))
/** As the command does it: without the targets. */
const applyAlone = ({ db, targets, nudge }: House['engine'], change: Change) =>
  applyPolicy({ db, targets, nudge }, files(change), actor)

/** The entry group under another key, and the DN that goes with it. */
const asLoanInput: Change = (text) => text.replaceAll('CBS_LoanEntry', 'CBS_LoanInput')
const renameEntry = () =>
  asDirectoryRoot(house.ldap, (client) => client.modifyDN(house.groupDn('CBS_LoanEntry'), 'cn=CBS_LoanInput'))
const remakeEntry = async () => {
  await asDirectoryRoot(house.ldap, (client) => client.del(house.groupDn('CBS_LoanEntry')))
  await house.addGroups([house.groupDn('CBS_LoanEntry')])
}
const enters = async (person: string) => {
  const groups = await house.groupsOf(person)
  return groups.includes('CBS_LoanEntry') || groups.includes('CBS_LoanInput')
}
const isToxic = async (person: string) =>
  (await enters(person)) && (await house.groupsOf(person)).includes('CBS_LoanApprove')
const never = (person: string) => async () => expect(await isToxic(person)).toBe(false)
const holds = () =>
  house.rows<{ entitlement: string; against: string }>(
    `select e.key as entitlement, (select key from muster.entitlement where id = h.conflicts_with[1]) as against
     from muster.hold h join muster.entitlement e on e.id = h.entitlement_id where h.kind = 'sod' and h.closed_at is null`,
  )
const openFindings = async () =>
  (
    await house.rows<{ kind: string }>(
      `select kind from muster.finding where closed_at is null and kind like 'entitlement-%' order by 1`,
    )
  ).map(({ kind }) => kind)
const waitingFor = async (key: string) =>
  (
    await house.rows<{ state: string }>(
      `select a.state::text from muster.action a join muster.entitlement e on e.id = a.entitlement_id where a.kind = 'grant' and e.key = $1
       and a.state <> 'superseded'`,
      key,
    )
  ).map(({ state }) => state)

/** A directory that answers nobody who asks what groups are, as long as `dead`. */
const deafTo = () => {
  const state = { dead: false }
  const connector = (real: Connector): Connector => ({
    ...real,
    resolveEntitlements: async (refs, signal) =>
      state.dead
        ? refs.map(() => ({ kind: 'failed', cause: 'timeout' }))
        : await real.resolveEntitlements(refs, signal),
  })
  return { state, connector }
}

/** P-1 is seen in the entry group by an account that was there before Muster; nobody was given it by a rule. */
const holderOfEntry = async () => {
  await house.addAccount('P-1')
  await house.addMember('P-1', 'CBS_LoanEntry')
  await house.tell(works('P-1', (await house.now()) - 1000, { jobCode: 'NONE', department: 'NONE' }))
  await house.quiesce()
}

test('renamed, and listed under a new key and name at once: who holds it gets nothing that conflicts', async () => {
  house = await openHouse()
  await holderOfEntry()
  await renameEntry()
  expect((await applyPolicy(house.engine, files(asLoanInput), actor)).kind).toBe('applied')
  await house.tell(works('P-1', await house.now(), approverJob))
  await house.quiesce(never('P-1'))
  expect(await isToxic('P-1')).toBe(false)
  expect(await holds()).toEqual([{ entitlement: 'CBS_LoanApprove', against: 'CBS_LoanInput' }])
})

test('applied where no target can be asked: the grant waits, the sweep asks, and then it is held', async () => {
  house = await openHouse()
  await holderOfEntry()
  await renameEntry()
  expect((await applyAlone(house.engine, asLoanInput)).kind).toBe('applied')
  await house.tell(works('P-1', await house.now(), approverJob))
  await house.quiesce(never('P-1'))
  expect(await isToxic('P-1')).toBe(false)
  expect(await waitingFor('CBS_LoanApprove')).toEqual(['ready'])
  // What has no part in that conflict does not wait.
  expect(await house.groupsOf('P-1')).toContain('Dept_Lending')
  await house.sweep()
  await house.quiesce(never('P-1'))
  expect(await isToxic('P-1')).toBe(false)
  expect(await holds()).toEqual([{ entitlement: 'CBS_LoanApprove', against: 'CBS_LoanInput' }])
})

test('what follows from a grant that waits for such an answer waits with it, and is held with it', async () => {
  const implying: Change = (text) =>
    asLoanInput(text).replace(
      /^sod:$/m,
      'implications:\n  approvers-abroad: { holds: CBS_LoanApprove, grants: { entitlements: [Staff_Vpn] } }\nsod:',
    )
  house = await openHouse()
  await holderOfEntry()
  await renameEntry()
  expect((await applyAlone(house.engine, implying)).kind).toBe('applied')
  await house.tell(works('P-1', await house.now(), approverJob))
  await house.quiesce(never('P-1'))
  expect(await waitingFor('Staff_Vpn')).toEqual(['ready'])
  await house.sweep()
  await house.quiesce(never('P-1'))
  expect(await house.groupsOf('P-1')).not.toContain('Staff_Vpn')
  expect((await holds()).map(({ entitlement }) => entitlement).sort()).toEqual(['CBS_LoanApprove', 'Staff_Vpn'])
  expect(
    await house.rows(`select reasons from auditor.desired(muster.now(), null, 'P-1') where entitlement = 'Staff_Vpn'`),
  ).toEqual([{ reasons: [{ kind: 'implied', implication: 'approvers-abroad', holds: 'CBS_LoanApprove', path: [] }] }])
})

test('the target is down when the policy comes: it is applied, nothing is changed, a human is told, and the grant waits', async () => {
  const deaf = deafTo()
  house = await openHouse({ connector: deaf.connector })
  await holderOfEntry()
  await renameEntry()
  deaf.state.dead = true
  const known = () =>
    house.rows(
      `select id, native_id, asked_key, contested_by from muster.entitlement where key like 'CBS_Loan%' order by id`,
    )
  expect((await applyPolicy(house.engine, files(asLoanInput), actor)).kind).toBe('applied')
  const before = await known()
  await house.tell(works('P-1', await house.now(), approverJob))
  await house.quiesce(never('P-1'))
  await house.shift(20_000)
  await house.sweep()
  await house.quiesce(never('P-1'))
  expect(await known()).toEqual(before)
  expect(await waitingFor('CBS_LoanApprove')).toEqual(['ready'])
  expect(await openFindings()).toEqual(['entitlement-unresolved'])

  deaf.state.dead = false
  await house.shift(20_000)
  await house.sweep()
  await house.quiesce(never('P-1'))
  expect(await holds()).toEqual([{ entitlement: 'CBS_LoanApprove', against: 'CBS_LoanInput' }])
  expect(await openFindings()).toEqual([])
})

test('a group that is not there is an answer: nobody is in it, and nobody waits for it', async () => {
  house = await openHouse()
  expect((await applyAlone(house.engine, asLoanInput)).kind).toBe('applied')
  await house.sweep()
  await house.tell(works('P-1', (await house.now()) - 1000, approverJob))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanApprove')
  expect(await openFindings()).toEqual([])
})

test('a group that was not there is asked for again: renamed to the name after the policy, its members count', async () => {
  house = await openHouse()
  await holderOfEntry()
  expect((await applyPolicy(house.engine, files(asLoanInput), actor)).kind).toBe('applied')
  await renameEntry()
  await house.shift(61_000)
  await house.sweep()
  await house.tell(works('P-1', await house.now(), approverJob))
  await house.quiesce(never('P-1'))
  expect(await holds()).toEqual([{ entitlement: 'CBS_LoanApprove', against: 'CBS_LoanInput' }])
})

test('two engines ask at once: one row, one entry, everybody evaluated again', async () => {
  house = await openHouse()
  await holderOfEntry()
  await renameEntry()
  await applyAlone(house.engine, asLoanInput)
  await Promise.all([house.sweep(), house.sweep(), house.sweep()])
  await house.sweep()
  const rows = await house.rows<{ pinned: boolean; n: number; held: number }>(
    `select e.native_id is not null as pinned,
       (select count(*) from audit.entry a where a.entitlement_id = e.id and a.kind = 'entitlement-resolved') as n,
       (select count(*) from muster.grants g where g.entitlement_id = e.id and g.gone_verified_at is null) as held
     from muster.entitlement e where e.key = 'CBS_LoanInput'`,
  )
  expect(rows).toEqual([{ pinned: true, n: 1, held: 1 }])
  expect(await house.rows('select 1 from muster.identity where work_due_at <= muster.now()')).toHaveLength(1)
  expect(await openFindings()).toEqual([])
})

test('two keys for what is one group by now: what conflicts with either waits for a human', async () => {
  house = await openHouse()
  await holderOfEntry()
  await renameEntry()
  // The old key stays listed, with its old name; separation of duties is written on the new one.
  const twice: Change = (text) =>
    text
      .replace(/^ {2}CBS_LoanEntry:\n(?: {4}.*\n)+/m, (entry) => `${entry}${asLoanInput(entry)}`)
      .replace('name: entry, entitlements: [CBS_LoanEntry]', 'name: entry, entitlements: [CBS_LoanInput]')
  expect((await applyPolicy(house.engine, files(twice), actor)).kind).toBe('applied')
  await house.tell(works('P-1', await house.now(), approverJob))
  await house.quiesce(never('P-1'))
  expect(await waitingFor('CBS_LoanApprove')).toEqual(['ready'])
  expect(await openFindings()).toEqual(['entitlement-changed-identity'])

  expect((await applyPolicy(house.engine, files(asLoanInput), actor)).kind).toBe('applied')
  await house.quiesce(never('P-1'))
  expect(await holds()).toEqual([{ entitlement: 'CBS_LoanApprove', against: 'CBS_LoanInput' }])
  expect(await openFindings()).toEqual([])
})

test('made anew under its name, and seen by a read: who is in it gets nothing that conflicts until a human decided', async () => {
  house = await openHouse()
  await holderOfEntry()
  await remakeEntry()
  await house.addAccount('P-2')
  await house.addMember('P-2', 'CBS_LoanEntry')
  await house.tell(works('P-2', await house.now(), approverJob))
  await house.quiesce(never('P-2'))
  expect(await isToxic('P-2')).toBe(false)
  expect(await waitingFor('CBS_LoanApprove')).toEqual(['ready'])
  expect(await house.groupsOf('P-2')).toContain('Dept_Lending')
  expect(
    await house.rows(`select 1 from audit.entry where kind = 'entitlement-contested' and dispatch_id is not null`),
  ).toHaveLength(1)
  await house.sweep()
  expect(await openFindings()).toEqual(['entitlement-changed-identity'])
  await house.quiesce(never('P-2'))
  expect(await waitingFor('CBS_LoanApprove')).toEqual(['ready'])

  // Decided: it should not be there.
  await asDirectoryRoot(house.ldap, (client) => client.del(house.groupDn('CBS_LoanEntry')))
  await house.shift(61_000)
  await house.sweep()
  await house.quiesce(never('P-2'))
  expect(await house.groupsOf('P-2')).toContain('CBS_LoanApprove')
  expect(await openFindings()).toEqual([])
})

test('made anew under its name, and decided to be the one that is meant: its members count', async () => {
  house = await openHouse()
  await holderOfEntry()
  await remakeEntry()
  await house.addAccount('P-2')
  await house.addMember('P-2', 'CBS_LoanEntry')
  await house.tell(works('P-2', await house.now(), approverJob))
  await house.quiesce(never('P-2'))
  // The name is listed under a key that never meant what was pinned.
  const anew: Change = (text) => asLoanInput(text).replaceAll('cn=CBS_LoanInput', 'cn=CBS_LoanEntry')
  expect(await applyPolicy(house.engine, files(anew), actor)).toMatchObject({ kind: 'applied' })
  await house.quiesce(never('P-2'))
  expect(await isToxic('P-2')).toBe(false)
  expect(await holds()).toEqual([{ entitlement: 'CBS_LoanApprove', against: 'CBS_LoanInput' }])
  expect(await openFindings()).toEqual([])
})

test('made anew under its name, and seen by nobody: found within the hour, what conflicts waits', async () => {
  house = await openHouse()
  await holderOfEntry()
  await house.shift(61_000)
  await house.sweep()
  await remakeEntry()
  await house.shift(3_601_000)
  await house.sweep()
  expect(await openFindings()).toEqual(['entitlement-changed-identity'])
  await house.tell(works('P-3', await house.now(), approverJob))
  await house.quiesce()
  expect(await waitingFor('CBS_LoanApprove')).toEqual(['ready'])
  expect(await house.groupsOf('P-3')).toContain('Dept_Lending')

  // Decided: it is the one that is meant.
  const anew: Change = (text) => asLoanInput(text).replaceAll('cn=CBS_LoanInput', 'cn=CBS_LoanEntry')
  expect((await applyPolicy(house.engine, files(anew), actor)).kind).toBe('applied')
  await house.quiesce()
  expect(await house.groupsOf('P-3')).toContain('CBS_LoanApprove')
  expect(await openFindings()).toEqual([])
  expect(
    await house.rows(`select key, managed from muster.entitlement where lookup ilike '%CBS_LoanEntry%' order by id`),
  ).toEqual([
    { key: 'CBS_LoanEntry', managed: false },
    { key: 'CBS_LoanInput', managed: true },
  ])
})

test('with nothing to ask, the sweep asks the database once and the target nothing', async () => {
  let asked = 0
  house = await openHouse({
    connector: (real) => ({
      ...real,
      resolveEntitlements: (refs, signal) => {
        asked += refs.length
        return real.resolveEntitlements(refs, signal)
      },
    }),
  })
  await house.shift(61_000)
  await house.sweep()
  asked = 0
  const { resolveEntitlements } = await import('../../../src/engine/resolve-entitlements.ts')
  const before = house.engine.db.counters.statements
  await resolveEntitlements(house.engine)
  expect(house.engine.db.counters.statements - before).toBe(1)
  expect(asked).toBe(0)
})
