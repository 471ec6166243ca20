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
  search: async ({ filter }: { filter: { toString: () => string } }) => {
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

// [MS-ADTS] 5.1.1.1.1 takes the names in an order: the UPN as set comes before sAMAccountName@domain.
test('only whom the bind signs in is Muster: not the leaver who is called like a part of its UPN', async () => {
  const settings = {
    bindName: 'max.uster@corp.example',
    searchBase: 'DC=corp,DC=example',
    correlation: 'employeeNumber',
  } as unknown as AdSettings
  expect((await own(client, settings)).items.map(({ nativeId }) => nativeId)).toEqual([service])
})
