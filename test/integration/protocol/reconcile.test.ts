/** What changes behind Muster's back is found by listing who is in each entitlement, and what follows is the policy's to say. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { createGates } from '../../support/faults.ts'
import { type House, type HouseOptions, openHouse, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { findingsOf, reconciled, reporting, resolved, reverting, settledIn } from './behind-our-back.ts'
import { auditOf, brokenLaws, l7 } from './laws.ts'
import { leaves, lending, managerJob, works } from './people.ts'

let house: House
afterEach(() => house.close())

const open = async (people: readonly string[], options: HouseOptions = {}) => {
  house = await openHouse(options)
  await settledIn(house, people)
}

const run = (more: { acceptShrunken?: boolean; full?: boolean } = {}) => reconciled(house, more)

const findings = () => findingsOf(house)

test('nothing changed: nothing is found, and nobody is evaluated', async () => {
  await open(['P-1', 'P-2'])
  expect(await run()).toMatchObject({ members: 12, appeared: 0, missing: 0, found: 0, uncorrelated: 0, noAccounts: 0 })
  expect(await house.rows('select from muster.identity where work_due_at <= muster.now()')).toEqual([])
  expect((await auditOf(house)).filter(({ kind }) => kind === 'drift')).toEqual([])
})

test('reported: who was let in stays, who was taken out stays out, and both are findings', async () => {
  await open(['P-1', 'P-0'])
  await house.addMember('P-1', 'Staff_Vpn')
  await house.removeMember('P-1', 'App_Crm')
  expect(await run()).toMatchObject({ appeared: 1, missing: 1 })
  await house.quiesce()
  const held = [...lending.filter((key) => key !== 'App_Crm'), 'Staff_Vpn'].sort()
  expect(await house.groupsOf('P-1')).toEqual(held)
  expect(await findings()).toEqual(['grant-missing', 'grant-unexplained'])
  expect((await auditOf(house)).filter(({ kind }) => kind === 'drift').map(({ body }) => body.drift)).toEqual(
    expect.arrayContaining(['appeared', 'missing']),
  )

  await house.addMember('P-1', 'App_Crm')
  await house.removeMember('P-1', 'Staff_Vpn')
  // Nobody is in it any more: that is for a human to believe.
  expect(await run()).toMatchObject({ missing: 0, shrunken: [{ key: 'Staff_Vpn', believed: 1, gone: 1 }] })
  expect(await run({ acceptShrunken: true })).toMatchObject({ missing: 1 })
  await house.quiesce()
  await house.sweep()
  expect(await findings()).toEqual([])
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('what is wanted anew after it was taken out is given', async () => {
  await open(['P-1', 'P-0'])
  await house.removeMember('P-1', 'App_Crm')
  await run()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('App_Crm')
  await house.tell(works('P-1', (await house.now()) + 1_000, { jobCode: 'X-1', department: 'OPS' }))
  await house.shift(2_000)
  await house.quiesce()
  await house.tell(works('P-1', (await house.now()) + 1_000))
  await house.shift(2_000)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('reverted: the directory is as policy says again, through the one planner, with a complete chain', async () => {
  await open(['P-1', 'P-2'], { revised: reverting })
  await house.addMember('P-1', 'Staff_Vpn')
  await house.removeMember('P-2', 'App_Crm')
  expect(await run()).toMatchObject({ appeared: 1, missing: 1 })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await house.groupsOf('P-2')).toEqual(lending)
  expect(await run()).toMatchObject({ appeared: 0, missing: 0 })
  expect(await brokenLaws(house)).toEqual([])
  expect(await l7(house)).toEqual([])
})

test('what stood there when it was listed for the first time is never reverted', async () => {
  house = await openHouse({ revised: reverting })
  await house.addAccount('P-1')
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  // Behind Muster's back, but before anybody could say that it had not been there.
  await house.addMember('P-1', 'Staff_Vpn')
  expect(await run()).toMatchObject({ appeared: 0, found: 1 })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('Staff_Vpn')
  expect(await findings()).toEqual(['grant-unexplained'])
})

test('a conflict that somebody made by hand counts: the grant that would complete it is held', async () => {
  await open(['P-1', 'P-0'], { revised: reporting })
  await house.addMember('P-1', 'CBS_LoanApprove')
  await run()
  await house.evaluateAll()
  expect(await findings()).toContain('sod-violation')
})

test('a leaver let in again is out again, whatever the drift policy says', async () => {
  await open(['P-1', 'P-0'])
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.addMember('P-1', 'CBS_ViewOnly')
  expect(await run()).toMatchObject({ appeared: 1 })
  expect(await house.rows(`select lane from muster.identity where work_due_at <= muster.now()`)).toEqual([
    { lane: 'leaver' },
  ])
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
})

test('a grant that keeps coming back is a finding that names the other side, not a loop', async () => {
  const ruled = (real: Connector): Connector => ({
    ...real,
    resolveEntitlements: async (refs, signal) =>
      (await real.resolveEntitlements(refs, signal)).map((one) =>
        one.kind === 'found' ? { ...one, keptBy: 'dynamic-membership' } : one,
      ),
  })
  await open(['P-1', 'P-0'], { revised: reverting, connector: ruled })
  for (let n = 0; n < 3; n++) {
    expect(await house.groupsOf('P-1')).toEqual(lending)
    await house.addMember('P-1', 'Staff_Vpn')
    expect(await run()).toMatchObject({ appeared: 1 })
    await house.quiesce()
  }
  expect(await house.groupsOf('P-1')).toContain('Staff_Vpn')
  expect(await findings()).toEqual(['grant-fought!', 'grant-unexplained'])
  expect(await house.rows(`select detail ->> 'keptBy' as by from muster.finding where kind = 'grant-fought'`)).toEqual([
    { by: 'dynamic-membership' },
  ])
})

test.each(['while its outcome is not written', 'when its outcome was written after the read began'])(
  'what an action of ours has just changed is no drift: %s',
  async (moment) => {
    const gates = createGates()
    await open(['P-1', 'P-0'], { revised: reverting, settings: { pause: gates.pause } })
    await house.tell(works('P-1', (await house.now()) - 500, { ...managerJob, location: 'Pune' }))
    await house.evaluateAll()
    await house.shift(600)
    const called = gates.stopAt('provision:called')
    const [dispatch] = await house.dispatchAll()
    const provisioning = house.provision(dispatch?.id ?? 0)
    await called.reached
    expect(await house.groupsOf('P-1')).toContain('Branch_Pune')

    const compared = gates.stopAt('reconcile:compared')
    const running = run()
    await compared.reached
    if (moment.startsWith('when')) {
      called.open()
      await provisioning
    }
    compared.open()
    expect(await running).toMatchObject({ appeared: 0, missing: 0, passing: 1 })
    called.open()
    await provisioning
    await house.quiesce()
    expect(await run()).toMatchObject({ appeared: 0, missing: 0, passing: 0 })
    expect(await brokenLaws(house)).toEqual([])
  },
)

const crowd = Array.from({ length: 8 }, (_, n) => `P-${n + 1}`)

test('an empty read is no basis for anything, until a human says that it is so', async () => {
  let hidden = false
  const hiding = (real: Connector): Connector => ({
    ...real,
    whoIs: async (members, signal) => (hidden ? { kind: 'complete', items: [] } : real.whoIs(members, signal)),
    grantsOf: async (ids, signal) => (hidden ? { kind: 'complete', items: [] } : real.grantsOf(ids, signal)),
  })
  await open(crowd, { connector: hiding, revised: reverting })
  hidden = true
  const result = await run()
  expect(result).toMatchObject({ missing: 0, shrunken: { length: lending.length } })
  expect(await findings()).toEqual(['reconcile-shrunken!'])
  expect(await house.rows('select from muster.identity where work_due_at <= muster.now()')).toEqual([])

  hidden = false
  for (const person of crowd) await house.removeMember(person, 'App_Crm')
  expect(await run()).toMatchObject({ missing: 0, shrunken: [{ key: 'App_Crm', believed: 8, gone: 8 }] })
  expect(await run({ acceptShrunken: true })).toMatchObject({ missing: 8, shrunken: [] })
  expect(await findings()).toEqual([])
  await house.quiesce()
  for (const person of crowd) expect(await house.groupsOf(person)).toEqual(lending)
})

test('what could not be read says nothing: of one entitlement, of all of them, at the second look', async () => {
  let fails: 'list' | 'who' | 'second' | null = null
  const failing = (real: Connector): Connector => ({
    ...real,
    async *membersOf(refs, signal) {
      for await (const list of real.membersOf(refs, signal))
        yield fails === 'list' && list.entitlement === refs[0]?.id
          ? { kind: 'failed', entitlement: list.entitlement, cause: 'busy (51)' }
          : list
    },
    whoIs: async (members, signal) =>
      fails === 'who' ? { kind: 'partial', items: [], cause: 'busy (51)' } : real.whoIs(members, signal),
    grantsOf: async (ids, signal) =>
      fails === 'second' ? { kind: 'partial', items: [], cause: 'busy (51)' } : real.grantsOf(ids, signal),
  })
  await open(['P-1', 'P-0'], { connector: failing, revised: reverting })
  await house.addMember('P-1', 'Staff_Vpn')
  await house.removeMember('P-1', 'App_Crm')
  fails = 'who'
  expect(await run()).toMatchObject({ listed: 0, appeared: 0, missing: 0 })
  fails = 'second'
  expect(await run()).toMatchObject({ appeared: 0, missing: 0, unread: [{ cause: 'second-look-failed' }, {}] })
  fails = 'list'
  expect(await run()).toMatchObject({ unread: [{ cause: 'busy (51)' }] })
  expect(await findings()).toContain('reconcile-incomplete')
  fails = null
  await run()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await findings()).toEqual([])
})

test('a group that was renamed is read by what it is; one that was deleted loses nobody anything', async () => {
  await open(crowd, { revised: reverting })
  await asDirectoryRoot(house.ldap, (client) => client.modifyDN(house.groupDn('App_Crm'), 'cn=App_Crm_Old'))
  expect(await run()).toMatchObject({ appeared: 0, missing: 0, unread: [] })
  await asDirectoryRoot(house.ldap, (client) => client.del(`cn=App_Crm_Old,${house.tree.groups}`))
  expect(await run()).toMatchObject({
    appeared: 0,
    missing: 0,
    unread: [{ key: 'App_Crm', cause: 'entitlement-missing' }],
  })
})

test('members whom Muster does not know, and what is no account, are counted and told', async () => {
  await open(['P-1', 'P-0'])
  await house.addAccount('', { uid: 'stranger' })
  await asDirectoryRoot(house.ldap, async (client) => {
    const { Attribute, Change } = await import('ldapts')
    const values = [`uid=stranger,${house.tree.people}`, `uid=nobody-any-more,${house.tree.people}`]
    await client.modify(
      house.groupDn('App_Crm'),
      new Change({ operation: 'add', modification: new Attribute({ type: 'member', values }) }),
    )
  })
  expect(await run()).toMatchObject({ appeared: 0, missing: 0, uncorrelated: 1, noAccounts: 1 })
  expect(await findings()).toEqual(['members-uncorrelated'])
})

test('somebody renamed between the two reads is not gone', async () => {
  const renaming = (real: Connector): Connector => ({
    ...real,
    whoIs: async (members, signal) => {
      const known = await real.whoIs(members, signal)
      return known.kind === 'complete' ? { ...known, items: known.items.slice(1) } : known
    },
  })
  await open(crowd)
  const { connectors } = house.engine
  const real = connectors.get(target) as Connector
  const result = await reconcile({ ...house.engine, connectors: new Map([[target, renaming(real)]]) }, target, {
    actor: { type: 'engine', name: 'test' },
    signal: new AbortController().signal,
  })
  expect(result).toMatchObject({ missing: 0, passing: 6 })
})

test('what comes back into the catalogue is listed as if for the first time', async () => {
  const entry = (key: string, groups: string) =>
    `  ${key}:\n    { target: ${target}, lookup: "cn=${key},${groups}", risk: low, owner: o, description: d, drift: revert }\n`
  const catalogue = (groups: string, ...keys: readonly string[]) => [
    {
      path: 'all.yaml',
      text: `entitlements:\n${keys.map((key) => entry(key, groups)).join('')}birthright:\n  all: { when: everyone, grants: { entitlements: [Staff_Intranet] } }\n`,
    },
  ]
  await open(['P-1', 'P-0'])
  const apply = async (...keys: readonly string[]) => {
    const applied = await applyPolicy(house.engine, catalogue(house.tree.groups, ...keys), {
      type: 'engine',
      name: 'test',
    })
    expect(applied.kind).toBe('applied')
    await house.quiesce()
  }
  await apply('Staff_Intranet', 'Staff_Vpn')
  await run()
  await apply('Staff_Intranet')
  await house.addMember('P-1', 'Staff_Vpn')
  await apply('Staff_Intranet', 'Staff_Vpn')
  expect(await run()).toMatchObject({ appeared: 0, found: 1 })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('Staff_Vpn')
})
