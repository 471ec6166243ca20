/** The bank's directory: made ready by its administrator, and looked at by ldapsearch, which is not our code. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { Client } from 'ldapts'
import { bankDirectory } from '../stack/bank-directory.ts'
import { searchOptions, writeLdapScripts } from '../stack/ldap-scripts.ts'
import { type LdifEntry, ldifEntries } from '../stack/ldif.ts'
import type { Ldap } from '../stack/part.ts'
import { ldapsearch } from '../stack/slapd.ts'

const run = promisify(execFile)
const lockedForGood = '000001010000Z'

export type Directory = Awaited<ReturnType<typeof openDirectory>>

export const openDirectory = async (ldap: Ldap, dir: string) => {
  const tool = await ldapsearch()
  const scripts = await writeLdapScripts(dir, ldap)
  const people = `ou=people,${ldap.baseDn}`
  const groups = `ou=groups,${ldap.baseDn}`
  const env = { ...process.env, ...tool.env, LDAPTLS_CACERT: ldap.caFile }
  /** What a person would type to see the same. */
  const words = (base: string, filter: string, attributes: readonly string[]) => [
    '-x',
    ...searchOptions,
    '-H',
    ldap.url,
    '-D',
    ldap.rootDn,
    '-y',
    scripts.passwordFile,
    '-b',
    base,
    filter,
    ...attributes,
  ]

  const search = async (base: string, filter: string, ...attributes: string[]): Promise<readonly LdifEntry[]> => {
    const { stdout } = await run(tool.command, words(base, filter, attributes), { env, maxBuffer: 256 * 1024 * 1024 })
    return ldifEntries(stdout)
  }

  const accountOf = async (person: string) => {
    const [entry] = await search(people, `(employeeNumber=${person})`, 'uid', 'cn', 'title', 'pwdAccountLockedTime')
    return entry === undefined
      ? null
      : {
          dn: entry.dn,
          title: entry.values('title')[0] ?? '',
          locked: entry.values('pwdAccountLockedTime')[0] === lockedForGood,
        }
  }

  return {
    scripts,
    accountOf,
    /** Keys (cn) of the groups that list this person's account. */
    groupsOf: async (person: string): Promise<readonly string[]> => {
      const account = await accountOf(person)
      if (account === null) return []
      const found = await search(groups, `(member=${account.dn})`, 'cn')
      return found.flatMap((entry) => entry.values('cn')).sort()
    },
    /** Everybody's groups, by person key: the whole directory in two searches. */
    everybody: async (): Promise<ReadonlyMap<string, readonly string[]>> => {
      const [accounts, all] = await Promise.all([
        search(people, '(employeeNumber=*)', 'employeeNumber'),
        search(groups, '(objectClass=groupOfNames)', 'cn', 'member'),
      ])
      const personOf = new Map(
        accounts.map((entry) => [entry.dn.toLowerCase(), entry.values('employeeNumber')[0] ?? '']),
      )
      const held = new Map([...personOf.values()].map((person) => [person, [] as string[]]))
      for (const group of all)
        for (const member of group.values('member'))
          held.get(personOf.get(member.toLowerCase()) ?? '')?.push(group.values('cn')[0] ?? '')
      for (const keys of held.values()) keys.sort()
      return held
    },
    lockedPeople: async (): Promise<ReadonlySet<string>> =>
      new Set(
        (await search(people, `(pwdAccountLockedTime=${lockedForGood})`, 'employeeNumber')).flatMap((entry) =>
          entry.values('employeeNumber'),
        ),
      ),
    /** The command and what it printed, for the eyes of whoever watches. */
    shown: async (filter: string, ...attributes: string[]): Promise<readonly string[]> => {
      const { stdout } = await run(tool.command, words(groups, filter, attributes), { env })
      return [
        `$ ldapsearch -LLL -b ${groups} '${filter}' ${attributes.join(' ')}`,
        ...stdout
          .trimEnd()
          .split('\n')
          .filter((line) => line !== ''),
      ]
    },

    isEmpty: async () =>
      (await search(people, '(employeeNumber=*)', '1.1')).length === 0 &&
      (await search(groups, '(cn=*)', '1.1')).length === 0,
    /** Empties people and groups, and makes the directory what it was before Muster came. */
    reset: async () => {
      const old = [
        ...(await search(people, '(objectClass=inetOrgPerson)', '1.1')),
        ...(await search(groups, '(objectClass=groupOfNames)', '1.1')),
      ].map(({ dn }) => dn)
      await asAdministrator(ldap, 4, async (clients) => {
        await Promise.all(
          clients.map(async (client) => {
            for (let dn = old.pop(); dn !== undefined; dn = old.pop()) await client.del(dn)
          }),
        )
        for (const entry of bankDirectory()) await clients[0]?.add(entry.dn, entry.attributes)
      })
    },
    /** As an administrator would: Muster never knows it. */
    setPassword: (dn: string, password: string) =>
      asAdministrator(ldap, 1, async ([client]) => {
        const { Attribute, Change } = await import('ldapts')
        await client?.modify(
          dn,
          new Change({
            operation: 'replace',
            modification: new Attribute({ type: 'userPassword', values: [password] }),
          }),
        )
      }),
    /** By hand: Muster does not know. */
    addMember: async (person: string, group: string) => {
      const account = await accountOf(person)
      if (account === null) throw new Error(`${person} has no account`)
      await asAdministrator(ldap, 1, async ([client]) => {
        const { Attribute, Change } = await import('ldapts')
        await client?.modify(
          `cn=${group},${groups}`,
          new Change({ operation: 'add', modification: new Attribute({ type: 'member', values: [account.dn] }) }),
        )
      })
    },
    /** 'let in', or the result code of the refusal. */
    signIn: async (dn: string, password: string): Promise<'let in' | number> => {
      const client = new Client({ url: ldap.url, tlsOptions: { ca: [readFileSync(ldap.caFile)] }, timeout: 10_000 })
      try {
        await client.bind(dn, password)
        return 'let in'
      } catch (error) {
        const code = (error as { code?: unknown }).code
        if (typeof code !== 'number') throw error
        return code
      } finally {
        await client.unbind()
      }
    },
  }
}

const asAdministrator = async (
  ldap: Ldap,
  connections: number,
  work: (clients: readonly Client[]) => Promise<void>,
): Promise<void> => {
  const clients = Array.from({ length: connections }, () => new Client({ url: ldap.plainUrl, timeout: 20_000 }))
  try {
    await Promise.all(clients.map((client) => client.bind(ldap.rootDn, ldap.rootPassword)))
    await work(clients)
  } finally {
    await Promise.all(clients.map((client) => client.unbind()))
  }
}
