/** What is not below `peopleBase` is gone only when the directory has shown all that it holds. */
import { expect, test } from 'vitest'
import { ldapSettingsSchema } from '../../../../src/connectors/ldap/config.ts'
import { observeDeletion } from '../../../../src/connectors/ldap/delete-account.ts'
import { readAccounts } from '../../../../src/connectors/ldap/items.ts'
import { whoIs } from '../../../../src/connectors/ldap/members.ts'
import { accounts, grantsOf } from '../../../../src/connectors/ldap/observe.ts'
import type { LdapClient, Search } from '../../../../src/connectors/ldap-wire/client.ts'
import { failed, ok, resultFailure } from '../../../../src/connectors/ldap-wire/errors.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'

const settingsWith = (changes: Readonly<Record<string, unknown>> = {}) =>
  ldapSettingsSchema.parse({
    url: 'ldaps://ldap.example',
    bindDn: 'cn=muster,dc=bank,dc=example',
    bindPassword: 'secret',
    peopleBase: 'ou=people,dc=bank,dc=example',
    groupsBase: 'ou=groups,dc=bank,dc=example',
    account: { rdn: 'uid={username}' },
    ...changes,
  })
const id = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' as NativeId
const entry = (dn: string, ...attributes: [string, string[]][]) => ({ dn, attributes: new Map(attributes) })
const account = entry('uid=p,ou=former,dc=bank,dc=example', ['entryuuid', [id]])

/** Answers by the base of the search; what is not listed shows nothing. Remembers what was asked. */
const directory = (shown: Readonly<Record<string, ReturnType<LdapClient['search']>>>) => {
  const asked: string[] = []
  const client = {
    search: async ({ base }: Search) => {
      asked.push(base)
      return (await shown[base]) ?? ok([])
    },
  } as unknown as LdapClient
  return { client, asked }
}
const contexts = (...names: string[]) => Promise.resolve(ok([entry('', ['namingcontexts', names])]))
const refused = (code: number) => Promise.resolve(failed(resultFailure(code, '')))

test.each([
  ['the root DSE is busy', { '': refused(51) }],
  ['the root DSE cannot be read in time', { '': refused(3) }],
  ['the root DSE tells no naming context', { '': Promise.resolve(ok([])) }],
  ['none of them holds the people', { '': contexts('dc=other', 'ou=deeper,ou=people,dc=bank,dc=example') }],
  ['the naming context may not be searched', { '': contexts('dc=bank,dc=example'), 'dc=bank,dc=example': refused(32) }],
])('%s: whoever is not below peopleBase is not known to be gone', async (_, shown) => {
  const { client } = directory(shown)
  const settings = settingsWith()
  expect(await grantsOf(client, settings, [id])).toMatchObject({ kind: 'partial' })
  expect(await accounts(client, settings, [id])).toMatchObject({ kind: 'partial' })
  expect(await observeDeletion(client, settings, id)).toMatchObject({
    kind: expect.stringMatching(/^(retry|throttled)$/),
  })
})

test.each([32, 50, 10])(
  'beyond peopleBase nobody may look (%d): that changes nothing for those below it',
  async (code) => {
    const here = '0d5f5c1e-33a1-4c53-9d0c-6a3a6f3f2a10' as NativeId
    const theirs = entry('uid=q,ou=people,dc=bank,dc=example', ['entryuuid', [here]])
    const { client } = directory({
      '': contexts('dc=bank,dc=example'),
      'ou=people,dc=bank,dc=example': Promise.resolve(ok([theirs])),
      'dc=bank,dc=example': refused(code),
      [account.dn]: refused(code),
    })
    const read = await readAccounts(client, settingsWith(), [here, id], ['entryUUID'])
    expect(read).toMatchObject({ ok: true, value: { unread: { result: code } } })
    expect(read.ok && [...read.value.found.keys()]).toEqual([here])
    expect(await whoIs(client, settingsWith(), [account.dn])).toEqual({ kind: 'complete', items: [] })
  },
)

test('the nearest naming context that holds them is searched; nobody there is gone', async () => {
  const { client, asked } = directory({ '': contexts('dc=example', 'DC=Bank, dc=example', 'cn=config') })
  expect(await observeDeletion(client, settingsWith(), id)).toMatchObject({ evidence: { read: 'account-absent' } })
  expect(asked).toEqual(['ou=people,dc=bank,dc=example', '', 'DC=Bank, dc=example'])
})

test('where configuration names the base, it is taken; peopleBase itself is searched once', async () => {
  for (const [searchBase, bases] of [
    ['dc=bank,dc=example', ['ou=people,dc=bank,dc=example', 'dc=bank,dc=example']],
    ['OU=People, dc=bank,dc=example', ['ou=people,dc=bank,dc=example']],
  ] as const) {
    const { client, asked } = directory({})
    await accounts(client, settingsWith({ searchBase }), [id])
    expect(asked).toEqual(bases)
  }
  expect(() => settingsWith({ searchBase: 'ou=groups,dc=bank,dc=example' })).toThrow('not below searchBase')
})

test('a member elsewhere in the directory is an account that was moved; whoever stands beyond it is not asked about', async () => {
  const { client, asked } = directory({
    '': contexts('dc=bank,dc=example'),
    [account.dn]: Promise.resolve(ok([account])),
  })
  expect(await whoIs(client, settingsWith(), [account.dn, 'cn=nobody'])).toEqual({
    kind: 'complete',
    items: [{ member: account.dn, account: id }],
  })
  expect(asked).toEqual(['', account.dn])
})
