/** A unit of the bank's directory for this chapter: made by its administrator, looked at by ldapsearch. */
import { Client } from 'ldapts'
import type { Stack } from '../../stack/stack.ts'
import { own } from './config.ts'
import { openSearch } from './ldap-search.ts'
import type { Witness } from './witness.ts'

const lockedForGood = '000001010000Z'

export const openOpenLdap = async (
  { ldap, dir }: Pick<Stack, 'ldap' | 'dir'>,
  groups: readonly string[],
): Promise<Witness> => {
  const base = `ou=${own.unit},${ldap.baseDn}`
  const search = await openSearch({ ...ldap, name: ldap.rootDn, password: ldap.rootPassword, dir })
  const there = await search(ldap.baseDn, `(ou=${own.unit})`, '1.1')
  const old = there.length === 0 ? [] : (await search(base, '(objectClass=*)', '1.1')).map(({ dn }) => dn)
  const client = new Client({ url: ldap.plainUrl, timeout: 20_000 })
  await client.bind(ldap.rootDn, ldap.rootPassword)
  try {
    // The longest first: children before their parents.
    for (const dn of old.sort((a, b) => b.split(',').length - a.split(',').length)) await client.del(dn)
    await client.add(base, { objectClass: 'organizationalUnit', ou: own.unit })
    for (const ou of ['people', 'groups'])
      await client.add(`ou=${ou},${base}`, { objectClass: 'organizationalUnit', ou })
    for (const cn of groups)
      await client.add(`cn=${cn},ou=groups,${base}`, { objectClass: 'groupOfNames', cn, member: 'cn=nobody' })
  } finally {
    await client.unbind()
  }
  const entryOf = async (person: string) =>
    (await search(`ou=people,${base}`, `(employeeNumber=${person})`, 'pwdAccountLockedTime'))[0]
  return {
    target: 'bank-ldap',
    label: 'OpenLDAP',
    by: 'ldapsearch',
    holds: async (person) => {
      const entry = await entryOf(person)
      if (entry === undefined) return []
      const found = await search(`ou=groups,${base}`, `(member=${entry.dn})`, 'cn')
      return found.flatMap((group) => group.values('cn')).sort()
    },
    account: async (person) => {
      const entry = await entryOf(person)
      if (entry === undefined) return 'none'
      return entry.values('pwdAccountLockedTime')[0] === lockedForGood ? 'shut' : 'open'
    },
  }
}
