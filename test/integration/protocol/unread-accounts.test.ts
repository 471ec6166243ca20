/** Some account cannot be read, perhaps for ever: reconciliation believes what it is shown of the others, and asks for each. */
import { afterEach, expect, test } from 'vitest'
import type { Changes, Connector } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { openFinding } from '../../../src/store/findings.ts'
import { bankPolicies, type House, openHouse, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import {
  blindBeyond,
  findingsOf,
  putAway,
  reconciled,
  reporting,
  resolved,
  setLocked,
  settledIn,
} from './behind-our-back.ts'
import { brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

/** Whoever asks for one of these is told of nobody, or of the others alone, and that this is not all. */
const unreadable = new Set<NativeId>()
type Tells = 'nobody' | 'the others' | 'that they are out of sight'
const hiding =
  (tells: Tells) =>
  (real: Connector): Connector => ({
    ...real,
    accounts: async (ids, signal) => {
      const others = ids.filter((id) => !unreadable.has(id))
      if (others.length === ids.length) return real.accounts(ids, signal)
      const { items } = tells === 'nobody' || others.length === 0 ? { items: [] } : await real.accounts(others, signal)
      const partial = { kind: 'partial', items, cause: 'insufficient-access' } as const
      return tells === 'that they are out of sight' ? { ...partial, outOfSight: true } : partial
    },
  })

const any = { absolute: 99, percent: null }
const guard = { ...defaultGuardLimits, revokes: any, disables: any }
const open = async (tells: Tells, more: (real: Connector) => Connector = (real) => real) => {
  unreadable.clear()
  house = await openHouse({ connector: (real) => more(hiding(tells)(real)), target: { guard } })
  await settledIn(house, ['P-1', 'P-2', 'P-3', 'P-4'])
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  unreadable.add((await house.idOf('P-2')) as NativeId)
}
const remove = async (person: string) =>
  asDirectoryRoot(house.ldap, async (client) => client.del((await house.account(person))?.dn ?? ''))
const ofAccounts = async () => (await findingsOf(house)).filter((kind) => kind.startsWith('account-'))
const behind = () =>
  house.rows(`select i.person_key as person from muster.account a join muster.identity i on i.id = a.identity_id
    where a.behind_at is not null order by 1`)

test.each(['nobody', 'the others'] as const)(
  'one account cannot be read, and the read tells of %s: a leaver’s that was opened is shut all the same',
  async (tells) => {
    await open(tells)
    await setLocked(house, 'P-1', false)
    expect(await reconciled(house)).toMatchObject({
      accounts: 3,
      reopened: 1,
      gone: 0,
      outOfSight: 0,
      accountsUnread: 'insufficient-access',
    })
    expect(await ofAccounts()).toEqual(['account-reopened!'])
    await house.quiesce()
    expect(await house.account('P-1')).toMatchObject({ locked: true })
    // What is over is closed for those who were read, and nobody but the other is behind.
    await house.rows('update muster.account set behind_at = muster.now()')
    const of = { target, accounts: 1 }
    const outOfSight = { kind: 'accounts-out-of-sight', key: target, urgent: false, identityId: null, detail: of }
    await openFinding(house.engine.db, outOfSight)
    await house.shift(1_000)
    expect(await reconciled(house)).toMatchObject({ accounts: 3, reopened: 0, accountsUnread: 'insufficient-access' })
    expect(await findingsOf(house)).not.toContain('accounts-out-of-sight')
    expect(await ofAccounts()).toEqual([])
    expect(await behind()).toEqual([{ person: 'P-2' }])
    expect(await brokenLaws(house)).toEqual([])
  },
)

test('whoever is not shown beside one who cannot be read is gone only when a read without that one says so', async () => {
  await open('the others')
  const [gone] = [await house.idOf('P-3'), await remove('P-3')]
  await house.rows('update muster.account set out_of_sight = true where native_id = $1', gone)
  expect(await reconciled(house)).toMatchObject({ accounts: 3, gone: 1, accountsUnread: 'insufficient-access' })
  expect(await ofAccounts()).toEqual(['account-gone'])
  expect(await findingsOf(house)).not.toContain('accounts-out-of-sight')
  // Of the one nothing is known: neither gone, nor read.
  expect(
    await house.rows(`select i.person_key as person from muster.account a join muster.identity i on i.id = a.identity_id
      where a.gone_at is not null`),
  ).toEqual([{ person: 'P-3' }])
})

test('what is told of somebody who cannot be read stays told', async () => {
  await open('nobody')
  const hidden = [...unreadable]
  unreadable.clear()
  await setLocked(house, 'P-2', true)
  await reconciled(house)
  expect(await ofAccounts()).toEqual(['account-shut-elsewhere'])
  unreadable.add(hidden[0] as NativeId)
  expect(await reconciled(house, { full: true })).toMatchObject({ extent: 'full', accounts: 3 })
  expect(await ofAccounts()).toEqual(['account-shut-elsewhere'])
})

/** Who holds it, as Muster believes. */
const believedIn = async (key: string) =>
  (
    await house.rows<{ person: string }>(
      `select i.person_key as person from muster.grants g join muster.entitlement e on e.id = g.entitlement_id
        join muster.account a on a.id = g.account_id join muster.identity i on i.id = a.identity_id
        where e.key = $1 and g.gone_verified_at is null order by 1`,
      key,
    )
  ).map(({ person }) => person)

test('nobody waits for a leaver who is out of sight: what they hold is listed, and whoever is let in is put out', async () => {
  house = await openHouse({ connector: blindBeyond(() => house), target: { guard, leaverUnmanaged: 'report' } })
  await house.addGroups([house.groupDn('Extra')])
  await house.addAccount('P-1')
  await house.addMember('P-1', 'Extra')
  await settledIn(house, ['P-1', 'P-2', 'P-3'])
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(['Extra'])
  await house.addMember('P-3', 'Extra')
  // The group does not follow the name: its list shows P-1 no more.
  const before = (await house.account('P-1'))?.dn ?? ''
  const away = `uid=away,ou=former,${house.tree.dn}`
  await asDirectoryRoot(house.ldap, async (client) => {
    await client.add(`ou=former,${house.tree.dn}`, { objectClass: 'organizationalUnit' })
    await client.modifyDN(before, away)
  })
  const extra = `Extra: {target: ${target}, lookup: '${house.groupDn('Extra')}', risk: low, owner: x, description: X, drift: revert}`
  const applied = await applyPolicy(
    house.engine,
    [...bankPolicies(house.tree.groups), { path: 'extra.yaml', text: `entitlements: {${extra}}` }],
    { type: 'engine', name: 'test' },
  )
  expect(applied.kind).toBe('applied')
  await resolved(house)
  await house.quiesce()
  const told = { accounts: 2, outOfSight: 1, gone: 0, missing: 0, accountsUnread: null, unread: [], shrunken: [] }
  expect(await reconciled(house, { full: true })).toMatchObject({ extent: 'full', found: 1, ...told })
  const findings = await findingsOf(house)
  expect(findings).toContain('accounts-out-of-sight')
  expect(findings).not.toContain('reconcile-incomplete')
  expect(await believedIn('Extra')).toEqual(['P-1', 'P-3'])

  await house.addMember('P-2', 'Extra')
  await house.addMemberAt(away, 'Staff_Vpn')
  await house.shift(1_000)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', appeared: 2, found: 0, unread: [] })
  await house.quiesce()
  expect(await house.groupsOf('P-2')).not.toContain('Extra')
  await house.shift(86_400_000)
  expect(await reconciled(house)).toMatchObject({ extent: 'full', ...told })
  await house.shift(1_000)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', outOfSight: 1, accountsUnread: null })
  expect(await behind()).toEqual([{ person: 'P-1' }])

  await asDirectoryRoot(house.ldap, (client) => client.modifyDN(away, before))
  expect(await reconciled(house)).toMatchObject({ outOfSight: 0, accountsUnread: null })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await findingsOf(house)).not.toContain('accounts-out-of-sight')
  expect(await brokenLaws(house)).toEqual([])
})

test('whoever was out of sight is given nothing beside what they were let into meanwhile: it is told before they count as seen', async () => {
  let sees = false
  const tellsNothing = new Set<NativeId>()
  house = await openHouse({
    revised: reporting,
    connector: blindBeyond(
      () => house,
      () => sees,
      (blind) => ({
        grantsOf: (ids, signal) =>
          ids.some((id) => tellsNothing.has(id))
            ? Promise.resolve({ kind: 'partial', items: [], cause: 'busy' })
            : blind.grantsOf(ids, signal),
        whoIs: async (members, signal) => {
          const told = await blind.whoIs(members, signal)
          return sees ? told : { ...told, items: told.items.filter(({ member }) => !member.includes('ou=former')) }
        },
      }),
    ),
    target: { guard },
  })
  await house.tell(works('P-1', (await house.now()) - 1000, { jobCode: 'X', department: 'X' }))
  await settledIn(house, ['P-2', 'P-3'])
  const id = (await house.idOf('P-1')) as NativeId
  const away = await putAway(house, 'P-1')
  await house.addMemberAt(away, 'CBS_LoanApprove')
  const unseen = { outOfSight: 1, appeared: 0, accountsUnread: null, unread: [] }
  expect(await reconciled(house, { full: true })).toMatchObject({ extent: 'full', ...unseen })
  // Past the time for which each run looks back.
  await house.shift(3_600_000)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', ...unseen })
  sees = true
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  const heldBefore = (await believedIn('CBS_LoanEntry')).concat(await believedIn('App_Crm'))
  expect(heldBefore).toEqual(['P-2', 'P-3', 'P-2', 'P-3'])
  // What they hold cannot be read yet.
  tellsNothing.add(id)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', outOfSight: 0, appeared: 0, accountsUnread: 'busy' })
  expect(await findingsOf(house)).toContain('accounts-out-of-sight')
  await house.quiesce()
  expect(await believedIn('App_Crm')).toEqual(['P-2', 'P-3'])
  tellsNothing.clear()
  expect(await reconciled(house)).toMatchObject({
    extent: 'delta',
    outOfSight: 0,
    appeared: 0,
    found: 1,
    changes: [{ drift: 'found', person: 'P-1', entitlement: 'CBS_LoanApprove' }],
    accountsUnread: null,
  })
  await house.quiesce()
  expect(await findingsOf(house)).not.toContain('accounts-out-of-sight')
  expect(await believedIn('CBS_LoanApprove')).toEqual(['P-1'])
  expect(await believedIn('CBS_LoanEntry')).toEqual(['P-2', 'P-3'])
  expect(await believedIn('App_Crm')).toEqual(['P-1', 'P-2', 'P-3'])
  expect(await house.rows("select from muster.hold where kind = 'sod' and closed_at is null")).toHaveLength(1)
})

test('what somebody out of sight lost meanwhile is told once they are seen; when too many are out of sight, it is the target', async () => {
  const log: Changes = { kind: 'changes', entitlements: [], accounts: [], cursor: '1' }
  let busy = false
  await open('that they are out of sight', (real) => ({
    ...real,
    changes: async () => log,
    accounts: (ids, signal) =>
      busy ? Promise.resolve({ kind: 'partial', items: [], cause: 'busy' }) : real.accounts(ids, signal),
  }))
  await house.removeMember('P-2', 'App_Crm')
  expect(await reconciled(house, { full: true })).toMatchObject({ outOfSight: 1, missing: 0, accountsUnread: null })
  await house.shift(1_000)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', listed: 0, outOfSight: 1, missing: 0 })
  // Whoever cannot be read is out of sight still, as far as anybody knows.
  busy = true
  expect(await reconciled(house)).toMatchObject({ outOfSight: 0, accountsUnread: 'busy' })
  expect(await findingsOf(house)).toContain('accounts-out-of-sight')
  busy = false
  unreadable.clear()
  await house.shift(1_000)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', accounts: 1, outOfSight: 0 })
  await house.shift(1_000)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', missing: 1 })

  for (const person of ['P-2', 'P-3', 'P-4']) unreadable.add((await house.idOf(person)) as NativeId)
  await house.shift(1_000)
  const unseen = { outOfSight: 0, accountsUnread: '3 of 3 accounts are out of sight' }
  for (const full of [true, false])
    expect(await reconciled(house, { full })).toMatchObject({ extent: 'full', ...unseen })
  expect(await findingsOf(house)).toContain('reconcile-incomplete')
})
