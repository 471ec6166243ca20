/** An account that another hand has put outside `peopleBase` is still there: its owner still signs in, and is still in groups. */
import { Attribute, Change } from 'ldapts'
import { afterEach, expect, test } from 'vitest'
import { endPauses } from '../../../src/store/go-again.ts'
import { createFaults, type Fault, requestLost } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { blindBeyond, putAway, putTo, reconciled } from './behind-our-back.ts'
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
  await asDirectoryRoot(house.ldap, async (client) => {
    const member = new Attribute({ type: 'member', values: [back] })
    for (const key of lending)
      await client.modify(house.groupDn(key), new Change({ operation: 'add', modification: member }))
  })
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
