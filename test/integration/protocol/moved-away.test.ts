/** An account that another hand has put outside `peopleBase` is still there: its owner still signs in, and is still in groups. */
import { afterEach, expect, test } from 'vitest'
import { endPauses } from '../../../src/store/go-again.ts'
import { createFaults, type Fault, requestLost } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { blindBeyond, putAway, putTo, reconciled, reporting, settledIn } from './behind-our-back.ts'
import { leaves, lending, works } from './people.ts'

let house: House
afterEach(() => house.close())

const shownAt = (dn: string) =>
  asDirectoryRoot(house.ldap, async (client) => {
    const entry = await client.search(dn, { scope: 'base', attributes: ['pwdAccountLockedTime'] })
    const groups = await client.search(house.tree.groups, {
      scope: 'one',
      filter: `(member=${dn})`,
      attributes: ['cn'],
    })
    return {
      locked: String(entry.searchEntries[0]?.pwdAccountLockedTime ?? '') !== '',
      groups: groups.searchEntries.map(({ cn }) => String(cn)).sort(),
    }
  })

const opened = async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.tell(works('P-0', (await house.now()) - 1000))
  await house.quiesce()
  const dn = await putAway(house, 'P-1')
  expect(await shownAt(dn)).toEqual({ locked: false, groups: lending })
  return dn
}

test('a leaver whose account was put there first is shut and emptied', async () => {
  const dn = await opened()
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  expect(await shownAt(dn)).toEqual({ locked: true, groups: [] })
})

test('nobody is told that it is gone, nor that it holds nothing', async () => {
  await opened()
  await reconciled(house, { full: true })
  const kinds = (await house.rows<{ kind: string }>('select kind from muster.finding where closed_at is null')).map(
    ({ kind }) => kind,
  )
  expect(kinds).not.toContain('account-gone')
  expect(
    await house.rows(
      'select from muster.grants g join muster.account a on a.id = g.account_id join muster.identity i on i.id = a.identity_id where i.person_key = $1 and g.gone_verified_at is not null',
      'P-1',
    ),
  ).toEqual([])
})

test('a leaver whose account is back within sight is shut and emptied then', async () => {
  const dn = await opened()
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  const back = await putTo(house, dn, house.tree.people)
  await house.addMemberAt(back, ...lending)
  await house.shift(1_000)
  for (let run = 0; run < 2; run += 1) {
    await reconciled(house, { full: true })
    await house.quiesce()
    await house.shift(3_600_000)
  }
  expect(await shownAt(back)).toEqual({ locked: true, groups: [] })
})

/** Muster may not look beyond `peopleBase`; P-1 is there, and has left. Answers the name that the account had. */
const leftOutOfSight = async (fault?: Fault) => {
  const faults = createFaults()
  const blind = blindBeyond(() => house)
  house = await openHouse({ connector: (real) => faults.wrap(blind(real)) })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  const before = (await house.account('P-1'))?.dn ?? ''
  const dn = await putAway(house, 'P-1')
  await house.tell(leaves('P-1', (await house.now()) - 1))
  if (fault !== undefined) faults.next(fault)
  return { before, dn }
}
const disables = () =>
  house.rows<{ state: string; attempts: number }>(
    "select state, attempts from muster.action where open and kind = 'disable'",
  )
/** So many seconds pass, and what is due is done. */
const seconds = async (count: number) => {
  for (let n = 0; n < count; n++) {
    await house.shift(400)
    await house.evaluateAll()
    await house.shift(600)
    for (const { id } of await house.dispatchAll()) await house.provision(id)
  }
}
/** The first run dies when what waits is to go again. */
const reconciling = async () => {
  await house.admin.query({
    text: "alter table muster.action add constraint nothing_goes check (state <> 'ready') not valid",
  })
  await expect(reconciled(house, { full: true })).rejects.toThrow('nothing_goes')
  await house.admin.query({ text: 'alter table muster.action drop constraint nothing_goes' })
  await reconciled(house, { full: true })
}
const starting = () => endPauses(house.engine.db)

test.each([
  ['when its rest is over', () => house.shift(900_000)],
  ['once a reconciliation shows it', reconciling],
  ['with a start', starting],
])(
  'where Muster may not look beyond peopleBase, a leaver put there is not told as gone, rests, and is shut when back: %s',
  async (_, wake) => {
    const { before, dn } = await leftOutOfSight()
    await house.quiesce()
    expect(await disables()).toMatchObject([{ state: 'parked', attempts: 1 }])
    expect(await house.rows('select from muster.account where gone_at is not null')).toEqual([])
    // Not every half minute.
    await house.shift(120_000)
    await house.sweep()
    await house.quiesce()
    expect(await disables()).toMatchObject([{ state: 'parked', attempts: 1 }])
    await asDirectoryRoot(house.ldap, (client) => client.modifyDN(dn, before))
    await wake()
    await house.sweep()
    await house.quiesce()
    expect(await shownAt(before)).toMatchObject({ locked: true })
  },
)

