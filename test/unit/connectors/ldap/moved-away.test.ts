/** What is not below `peopleBase` is gone only when the directory has shown all that it holds. */
import { expect, test } from 'vitest'
import { deleteAccount, observeDeletion } from '../../../../src/connectors/ldap/delete-account.ts'
import { ensureAccounts } from '../../../../src/connectors/ldap/ensure-accounts.ts'
import { readAccounts } from '../../../../src/connectors/ldap/items.ts'
import { whoIs } from '../../../../src/connectors/ldap/members.ts'
import { accounts, grantsOf, observe } from '../../../../src/connectors/ldap/observe.ts'
import { ok } from '../../../../src/connectors/ldap-wire/errors.ts'
import { createPace } from '../../../../src/connectors/ldap-wire/pace.ts'
import {
  account,
  context,
  contexts,
  directory,
  entry,
  group,
  groupEntry,
  groups,
  id,
  other,
  people,
  refused,
  type Shown,
  settingsWith,
  shows,
} from './fake-directory.ts'

const settings = settingsWith()
const away = entry(`uid=p,ou=former,${context}`, ['entryuuid', [id]], ['objectclass', ['inetOrgPerson']])
const here = account('q', other)
const outOfSight = { kind: 'refused', reason: 'configuration', cause: { word: 'account-out-of-sight' } }
const always = () => true
const shut = ['pwdaccountlockedtime', ['000001010000Z']] as const

const hiding: readonly [string, Shown][] = [
  ['the root DSE tells no naming context', { '': ok([]) }],
  ['the root DSE may not be read', { '': refused(50) }],
  ['none of them holds the people', { '': contexts('dc=other', `ou=deeper,${people}`) }],
  ...[32, 50, 10].map((code): [string, Shown] => [
    `the naming context may not be searched (${code})`,
    { '': contexts(context), [context]: refused(code) },
  ]),
]
const busy: readonly [string, Shown][] = [
  ['the root DSE is busy', { '': refused(51) }],
  ['the root DSE cannot be read in time', { '': refused(3) }],
  ['the naming context is busy', { '': contexts(context), [context]: refused(51) }],
]
/** Everything that is done with an account that was known. */
const operations = [
  { op: 'disable', account: id },
  { op: 'revoke', account: id, entitlement: { id: 1, lookup: group.name, nativeId: group.nativeId } },
  { op: 'deleteAccount', account: id },
  {
    op: 'ensureAccount',
    create: true,
    account: id,
    wanted: { correlation: { value: 'P-1' }, worker: {}, attributesHash: '' },
  },
] as unknown as Parameters<typeof observe>[3]
const [, , , ensure] = operations as unknown as [
  unknown,
  unknown,
  unknown,
  Parameters<typeof ensureAccounts>[2][number],
]

test.each(hiding)(
  '%s: whoever is not below peopleBase is out of sight, and nobody says that they are gone',
  async (_, shown) => {
    const { client, changed } = directory(shown)
    expect(await observe(client, settings, createPace(), operations, {})).toMatchObject(
      operations.map(() => outOfSight),
    )
    expect(await ensureAccounts(client, settings, [ensure], always, {})).toMatchObject([outOfSight])
    expect(await deleteAccount(client, settings, id, always)).toMatchObject(outOfSight)
    expect(changed).toEqual([])
  },
)

test.each(busy)('%s: nothing is known of whoever is not below peopleBase, and that passes', async (_, shown) => {
  const { client } = directory(shown)
  for (const one of await ensureAccounts(client, settings, [ensure], always, {}))
    expect(one.kind).toMatch(/^(retry|throttled)$/)
  expect((await observeDeletion(client, settings, id)).kind).toMatch(/^(retry|throttled)$/)
})

test.each([
  ...hiding.map(([what, shown]) => [what, shown, true] as const),
  ...busy.map(([what, shown]) => [what, shown, undefined] as const),
])('%s: the accounts say whether that passes', async (_, shown, outOfSight) => {
  const { client } = directory(shown)
  const told = await accounts(client, settings, [id])
  expect([told.kind, told.outOfSight]).toEqual(['partial', outOfSight])
})

