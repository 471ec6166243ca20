/** An entitlement is the thing on the target: neither its spelling in the catalogue nor its key. */
import { afterEach, expect, test } from 'vitest'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { bankPolicies, type House, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { reconciled, reverting, settledIn } from './behind-our-back.ts'
import { approverJob, leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

const actor = { type: 'os-user', name: 'test', authenticated: false } as const
type Change = (text: string) => string
const apply = (...changes: readonly Change[]) =>
  applyPolicy(
    house.engine,
    bankPolicies(house.tree.groups).map((file) => ({
      ...file,
      text: changes.reduce((text, change) => change(text), file.text),
    })),
    actor,
  )
/** Another key; the DN stays. */
const rekey =
  (from: string, to: string): Change =>
  (text) =>
    text.replaceAll(from, to).replaceAll(`cn=${to}`, `cn=${from}`)
const redirect =
  (from: string, to: string): Change =>
  (text) =>
    text.replaceAll(`cn=${from},`, `cn=${to},`)
const renameGroup = (from: string, to: string) =>
  asDirectoryRoot(house.ldap, (client) => client.modifyDN(house.groupDn(from), `cn=${to}`))
const entitlements = (pattern: string) =>
  house.rows<{ key: string | null; managed: boolean; pinned: boolean }>(
    `select key, managed, native_id is not null as pinned from muster.entitlement where lookup ilike $1 order by id`,
    `%${pattern}%`,
  )
const isToxic = async (person: string) => {
  const groups = await house.groupsOf(person)
  return ['CBS_LoanEntry', 'CBS_LoanInput'].some((name) => groups.includes(name)) && groups.includes('CBS_LoanApprove')
}

test('a key is renamed: one row, and the joiners of that group settle', async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect((await apply(rekey('CBS_ViewOnly', 'CBS_Reader'))).kind).toBe('applied')
  await house.tell(works('P-2', (await house.now()) - 1000))
  await house.quiesce()
  expect(await entitlements('CBS_ViewOnly')).toEqual([{ key: 'CBS_Reader', managed: true, pinned: true }])
  expect(await house.groupsOf('P-2')).toContain('CBS_ViewOnly')
})

test('a key is renamed while its holder moves: what it was is taken away before the other side comes', async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(works('P-1', (await house.now()) - 1, approverJob))
  expect((await apply(rekey('CBS_LoanEntry', 'CBS_LoanInput'))).kind).toBe('applied')
  await house.quiesce(async () => expect(await isToxic('P-1')).toBe(false))
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanApprove')
  expect(await isToxic('P-1')).toBe(false)
})

test('two keys change places: what is held stays with the group', async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  const before = await house.rows<{ id: number; lookup: string }>(
    'select id, lookup from muster.entitlement order by id',
  )
  const swap: Change = (text) =>
    redirect(
      'CBS_Swap',
      'CBS_LoanApprove',
    )(redirect('CBS_LoanApprove', 'CBS_LoanEntry')(redirect('CBS_LoanEntry', 'CBS_Swap')(text)))
  expect((await apply(swap)).kind).toBe('applied')
  await house.quiesce(async () => expect(await isToxic('P-1')).toBe(false))
  expect(await house.rows('select id, lookup from muster.entitlement order by id')).toEqual(before)
  expect(await isToxic('P-1')).toBe(false)
})

test.each([
  ['a space after the comma', (dn: string) => dn.replace(',', ', ')],
  ['spaces around all separators', (dn: string) => dn.replaceAll('=', ' = ').replaceAll(',', ' , ')],
  ['another case', (dn: string) => dn.toUpperCase()],
  ['an escape that needs none', (dn: string) => dn.replace('cn=CBS', 'cn=\\43BS')],
  ['the long name of the attribute', (dn: string) => dn.replace('cn=', 'commonName=')],
])('the catalogue spells a DN with %s: what a linked account holds counts', async (_, spell) => {
  house = await openHouse()
  const dn = `cn=CBS_LoanEntry,${house.tree.groups}`
  expect((await apply((text) => text.replaceAll(`lookup: ${dn}`, `lookup: '${spell(dn)}'`))).kind).toBe('applied')
  await house.addAccount('P-1')
  await house.addMember('P-1', 'CBS_LoanEntry')
  await house.tell(works('P-1', (await house.now()) - 1000, approverJob))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanApprove')
  const rows = await house.rows<{ key: string }>(
    `select key from muster.entitlement where key is null or key = 'CBS_LoanEntry'`,
  )
  expect(rows).toEqual([{ key: 'CBS_LoanEntry' }])

  // A linked account's finds are no grants of ours, and a leaver loses them all the same.
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
})

test.each([
  ['spaces', (dn: string) => dn.replaceAll(',', ' , ')],
  ['escapes', (dn: string) => dn.replace('cn=CBS', 'CN=\\43BS')],
  ['quotes', (dn: string) => dn.replace('CBS_LoanEntry', '"cbs_loanentry"')],
])('two keys for one group, told apart by %s only, are refused', async (_, spell) => {
  house = await openHouse()
  const dn = `cn=CBS_LoanEntry,${house.tree.groups}`
  const other = `cn=CBS_LoanApprove,${house.tree.groups}`
  const applied = await apply((text) => text.replaceAll(`lookup: ${other}`, `lookup: '${spell(dn)}'`))
  expect(applied.kind).toBe('invalid')
})