test.each([
  ['once a reconciliation shows it', reconciling],
  ['with a start', starting],
])('so is one of whom nobody knows whether the account was shut: %s', async (_, wake) => {
  const { before, dn } = await leftOutOfSight(requestLost)
  await seconds(5)
  const resting = await disables()
  expect(resting).toMatchObject([{ state: 'ready' }])
  await seconds(60)
  expect(await disables()).toEqual(resting)
  // Each rest is longer than the one before: the third lasts half an hour, or up to an hour.
  for (const ms of [900_000, 1_800_000]) {
    await house.shift(ms)
    await seconds(5)
  }
  const [third] = await house.rows<{ s: number }>(
    "select extract(epoch from next_at - muster.now())::float8 as s from muster.action where open and kind = 'disable'",
  )
  expect(third?.s).toBeGreaterThan(900)
  await asDirectoryRoot(house.ldap, (client) => client.modifyDN(dn, before))
  await seconds(5)
  expect(await shownAt(before)).toMatchObject({ locked: false })
  await wake()
  await seconds(5)
  expect(await shownAt(before)).toMatchObject({ locked: true })
})

/** P-1 holds nothing of the catalogue, and P-2 what comes with a job; another hand lets P-1, out of sight, into what approves loans. */
const letInUnseen = async () => {
  let sees = false
  let isTold = false
  house = await openHouse({
    revised: (text) => reporting(text).replace('when: everyone', 'when: { department: [LENDING, RETAIL] }'),
    connector: blindBeyond(
      () => house,
      () => sees,
      (blind, real) => ({
        // Once told, a change is never told again, as when it is long past.
        changes: (cursor, signal) =>
          isTold
            ? Promise.resolve({ kind: 'changes', entitlements: [], accounts: [], cursor: '1' })
            : (blind.changes?.(cursor, signal) ?? Promise.resolve({ kind: 'failed', cause: 'no change log' })),
        whoIs: async (members, signal) => {
          if (sees) return blind.whoIs(members, signal)
          // An access rule hides what is there: the directory answers as for a name that is not there.
          const told = await real.whoIs(
            members.map((member) => member.replace('ou=former', 'ou=hidden')),
            signal,
          )
          return 'unseen' in told
            ? { ...told, unseen: told.unseen?.map((member) => member.replace('ou=hidden', 'ou=former')) ?? [] }
            : told
        },
      }),
    ),
  })
  await house.tell(works('P-1', (await house.now()) - 1000, { jobCode: 'X', department: 'RETAIL' }))
  await house.quiesce()
  await house.tell(works('P-1', await house.now(), { jobCode: 'X', department: 'X' }))
  await settledIn(house, ['P-2', 'P-3'])
  const away = await putAway(house, 'P-1')
  await house.addMemberAt(away, 'CBS_LoanApprove')
  return {
    away,
    see: () => {
      sees = true
    },
    tellNoMore: () => {
      isTold = true
    },
  }
}
const outOfSight = async () =>
  (
    await house.rows<{ person: string }>(
      'select i.person_key as person from muster.account a join muster.identity i on i.id = a.identity_id where a.out_of_sight',
    )
  ).map(({ person }) => person)

test('whom a list names where Muster may not look, and of whom no run was told: the list is read until it is known who it is', async () => {
  const { away, see, tellNoMore } = await letInUnseen()
  const unseen = { extent: 'delta', outOfSight: 0, appeared: 0, unread: [] }
  expect(await reconciled(house)).toMatchObject({ ...unseen, noAccounts: 1 })
  tellNoMore()
  await house.shift(1_000)
  expect(await reconciled(house)).toMatchObject({ ...unseen, listed: 1, noAccounts: 1 })
  expect(await outOfSight()).toEqual([])
  see()
  expect(await reconciled(house)).toMatchObject({
    extent: 'delta',
    listed: 1,
    changes: [{ drift: 'appeared', person: 'P-1', entitlement: 'CBS_LoanApprove' }],
  })
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  expect((await shownAt(away)).groups).toContain('App_Crm')
  expect((await shownAt(away)).groups).not.toContain('CBS_LoanEntry')
  await house.shift(1_000)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', listed: 0 })
})

test('whoever is out of sight when something is to be given to them is given nothing before what they hold was read', async () => {
  const { away, see } = await letInUnseen()
  await house.tell(works('P-1', (await house.now()) - 500, { jobCode: 'X', department: 'LENDING' }))
  await house.quiesce()
  expect(await outOfSight()).toEqual(['P-1'])
  see()
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  await reconciled(house)
  await house.quiesce()
  expect(await outOfSight()).toEqual([])
  expect((await shownAt(away)).groups).toEqual(expect.arrayContaining(['CBS_LoanApprove', 'CBS_ViewOnly']))
  expect((await shownAt(away)).groups).not.toContain('CBS_LoanEntry')
})
