/** Accounts that somebody else made, accounts of people on leave, leavers and those who come back (DESIGN §4). */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFaults } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { auditOf, brokenLaws, l1, l7 } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let faults: ReturnType<typeof createFaults>
let house: House
beforeEach(async () => {
  faults = createFaults()
  house = await openHouse({ connector: faults.wrap })
})
afterEach(() => house.close())

const findings = async () =>
  (await house.rows<{ kind: string }>('select kind from muster.finding where closed_at is null order by 1')).map(
    ({ kind }) => kind,
  )
const holds = () =>
  house.rows<{ key: string; policies: string[] }>(
    `select e.key, h.policies from muster.hold h join muster.entitlement e on e.id = h.entitlement_id where h.kind = 'sod' and h.closed_at is null order by 1`,
  )
/** A group of the directory that no catalogue knows. */
const strayGroup = async (name: string, person: string) => {
  await house.addGroups([house.groupDn(name)])
  await house.addMember(person, name)
}

test('a linked account is read before its first grant, and what it holds counts in separation of duties', async () => {
  await house.addAccount('P-1')
  await house.addMember('P-1', 'CBS_LoanApprove', 'Staff_Intranet')
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  const granted = faults.calls.flatMap(({ operations }) => operations.filter(({ op }) => op === 'grant'))
  expect(granted).toHaveLength(lending.length - 2)
  // Muster never gave it: it stays, is a finding, and the grant that conflicts with it is held.
  expect(await house.groupsOf('P-1')).toEqual(
    ['CBS_LoanApprove', ...lending].filter((key) => key !== 'CBS_LoanEntry').sort(),
  )
  expect(await holds()).toEqual([{ key: 'CBS_LoanEntry', policies: ['loan-entry-vs-approve'] }])
  const kinds = (await auditOf(house)).map(({ kind }) => kind)
  expect(kinds.indexOf('grants-listed')).toBeLessThan(kinds.lastIndexOf('decision'))
  expect(await l7(house)).toEqual([])
})

test('a conflicting group that must stay (protected) holds the new grant, and is not taken away', async () => {
  await house.rows(`update muster.entitlement set protected = true where key = 'CBS_LoanApprove'`)
  await house.addAccount('P-1')
  await house.addMember('P-1', 'CBS_LoanApprove')
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(
    [...lending, 'CBS_LoanApprove'].filter((key) => key !== 'CBS_LoanEntry').sort(),
  )
  expect(await holds()).toEqual([{ key: 'CBS_LoanEntry', policies: ['loan-entry-vs-approve'] }])
})

test('two accounts for one person: a finding, never a guess; no grant goes to either', async () => {
  await house.addAccount('P-1', { uid: 'one' })
  await house.addAccount('P-1', { uid: 'two' })
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  expect(await findings()).toEqual(['account-ambiguous'])
  expect(faults.calls.flatMap(({ operations }) => operations.filter(({ op }) => op === 'grant'))).toEqual([])
})

test('the name is taken by somebody else: a finding, and their account is left alone', async () => {
  await house.addAccount('X-9', { uid: 'p-1' })
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  expect(await findings()).toEqual(['name-taken'])
  expect(await house.account('P-1')).toBeNull()
  expect(await house.groupsOf('X-9')).toEqual([])
})

test('an account that is linked to one person is not linked to a second one', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await house.rows(
    `update muster.account set identity_id = (select id + 1000 from muster.identity where person_key = 'P-1')`,
  )
  await house.rows(`update muster.identity set work_due_at = muster.now() where person_key = 'P-1'`)
  await house.quiesce()
  expect((await findings()).filter((kind) => kind === 'account-ambiguous')).toHaveLength(1)
})

