import { Attribute, Change, type Client } from 'ldapts'
import { ldapSettingsSchema } from '../../src/connectors/ldap/config.ts'
import { addresses, asDirectoryRoot, type FreshTree, freshTree } from '../support/stack.ts'
import type { DirectoryEntry } from './scenario-file.ts'

/** One target of a scenario: a subtree of the shared slapd, looked at and changed as its root, past the connector. */
export type ScenarioTree = Awaited<ReturnType<typeof plantTree>>

const lockedFor = ['000001010000Z']

export const plantTree = async () => {
  const tree: FreshTree = await freshTree()
  const { ldap } = addresses()
  const groups = new Set<string>()
  const asRoot = <T>(work: (client: Client) => Promise<T>): Promise<T> => asDirectoryRoot(ldap, work)
  const groupDn = (name: string): string => `cn=${name},${tree.groups}`

  const addGroups = async (client: Client, names: readonly string[]): Promise<void> => {
    for (const name of names.filter((one) => !groups.has(one))) {
      groups.add(name)
      await client.add(groupDn(name), { objectClass: 'groupOfNames', member: 'cn=nobody' })
    }
  }
  const accountsOf = async (client: Client, person: string) =>
    (
      await client.search(tree.people, {
        scope: 'sub',
        filter: `(employeeNumber=${person})`,
        attributes: ['pwdAccountLockedTime'],
      })
    ).searchEntries.map(({ dn, pwdAccountLockedTime }) => ({ dn, enabled: (pwdAccountLockedTime ?? '').length === 0 }))
  const groupsOf = async (client: Client, dn: string): Promise<readonly string[]> =>
    (
      await client.search(tree.groups, { scope: 'one', filter: `(member=${dn})`, attributes: ['cn'] })
    ).searchEntries.map(({ cn }) => String(cn))
  const change = (
    client: Client,
    dn: string,
    operation: 'add' | 'delete' | 'replace',
    type: string,
    values: string[],
  ) => client.modify(dn, new Change({ operation, modification: new Attribute({ type, values }) }))

  const add = async (client: Client, { person, username, enabled, groups: names }: DirectoryEntry): Promise<void> => {
    const uid = username ?? (person ?? '').toLowerCase()
    const dn = `uid=${uid},${tree.people}`
    await client.add(dn, {
      objectClass: 'inetOrgPerson',
      uid,
      cn: 'Somebody',
      sn: 'Somebody',
      ...(person === null ? {} : { employeeNumber: person }),
      ...(enabled ? {} : { pwdAccountLockedTime: lockedFor }),
    })
    await addGroups(client, names)
    for (const name of names) await change(client, groupDn(name), 'add', 'member', [dn])
  }

  return {
    groupsBase: tree.groups,
    settings: ldapSettingsSchema.parse({
      url: ldap.url,
      caFile: ldap.caFile,
      bindDn: ldap.serviceDn,
      bindPassword: ldap.servicePassword,
      peopleBase: tree.people,
      groupsBase: tree.groups,
      account: {
        rdn: 'uid={username}',
        attributes: { cn: '{displayName}', sn: '{displayName}', mail: '{workEmail}', title: '{jobTitle}' },
      },
    }),
    addGroups: (names: readonly string[]) => asRoot((client) => addGroups(client, names)),
    stand: (entries: readonly DirectoryEntry[]) =>
      asRoot(async (client) => {
        for (const entry of entries) await add(client, entry)
      }),
    /** Somebody else sets the person's account to this, or makes it. */
    set: (entry: DirectoryEntry) =>
      asRoot(async (client) => {
        const [account] = entry.person === null ? [] : await accountsOf(client, entry.person)
        if (account === undefined) return add(client, entry)
        const { dn, enabled } = account
        if (enabled !== entry.enabled)
          await change(client, dn, 'replace', 'pwdAccountLockedTime', entry.enabled ? [] : lockedFor)
        const there = await groupsOf(client, dn)
        await addGroups(client, entry.groups)
        for (const name of entry.groups.filter((one) => !there.includes(one)))
          await change(client, groupDn(name), 'add', 'member', [dn])
        for (const name of there.filter((one) => !entry.groups.includes(one)))
          await change(client, groupDn(name), 'delete', 'member', [dn])
      }),
    /** What `ldapsearch` shows of this person. */
    look: (person: string) =>
      asRoot(async (client) => {
        const accounts = await accountsOf(client, person)
        const groupsThere = await Promise.all(accounts.map(({ dn }) => groupsOf(client, dn)))
        const state = accounts[0] === undefined ? 'none' : accounts[0].enabled ? 'enabled' : 'disabled'
        return { state: state as 'none' | 'enabled' | 'disabled', groups: groupsThere.flat() }
      }),
  }
}
