import { expect, test } from 'vitest'
import type { AdSettings } from '../../../../src/connectors/ad/config.ts'
import { own } from '../../../../src/connectors/ad/own.ts'
import type { LdapClient } from '../../../../src/connectors/ldap-wire/client.ts'

const service = '11111111-1111-1111-1111-111111111111'
const person = '22222222-2222-2222-2222-222222222222'
type Shown = { readonly guid: string; readonly dn: string; readonly sam: string; readonly upn: string }
const users: readonly Shown[] = [
  { guid: service, dn: 'CN=svc,OU=Services,DC=corp,DC=example', sam: 'svc-muster', upn: 'max.uster@corp.example' },
  { guid: person, dn: 'CN=Max Uster,OU=People,DC=corp,DC=example', sam: 'max.uster', upn: 'm.uster@corp.example' },
]

/** A domain of two users that knows names and «or». */
const client = {
  search: async ({ base, filter }: { base: string; filter: { toString: () => string } }) => {
    const one = (name: string, value: string) => ({
      ok: true,
      value: [{ dn: base, attributes: new Map([[name.toLowerCase(), [value]]]) }],
    })
    if (base === '') return one('configurationNamingContext', 'CN=Configuration,DC=corp,DC=example')
    if (base.startsWith('CN=Partitions')) return one('nETBIOSName', 'CORP')
    const asked = filter.toString().toLowerCase()
    const found = users.filter(
      ({ sam, upn }) => asked.includes(`(samaccountname=${sam})`) || asked.includes(`(userprincipalname=${upn})`),
    )
    return {
      ok: true,
      value: found.map(({ guid, dn, sam, upn }) => ({
        dn: `<GUID=${guid}>;<SID=S-1-5-21-1-2-3-1105>;${dn}`,
        attributes: new Map([
          ['samaccountname', [sam]],
          ['userprincipalname', [upn]],
          ['employeenumber', ['P-1']],
        ]),
      })),
    }
  },
} as unknown as LdapClient

const ownAs = async (bindName: string) => {
  const settings = { bindName, searchBase: 'DC=corp,DC=example', correlation: 'employeeNumber' }
  return (await own(client, settings as unknown as AdSettings)).items.map(({ nativeId }) => nativeId)
}

// [MS-ADTS] 5.1.1.1.1 takes the names in an order: the UPN as set comes before sAMAccountName@domain.
test('only whom the bind signs in is Muster: not the leaver who is called like a part of its UPN', async () => {
  expect(await ownAs('max.uster@corp.example')).toEqual([service])
})

test('a name of another domain is nobody’s of this one', async () => {
  expect(await ownAs('CORP\\svc-muster')).toEqual([service])
  expect(await ownAs('svc-muster@corp.example')).toEqual([service])
  for (const elsewhere of ['ELSEWHERE\\max.uster', 'max.uster@elsewhere.example'])
    expect(await ownAs(elsewhere)).toEqual([])
})

// The same list: AD signs in by these, too, and says afterwards who that was (RFC 4532).
test.each([
  ['its GUID', `{${service}}`],
  ['its SID', 'S-1-5-21-1-2-3-1105'],
  ['its canonical name', 'corp.example/Services/svc'],
  ['its display name', 'Muster Service'],
])('whoever is signed in by %s is Muster all the same', async (_, bindName) => {
  const settings = { bindName, searchBase: 'DC=corp,DC=example', correlation: 'employeeNumber' }
  const telling = {
    ...client,
    whoAmI: async () => ({ ok: true, value: 'u:CORP\\svc-muster' }),
  } as unknown as LdapClient
  const told = await own(telling, settings as unknown as AdSettings)
  expect(told.items.map(({ nativeId }) => nativeId)).toEqual([service])
})

test('where AD does not say who it was: a plain name is one of this domain; anybody else is not known', async () => {
  const answering = (whoAmI: unknown) => ({ ...client, whoAmI: async () => whoAmI }) as unknown as LdapClient
  const failure = (result: number | null) => ({ ok: false, failure: { code: '', result, word: 'x', sent: true } })
  const ownOf = (bindName: string, whoAmI: unknown) =>
    own(answering(whoAmI), { bindName, searchBase: 'DC=corp,DC=example' } as unknown as AdSettings)
  expect(await ownOf('svc-muster', failure(2))).toMatchObject({ kind: 'complete', items: [{ nativeId: service }] })
  for (const [bindName, whoAmI] of [
    [`{${service}}`, failure(2)],
    [`{${service}}`, { ok: true, value: '' }],
    ['svc-muster', failure(null)],
  ] as const)
    expect(await ownOf(bindName, whoAmI)).toMatchObject({ kind: 'partial' })
  // Of another domain: nobody of this one.
  expect(await ownOf('S-1-5-21-9-9-9-1105', { ok: true, value: 'u:ELSEWHERE\\svc-muster' })).toEqual({
    kind: 'complete',
    items: [],
  })
})

test('partitions that the service account may not read do not end all work on the target', async () => {
  const settings = { bindName: 'CORP\\svc-muster', searchBase: 'DC=corp,DC=example', correlation: 'employeeNumber' }
  const hidden = {
    search: async (search: { base: string; filter: { toString: () => string } }) =>
      search.base.startsWith('CN=Partitions')
        ? { ok: false, failure: { code: '32', result: 32, word: 'no-such-object', sent: true } }
        : client.search(search as unknown as Parameters<LdapClient['search']>[0]),
  } as unknown as LdapClient
  // As where nothing is told of it: then the name is taken for one of this domain.
  expect(await own(hidden, settings as unknown as AdSettings)).toMatchObject({
    kind: 'complete',
    items: [{ nativeId: service }],
  })
})
