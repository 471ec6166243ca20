/** A directory that answers each search by its base and each change by its name; what is not listed shows nothing, and takes what it is told. */
import { ldapSettingsSchema } from '../../../../src/connectors/ldap/config.ts'
import type { AttributeChange, LdapClient, Search } from '../../../../src/connectors/ldap-wire/client.ts'
import type { Entry } from '../../../../src/connectors/ldap-wire/entry.ts'
import { failed, ok, type Result, resultFailure } from '../../../../src/connectors/ldap-wire/errors.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'

export const context = 'dc=bank,dc=example'
export const people = `ou=people,${context}`
export const groups = `ou=groups,${context}`

export const settingsWith = (changes: Readonly<Record<string, unknown>> = {}) =>
  ldapSettingsSchema.parse({
    url: 'ldaps://ldap.example',
    bindDn: `cn=muster,${context}`,
    bindPassword: 'secret',
    peopleBase: people,
    groupsBase: groups,
    account: { rdn: 'uid={username}' },
    ...changes,
  })

export const id = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' as NativeId
export const other = '0d5f5c1e-33a1-4c53-9d0c-6a3a6f3f2a10' as NativeId
export const group = { nativeId: '00000000-0000-4000-8000-000000000001' as NativeId, name: `cn=desk,${groups}` }

export const entry = (dn: string, ...attributes: readonly (readonly [string, readonly string[]])[]): Entry => ({
  dn,
  attributes: new Map(attributes),
})
export const account = (name: string, nativeId: NativeId, ...more: readonly (readonly [string, readonly string[]])[]) =>
  entry(`uid=${name},${people}`, ['entryuuid', [nativeId]], ...more)
export const groupEntry = entry(group.name, ['entryuuid', [group.nativeId]])

type Found = Result<readonly Entry[]>
/** One answer for all, or one after the other: the last stays. */
export type Shown = Readonly<Record<string, Found | readonly Found[]>>

export const shows = (...entries: readonly Entry[]): Found => ok(entries)
export const contexts = (...names: string[]): Found => shows(entry('', ['namingcontexts', names]))
export const refused = (code: number) => failed(resultFailure(code, ''))

export const directory = (shown: Shown, changes: readonly Result<null>[] = []) => {
  const asked: string[] = []
  const changed: string[] = []
  const left = new Map(Object.entries(shown).map(([base, found]) => [base, 'ok' in found ? [found] : [...found]]))
  const answers = [...changes]
  const answer = (base: string): Found => {
    asked.push(base)
    const found = left.get(base) ?? []
    return (found.length > 1 ? found.shift() : found[0]) ?? ok([])
  }
  const change = (what: string) => {
    changed.push(what)
    return answers.shift() ?? ok(null)
  }
  const client = {
    writers: 1,
    warm: () => {},
    search: async ({ base }: Search) => answer(base),
    searchPages: async ({ base }: Search, _: number, onPage: (entries: readonly Entry[]) => unknown) => {
      const found = answer(base)
      if (found.ok) onPage(found.value)
      return found.ok ? ok(null) : found
    },
    modify: async (dn: string, _: unknown, [first]: readonly AttributeChange[]) => change(`${first?.operation} ${dn}`),
    remove: async (dn: string) => change(`remove ${dn}`),
  } as unknown as LdapClient
  return { client, asked, changed }
}