test.each([...hiding, ...busy])('%s: that changes nothing for those below peopleBase', async (_, shown) => {
  const { client } = directory({ ...shown, [people]: shows(here), [groups]: shows(groupEntry), [away.dn]: refused(50) })
  const read = await readAccounts(client, settings, [other, id], ['entryUUID'])
  expect(read.ok && [...read.value.found.keys()]).toEqual([other])
  expect(await accounts(client, settings, [other, id])).toMatchObject({
    kind: 'partial',
    items: [{ nativeId: other, enabled: true, name: here.dn }],
  })
  expect(await grantsOf(client, settings, [other, id])).toMatchObject({
    kind: 'partial',
    items: [{ account: other, entitlement: group }],
  })
  expect(await accounts(client, settings, [other])).toMatchObject({ kind: 'complete', items: [{ nativeId: other }] })
  expect(await grantsOf(client, settings, [other])).toMatchObject({ kind: 'complete', items: [{ account: other }] })
})

test('whoever is renamed while groups are read holds what nobody knows; the others hold what they hold', async () => {
  const moved = [shows(account('p', id), here), shows(account('renamed', id), here)]
  const { client } = directory({ [people]: moved, [groups]: shows(groupEntry) })
  expect(await grantsOf(client, settings, [id, other])).toEqual({
    kind: 'partial',
    cause: 'renamed-meanwhile',
    items: [{ account: other, entitlement: group }],
  })
})

test.each([
  ['whoever may be beyond it is told by nobody else', { '': contexts(context), [context]: refused(50) }, 'done'],
  [
    'it is there under another name',
    { [people]: [shows(account('p', id, shut)), shows(account('r', id, shut))] },
    'retry',
  ],
] as const)('what the server deleted is deleted, unless it shows it: %s', async (_, shown, kind) => {
  const { client, changed } = directory({ [people]: [shows(account('p', id, shut)), shows()], ...shown })
  expect(await deleteAccount(client, settings, id, always)).toMatchObject({ kind })
  expect(changed).toEqual([`remove uid=p,${people}`])
})

test('the nearest naming context that holds them is searched; nobody there is gone', async () => {
  const { client, asked } = directory({ '': contexts('dc=example', 'DC=Bank, dc=example', 'cn=config') })
  expect(await observeDeletion(client, settings, id)).toMatchObject({ evidence: { read: 'account-absent' } })
  expect(asked).toEqual([people, '', 'DC=Bank, dc=example'])
})

test('where configuration names the base, it is taken; peopleBase itself is searched once', async () => {
  for (const [searchBase, bases] of [
    [context, [people, context]],
    ['OU=People, dc=bank,dc=example', [people]],
  ] as const) {
    const { client, asked } = directory({})
    await accounts(client, settingsWith({ searchBase }), [id])
    expect(asked).toEqual(bases)
  }
  expect(() => settingsWith({ searchBase: groups })).toThrow('not below searchBase')
})

test('a member elsewhere in the directory is an account that was moved; whoever stands beyond it is not asked about', async () => {
  const { client, asked } = directory({ '': contexts(context), [away.dn]: shows(away) })
  expect(await whoIs(client, settings, [away.dn, 'cn=nobody'])).toEqual({
    kind: 'complete',
    items: [{ member: away.dn, account: id }],
    unseen: [],
  })
  expect(asked).toEqual(['', away.dn])
})

test('a name beyond peopleBase that shows nothing is unseen, a group and the name of nothing are not', async () => {
  const [hidden, deleted] = [`uid=h,ou=former,${context}`, `uid=d,ou=former,${context}`]
  const shown = { [hidden]: refused(50), [deleted]: refused(32), [groups]: ok([]) }
  const elsewhere = ['cn=admin,dc=other', 'no name']
  const who = async (members: readonly string[], searchBase?: string) => {
    const { client } = directory({ '': contexts(context), ...shown })
    return whoIs(client, searchBase === undefined ? settings : settingsWith({ searchBase }), members)
  }
  const all = [hidden, groups, deleted, ...elsewhere]
  expect(await who(all)).toEqual({ kind: 'complete', items: [], unseen: [hidden, deleted] })
  // Somebody said where accounts are, and nobody where they cannot be.
  expect(await who(all, people)).toMatchObject({ unseen: [hidden, groups, deleted, 'cn=admin,dc=other'] })
})

