import { expect, test } from 'vitest'
import { entitlementNames } from '../../../../src/connectors/ad/groups.ts'
import type { LdapClient, Search } from '../../../../src/connectors/ldap-wire/client.ts'
import { failed, ok, resultFailure } from '../../../../src/connectors/ldap-wire/errors.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'

const guid = (at: number) => `${String(at).padStart(8, '0')}-0000-4000-8000-000000000000` as NativeId
const dnOf = (at: number) => `CN=g${at},OU=Groups,DC=corp,DC=example`

/** Reads of these are answered with this code; the others show a group. */
const refusing = (codes: Readonly<Record<number, number>>) =>
  ({
    search: async ({ base }: Search) => {
      const at = Number(base.slice('<GUID='.length, '<GUID='.length + 8))
      const code = codes[at]
      if (code !== undefined) return failed(resultFailure(code, ''))
      const dn = `<GUID=${guid(at)}>;<SID=S-1-5-21-1-2-3-${at}>;${dnOf(at)}`
      return ok([{ dn, attributes: new Map([['objectclass', ['top', 'group']]]) }])
    },
  }) as unknown as LdapClient

const named = (...which: number[]) => which.map((at) => ({ nativeId: guid(at), name: dnOf(at) }))

test('one name that cannot be read keeps none of the others, and all of them from being complete', async () => {
  const ids = [1, 2, 3].map(guid)
  expect(await entitlementNames(refusing({}), ids)).toEqual({ kind: 'complete', items: named(1, 2, 3) })
  expect(await entitlementNames(refusing({ 2: 32 }), ids)).toEqual({ kind: 'complete', items: named(1, 3) })
  for (const [first, left] of [
    [1, [2, 3]],
    [2, [1, 3]],
  ] as const)
    expect(await entitlementNames(refusing({ [first]: 51 }), ids)).toEqual({
      kind: 'partial',
      items: named(...left),
      cause: 'busy (51)',
    })
})