test('a leaver loses what no catalogue knows too, listed in the audit before anything is taken', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await strayGroup('Handmade', 'P-1')
  await house.tell(leaves('P-1', start))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect((await house.account('P-1'))?.locked).toBe(true)
  const audit = await auditOf(house)
  const [unmanaged] = await house.rows<{ id: number }>(`select id from muster.entitlement where key is null`)
  const listed = audit.findIndex(
    ({ kind, body }) => kind === 'grants-listed' && (body.entitlements as number[]).includes(unmanaged?.id ?? 0),
  )
  const taken = audit.findIndex(
    ({ kind, body }) =>
      kind === 'attempt' &&
      (body.operations as { kind: string; entitlement: number }[]).some(
        (one) => one.kind === 'revoke' && one.entitlement === unmanaged?.id,
      ),
  )
  expect(listed).toBeGreaterThan(0)
  expect(taken).toBeGreaterThan(listed)
  expect(await brokenLaws(house)).toEqual([])
})

test('leave shuts the account and keeps the groups; back again opens it; nothing is granted twice', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await house.tell({ ...works('P-1', start), status: 'leave' })
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  expect(await house.groupsOf('P-1')).toEqual(lending)
  await house.tell(works('P-1', start + 1))
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: false })
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await brokenLaws(house)).toEqual([])
})

test.each([
  ['who is on leave when the account is made', null],
  ['who goes on leave while the account is being made', 1],
])('somebody %s cannot sign in', async (_, goes) => {
  const start = await house.now()
  if (goes === null) {
    await house.tell({ ...works('P-1', start - 1000), status: 'leave' })
  } else {
    await house.tell(works('P-1', start - 1000))
    await house.evaluateAll()
    await house.shift(600)
    const [ref] = await house.dispatchAll()
    faults.next(async (operations, context, real) => {
      const done = await real(operations, context)
      await house.tell({ ...works('P-1', start + 1), status: 'leave' })
      await house.shift(5)
      await house.evaluateAll()
      return done
    }, 'ensureAccount')
    await house.provision(ref?.id ?? 0)
  }
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await brokenLaws(house)).toEqual([])
})

test('a linked account that was shut is opened for somebody who works here', async () => {
  await house.addAccount('P-1', { locked: true })
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: false })
  expect(await brokenLaws(house)).toEqual([])
})

test('a rehired leaver is opened again, gets the new job only, and keeps the account', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  const before = (await house.rows<{ native_id: string }>('select native_id from muster.account'))[0]?.native_id
  await house.tell(leaves('P-1', start))
  await house.quiesce()
  await house.tell({ ...works('P-1', start + 1, { jobCode: 'TELLER' }), employment: 'P-1-2' })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(['CBS_TellerCash', 'CBS_ViewOnly', 'Staff_Intranet', 'Staff_Timesheets'])
  expect(await house.account('P-1')).toMatchObject({ locked: false })
  expect(await house.rows('select native_id from muster.account')).toEqual([{ native_id: before }])
  expect(await brokenLaws(house)).toEqual([])
})

test.each([
  ['after the account was read', 1_000_000],
  ['backdated to before it was', 1],
])(
  'a leaver who was on leave, the account shut already, still has every group read and taken: termination %s',
  async (_, offset) => {
    const start = await house.now()
    await house.tell(works('P-1', start - 1000))
    await house.quiesce()
    const leave = await house.now()
    await house.tell({ ...works('P-1', leave), status: 'leave' })
    await house.quiesce()
    await strayGroup('Handmade', 'P-1')
    await house.shift(1_000_000)
    await house.tell(leaves('P-1', leave + offset))
    await house.quiesce()
    expect(await house.groupsOf('P-1')).toEqual([])
    expect(await l1(house)).toEqual([])
  },
)

test('somebody who is only to come is left alone: no account, no lock, no revoke', async () => {
  await house.addAccount('P-1')
  await house.addMember('P-1', 'Staff_Intranet')
  const start = await house.now()
  await house.tell({ ...works('P-1', start - 1000), status: 'prehire' })
  await house.quiesce()
  expect(faults.calls).toEqual([])
  expect(await house.groupsOf('P-1')).toEqual(['Staff_Intranet'])
})
