/** The directory of examples/bank as it was before Muster came. */
import { readFileSync } from 'node:fs'
import { Client } from 'ldapts'
import { ldifEntries } from './ldif.ts'
import type { Ldap } from './part.ts'

const file = new URL('../../examples/bank/directory.ldif', import.meta.url)

export const bankDirectory = () => ldifEntries(readFileSync(file, 'utf8'))

/** Adds the bank's groups and people to a directory that has no groups yet; any other stays as it is. */
export async function fillBankDirectory(ldap: Ldap): Promise<void> {
  const client = new Client({ url: ldap.plainUrl, timeout: 20_000 })
  try {
    await client.bind(ldap.rootDn, ldap.rootPassword)
    const filter = '(objectClass=groupOfNames)'
    const { searchEntries } = await client.search(`ou=groups,${ldap.baseDn}`, { filter, attributes: ['1.1'] })
    if (searchEntries.length > 0) return
    for (const { dn, attributes } of bankDirectory()) await client.add(dn, attributes)
  } finally {
    await client.unbind()
  }
}