test('one member of whom nobody may tell keeps none of the others beyond peopleBase; below it, all of them', async () => {
  const hidden = `uid=h,ou=former,${context}`
  const beyond = directory({ '': contexts(context), [away.dn]: shows(away), [hidden]: refused(50) })
  for (const members of [
    [away.dn, hidden],
    [hidden, away.dn],
  ])
    expect(await whoIs(beyond.client, settings, members)).toEqual({
      kind: 'complete',
      items: [{ member: away.dn, account: id }],
      unseen: [hidden],
    })
  const below = directory({ [here.dn]: refused(50) })
  expect(await whoIs(below.client, settings, [here.dn])).toMatchObject({ kind: 'partial', items: [] })
})

/** From 500 names on, all are read page by page. */
const crowd = Array.from({ length: 500 }, (_, at) => `uid=${at},ou=former,${context}`)

test.each([
  ...hiding.map(([what, shown]) => [what, shown, 'complete'] as const),
  ...busy.map(([what, shown]) => [what, shown, 'partial'] as const),
])('%s: members beyond peopleBase, few or many', async (_, shown, kind) => {
  const named = account('q', other)
  for (const beyond of [crowd.slice(0, 1), crowd]) {
    const hidden = Object.fromEntries(beyond.map((dn) => [dn, shown[context] ?? shown[''] ?? ok([])]))
    const { client } = directory({ ...hidden, ...shown, [named.dn]: shows(named) })
    expect(await whoIs(client, settings, [...beyond, named.dn])).toMatchObject({
      kind,
      items: kind === 'complete' ? [{ member: named.dn, account: other }] : [],
    })
  }
})

test('many members beyond peopleBase are found in one read, and what is left is looked at by itself; below it what may not be searched is not nobody', async () => {
  const gone = Object.fromEntries(crowd.map((dn) => [dn, refused(32)]))
  const group = String(crowd[8])
  const beyond = directory({
    ...gone,
    '': contexts(context),
    [context]: shows(entry(crowd[7] ?? '', ['entryuuid', [id]])),
    [group]: shows(),
  })
  expect(await whoIs(beyond.client, settings, crowd)).toEqual({
    kind: 'complete',
    items: [{ member: crowd[7], account: id }],
    unseen: crowd.filter((_, at) => at !== 7 && at !== 8),
  })
  expect(beyond.asked.slice(0, 2)).toEqual(['', context])
  expect(beyond.asked).toHaveLength(2 + crowd.length - 1)
  const below = crowd.map((dn) => dn.replace('ou=former', 'ou=people'))
  const { client } = directory({ [people]: refused(50) })
  expect(await whoIs(client, settings, below)).toMatchObject({ kind: 'partial', cause: 'insufficient-access (50)' })
})

test('of names that fold alike each is its own account, few or many of them', async () => {
  const [blank, tab] = [`cn=a b,${people}`, `cn=a\\09b,${people}`]
  const [ofBlank, ofTab] = [entry(blank, ['entryuuid', [other]]), entry(tab, ['entryuuid', [id]])]
  const expected = [
    { member: blank, account: other },
    { member: tab, account: id },
  ]
  for (const some of [[], crowd.map((dn) => dn.replace('ou=former', 'ou=people'))]) {
    const found = { [blank]: shows(ofBlank), [tab]: shows(ofTab) }
    for (const all of [shows(ofTab, ofBlank), shows(ofBlank, ofTab)]) {
      const who = await whoIs(directory({ ...found, [people]: all }).client, settings, [...some, blank, tab])
      expect(who).toMatchObject({ kind: 'complete' })
      expect(new Set(who.items)).toEqual(new Set(expected))
    }
  }
})
