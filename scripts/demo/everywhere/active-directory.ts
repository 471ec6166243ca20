/** The bank's Active Directory: groups made by a domain administrator, looked at by ldapsearch. */
import { Client } from 'ldapts'
import type { Stack } from '../../stack/stack.ts'
import { openSearch } from './ldap-search.ts'
import type { Witness } from './witness.ts'

/** MS-ADTS 2.2.16: ACCOUNTDISABLE. */
const disabled = 2

export const openActiveDirectory = async (
  { ad, dir }: Pick<Stack, 'ad' | 'dir'>,
  groups: readonly string[],
): Promise<Witness> => {
  const search = await openSearch({ ...ad, name: ad.rootName, password: ad.rootPassword, dir })
  const client = new Client({ url: ad.plainUrl, timeout: 20_000 })
  await client.bind(ad.rootName, ad.rootPassword)
  try {
    for (const cn of groups) await client.add(`CN=${cn},OU=Groups,${ad.baseDn}`, { objectClass: 'group' })
  } finally {
    await client.unbind()
  }
  const entryOf = async (person: string) =>
    (await search(ad.baseDn, `(employeeID=${person})`, 'memberOf', 'userAccountControl'))[0]
  return {
    target: 'bank-ad',
    label: 'Active Directory',
    by: 'ldapsearch',
    holds: async (person) =>
      ((await entryOf(person))?.values('memberOf') ?? []).map((dn) => dn.replace(/^CN=([^,]+),.*$/i, '$1')).sort(),
    account: async (person) => {
      const entry = await entryOf(person)
      if (entry === undefined) return 'none'
      return (Number(entry.values('userAccountControl')[0]) & disabled) === 0 ? 'open' : 'shut'
    },
  }
}
