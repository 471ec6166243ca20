/** Looks at the directory, and changes it behind Muster's back, as its root. Not the connector: a witness. */
import type { Client } from 'ldapts'
import type { Ldap } from '../../scripts/stack/part.ts'
import { asDirectoryRoot, type FreshTree } from './stack.ts'

export type DirectoryWitness = ReturnType<typeof directoryWitness>

export const directoryWitness = (ldap: Ldap, tree: FreshTree) => {
  const dnOf = async (client: Client, person: string): Promise<string | null> => {
    const { searchEntries } = await client.search(tree.people, {
      scope: 'sub',
      filter: `(employeeNumber=${filterText(person)})`,
      attributes: ['1.1'],
    })
    return searchEntries[0]?.dn ?? null
  }
  const groupDn = (key: string) => `cn=${key},${tree.groups}`

  /** Keys of the groups that hold this person's account. */
  const groupsOf = (person: string): Promise<readonly string[]> =>
    asDirectoryRoot(ldap, async (client) => {
      const dn = await dnOf(client, person)
      if (dn === null) return []
      const { searchEntries } = await client.search(tree.groups, {
        scope: 'one',
        filter: `(member=${filterText(dn)})`,
        attributes: ['cn'],
      })
      return searchEntries.map((entry) => String(entry.cn)).sort()
    })

  const account = (person: string): Promise<{ dn: string; locked: boolean } | null> =>
    asDirectoryRoot(ldap, async (client) => {
      const dn = await dnOf(client, person)
      if (dn === null) return null
      const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['pwdAccountLockedTime'] })
      return { dn, locked: String(searchEntries[0]?.pwdAccountLockedTime ?? '') !== '' }
    })

  /** Everybody's groups at one moment, by person key: one search each for people and groups. */
  const everything = (): Promise<
    ReadonlyMap<string, { readonly locked: boolean; readonly groups: readonly string[] }>
  > =>
    asDirectoryRoot(ldap, async (client) => {
      const people = await client.search(tree.people, {
        scope: 'sub',
        filter: '(employeeNumber=*)',
        attributes: ['employeeNumber', 'pwdAccountLockedTime'],
      })
      const groups = await client.search(tree.groups, { scope: 'one', attributes: ['cn', 'member'] })
      const held = new Map<string, string[]>()
      for (const { cn, member } of groups.searchEntries)
        for (const dn of [member ?? []].flat())
          held.set(String(dn).toLowerCase(), [...(held.get(String(dn).toLowerCase()) ?? []), String(cn)])
      return new Map(
        people.searchEntries.map((entry) => [
          String(entry.employeeNumber),
          {
            locked: String(entry.pwdAccountLockedTime ?? '') !== '',
            groups: (held.get(entry.dn.toLowerCase()) ?? []).sort(),
          },
        ]),
      )
    })

  const addGroups = (dns: readonly string[]) =>
    asDirectoryRoot(ldap, async (client) => {
      for (const dn of dns) await client.add(dn, { objectClass: 'groupOfNames', member: 'cn=nobody' })
    })

  /** The directory's own number of the last write to a person's account. */
  const lastWriteTo = (person: string): Promise<string | null> =>
    asDirectoryRoot(ldap, async (client) => {
      const dn = await dnOf(client, person)
      if (dn === null) return null
      const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['entryCSN'] })
      return String(searchEntries[0]?.entryCSN)
    })

  /** entryUUID of a person's account. */
  const idOf = (person: string): Promise<string | null> =>
    asDirectoryRoot(ldap, async (client) => {
      const dn = await dnOf(client, person)
      if (dn === null) return null
      const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['entryUUID'] })
      return String(searchEntries[0]?.entryUUID)
    })

  /** An account that Muster never made. `person`: what correlation reads. */
  const addAccount = (person: string, options: { uid?: string; locked?: boolean } = {}) =>
    asDirectoryRoot(ldap, async (client) => {
      const uid = options.uid ?? person.toLowerCase()
      await client.add(`uid=${uid},${tree.people}`, {
        objectClass: 'inetOrgPerson',
        uid,
        cn: `Name ${person}`,
        sn: `Family ${person}`,
        givenName: 'Given',
        ...(person === '' ? {} : { employeeNumber: person }),
        ...(options.locked ? { pwdAccountLockedTime: '000001010000Z' } : {}),
      })
    })

  const change = (
    change: 'add' | 'delete',
    keys: readonly string[],
    named: (client: Client) => Promise<string | null>,
  ) =>
    asDirectoryRoot(ldap, async (client) => {
      const dn = await named(client)
      if (dn === null) throw new Error('no such account in the directory')
      const { Attribute, Change } = await import('ldapts')
      for (const key of keys)
        await client.modify(
          groupDn(key),
          new Change({ operation: change, modification: new Attribute({ type: 'member', values: [dn] }) }),
        )
    })

  return {
    groupsOf,
    account,
    everything,
    addGroups,
    addAccount,
    idOf,
    lastWriteTo,
    groupDn,
    addMember: (person: string, ...keys: string[]) => change('add', keys, (client) => dnOf(client, person)),
    removeMember: (person: string, ...keys: string[]) => change('delete', keys, (client) => dnOf(client, person)),
    /** The same by name, also of what is not below `people`. */
    addMemberAt: (dn: string, ...keys: string[]) => change('add', keys, async () => dn),
  }
}

const filterText = (value: string): string =>
  value.replace(/[\\*()\0]/g, (c) => `\\${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