test('a group renamed in the directory and listed under its new name keeps its row and who holds it', async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await renameGroup('CBS_LoanEntry', 'CBS_LoanInput')
  expect((await apply(redirect('CBS_LoanEntry', 'CBS_LoanInput'))).kind).toBe('applied')
  await house.tell(works('P-2', (await house.now()) - 1000))
  await house.tell(works('P-1', (await house.now()) - 1, approverJob))
  await house.quiesce(async () => expect(await isToxic('P-1')).toBe(false))
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanApprove')
  expect(await house.groupsOf('P-2')).toContain('CBS_LoanInput')
})

test('seen under its old name, renamed, then listed under its new one: the first grant makes them one', async () => {
  house = await openHouse()
  await house.addGroups([`cn=Legacy,${house.tree.groups}`])
  await house.addAccount('P-9')
  await house.addMember('P-9', 'Legacy')
  await house.tell(works('P-9', (await house.now()) - 1000))
  await house.quiesce()
  await renameGroup('Legacy', 'CBS_Modern')
  expect((await apply(rekey('CBS_ViewOnly', 'CBS_Modern'), redirect('CBS_ViewOnly', 'CBS_Modern'))).kind).toBe(
    'applied',
  )
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_Modern')
  expect(await entitlements('CBS_Modern')).toEqual([{ key: 'CBS_Modern', managed: true, pinned: true }])
  const held = await house.rows<{ person: string }>(
    `select i.person_key as person from muster.grants g join muster.account a on a.id = g.account_id join muster.identity i on i.id = a.identity_id
     join muster.entitlement e on e.id = g.entitlement_id where e.key = 'CBS_Modern' and g.gone_verified_at is null order by 1`,
  )
  expect(held).toEqual([{ person: 'P-1' }, { person: 'P-9' }])
})

test('listed a second time under the name that a rename gave it: nothing is lost, and a human is told', async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await asDirectoryRoot(house.ldap, (client) => client.del(house.groupDn('CBS_LoanApprove')))
  await renameGroup('CBS_LoanEntry', 'CBS_LoanApprove')
  await house.tell(works('P-2', (await house.now()) - 1000, approverJob))
  await house.quiesce()
  expect(await house.rows(`select kind from muster.finding where kind = 'entitlement-changed-identity'`)).not.toEqual(
    [],
  )
  expect(await house.rows(`select 1 from muster.action where state in ('ready', 'dispatched')`)).toEqual([])
  await house.tell(leaves('P-2', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-2')).toEqual([])
})

test('versions of the past keep what their keys meant', async () => {
  house = await openHouse()
  await apply(redirect('CBS_ViewOnly', 'CBS_Elsewhere'))
  await apply(redirect('CBS_ViewOnly', 'CBS_Elsewhere'), rekey('CBS_ViewOnly', 'CBS_Reader'), (text) =>
    text.replaceAll('cn=CBS_ViewOnly', 'cn=CBS_Elsewhere'),
  )
  const { createPolicyBook } = await import('../../../src/engine/policy-book.ts')
  const { policies } = await createPolicyBook().current(house.engine.db)
  const idsOf = (key: string) =>
    policies.map(({ policy }) => [...policy.keyOf].find(([, name]) => name === key)?.[0] ?? null)
  const [first] = idsOf('CBS_ViewOnly')
  expect(idsOf('CBS_ViewOnly')).toEqual([first, first, null])
  expect(idsOf('CBS_Reader')).toEqual([null, null, first])
})

test('who was out of sight holds what is contested when they are seen again: it counts, as soon as a human has decided', async () => {
  house = await openHouse({
    revised: reverting,
    connector: (real) => ({
      ...real,
      changes: async () => ({ kind: 'changes', entitlements: [], accounts: [], cursor: '1' }),
    }),
  })
  await house.tell(works('P-1', (await house.now()) - 1000, { jobCode: 'X', department: 'X' }))
  await settledIn(house, ['P-2'])
  // As a run has found them, and an answer of the directory.
  await house.rows('update muster.account set out_of_sight = true, behind_at = muster.now()')
  const contest = (by: string | null) =>
    house.rows("update muster.entitlement set contested_by = $1 where key = 'CBS_LoanApprove'", by)
  await contest('another')
  await house.addMember('P-1', 'CBS_LoanApprove')
  expect(await reconciled(house)).toMatchObject({
    extent: 'delta',
    listed: 0,
    outOfSight: 0,
    changes: [{ drift: 'found', person: 'P-1', entitlement: 'CBS_LoanApprove' }],
  })
  await contest(null)
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_ViewOnly')
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  // Nor is it taken away: it may have stood there from the first.
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanApprove')
})
