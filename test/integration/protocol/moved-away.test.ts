/** An account that another hand has put outside `peopleBase` is still there: its owner still signs in, and is still in groups. */
import { Attribute, Change } from 'ldapts'
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { createLdapConnector } from '../../../src/connectors/ldap/connector.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, ldapSettings, openHouse, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { leaves, lending, works } from './people.ts'

let house: House
afterEach(() => house.close())

/** As an administrator does it, or a server with referential integrity: the groups follow the name. */
const putAway = async (person: string): Promise<string> => {
  const from = (await house.account(person))?.dn ?? ''
  const to = `${from.split(',')[0]},ou=former,${house.tree.dn}`
  const groups = await house.groupsOf(person)
  await asDirectoryRoot(house.ldap, async (client) => {
    await client.add(`ou=former,${house.tree.dn}`, { objectClass: 'organizationalUnit' })
    await client.modifyDN(from, to)
    for (const key of groups)
      for (const [operation, dn] of [
        ['add', to],
        ['delete', from],
      ] as const)
        await client.modify(
          house.groupDn(key),
          new Change({ operation, modification: new Attribute({ type: 'member', values: [dn] }) }),
        )
  })
  return to
}

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
  const dn = await putAway('P-1')
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
  await reconcile(house.engine, target, {
    actor: { type: 'engine', name: 'test' },
    signal: AbortSignal.timeout(30_000),
    full: true,
  })
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
  const back = `${dn.split(',')[0]},${house.tree.people}`
  await asDirectoryRoot(house.ldap, async (client) => {
    await client.modifyDN(dn, back)
    for (const key of lending)
      for (const [operation, name] of [
        ['add', back],
        ['delete', dn],
      ] as const)
        await client
          .modify(
            house.groupDn(key),
            new Change({ operation, modification: new Attribute({ type: 'member', values: [name] }) }),
          )
          .catch(() => {})
  })
  await house.shift(1_000)
  for (let run = 0; run < 2; run += 1) {
    await reconcile(house.engine, target, {
      actor: { type: 'engine', name: 'test' },
      signal: AbortSignal.timeout(30_000),
      full: true,
    })
    await house.quiesce()
    await house.shift(3_600_000)
  }
  expect(await shownAt(back)).toEqual({ locked: true, groups: [] })
})

test.each([
  ['when its rest is over', () => house.shift(900_000)],
  [
    'once a reconciliation shows it',
    () =>
      reconcile(house.engine, target, {
        actor: { type: 'engine', name: 'test' },
        signal: AbortSignal.timeout(30_000),
        full: true,
      }),
  ],
])(
  'where Muster may not look beyond peopleBase, a leaver put there is not told as gone, rests, and is shut when back: %s',
  async (_, wake) => {
    // No database of the server is at that name: it answers 32.
    const beyond = 'dc=example'
    let blind: Connector | undefined
    const made = () => (blind ??= createLdapConnector(target, { ...ldapSettings(house.tree), searchBase: beyond }))
    house = await openHouse({
      connector: (real) => ({
        ...real,
        apply: (operations, context) => made().apply(operations, context),
        observe: (operations, observing) => made().observe(operations, observing),
      }),
    })
    try {
      await house.tell(works('P-1', (await house.now()) - 1000))
      await house.quiesce()
      const before = (await house.account('P-1'))?.dn ?? ''
      const dn = await putAway('P-1')
      await house.tell(leaves('P-1', (await house.now()) - 1))
      await house.quiesce()
      const open = () =>
        house.rows<{ state: string; attempts: number }>(
          "select state, attempts from muster.action where open and kind = 'disable'",
        )
      expect(await open()).toMatchObject([{ state: 'parked', attempts: 1 }])
      expect(await house.rows('select from muster.account where gone_at is not null')).toEqual([])
      // Not every half minute.
      await house.shift(120_000)
      await house.sweep()
      await house.quiesce()
      expect(await open()).toMatchObject([{ state: 'parked', attempts: 1 }])
      await asDirectoryRoot(house.ldap, (client) => client.modifyDN(dn, before))
      await wake()
      await house.sweep()
      await house.quiesce()
      expect(await shownAt(before)).toMatchObject({ locked: true })
    } finally {
      await blind?.close()
    }
  },
)
