/** A slapd of its own behind a proxy with faults, and a witness bound as the directory's root on a connection of its own. */
import { Client, type Entry, EqualityFilter } from 'ldapts'
import type { Ldap } from '../../scripts/stack/part.ts'
import type { SlapdVariant } from '../../scripts/stack/slapd-files.ts'
import type { Stack } from '../../scripts/stack/stack.ts'
import type { Connector } from '../../src/connectors/connector.ts'
import { type LdapSettings, ldapSettingsSchema } from '../../src/connectors/ldap/config.ts'
import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import { escapeRdnValue } from '../../src/domain/dn.ts'
import type { NativeId, TargetId } from '../../src/domain/ids.ts'
import { privateStack } from '../support/stack.ts'
import { type Connection, type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts'
import type { Group, Person, World } from './world.ts'

export type LdapWorld = World & {
  readonly ldap: Ldap
  readonly stack: Stack
  readonly proxy: TcpProxy
  readonly people: string
  readonly groups: string
  /** Settings of a connector that goes through the proxy, unencrypted so that the proxy can tell writes from reads. */
  readonly settings: LdapSettings
  readonly configure: (changes: Readonly<Record<string, unknown>>) => LdapSettings
  readonly asRoot: Client
  readonly entryOf: (id: NativeId) => Promise<Entry | undefined>
  readonly rawMembers: (group: Group) => Promise<readonly string[]>
  /** Runs `work` and lists the requests that it sent through the proxy, by name. */
  readonly requestsOf: (work: () => Promise<unknown>) => Promise<readonly string[]>
}

export const target = 'corp-ldap' as TargetId
const placeholder = 'cn=nobody'
const password = 'a password that works'
/** Requests that change something: modify, add, delete. */
const writes = new Set([0x66, 0x68, 0x4a])
const requestNames = new Map([
  [0x60, 'bind'],
  [0x63, 'search'],
  [0x66, 'modify'],
  [0x68, 'add'],
  [0x4a, 'delete'],
  [0x77, 'extended'],
])

export const makeLdap = (world: LdapWorld): Connector => createLdapConnector(target, world.settings)

export const openLdapWorld = async (slapd?: SlapdVariant): Promise<LdapWorld> => {
  const stack = await privateStack(['slapd'], slapd)
  const { ldap } = stack
  const people = `ou=people,${ldap.baseDn}`
  const groups = `ou=groups,${ldap.baseDn}`
  const upstream = new URL(ldap.plainUrl)
  const proxy = await tcpProxy({ host: upstream.hostname, port: Number(upstream.port) })
  const configure = (changes: Readonly<Record<string, unknown>>): LdapSettings =>
    ldapSettingsSchema.parse({
      url: `ldap://127.0.0.1:${proxy.port}`,
      security: 'plain',
      bindDn: ldap.serviceDn,
      bindPassword: ldap.servicePassword,
      peopleBase: people,
      groupsBase: groups,
      account: {
        rdn: 'cn={displayName|username}',
        attributes: {
          uid: '{username}',
          sn: '{familyName}',
          givenName: '{givenName}',
          mail: '{workEmail}',
          departmentNumber: '{department}',
        },
      },
      passwordPolicyDn: `cn=default,ou=policies,${ldap.baseDn}`,
      timeouts: { connectMs: 30_000, operationMs: 30_000 },
      ...changes,
    })

  let root = new Client({ url: ldap.plainUrl, timeout: 30_000, autoRebind: true })
  await root.bind(ldap.rootDn, ldap.rootPassword)

  const person = (key: string, name?: string): Person => ({
    key,
    worker: {
      personKey: key,
      username: key.toLowerCase(),
      displayName: name === undefined ? key : `${name}${key}`,
      familyName: name ?? key,
      givenName: 'Given',
      workEmail: `${key.toLowerCase()}@bank.example`,
      department: null,
    },
  })
  const addEntry = async ({ key, worker }: Person, rdn: string): Promise<NativeId> => {
    const dn = `cn=${escapeRdnValue(rdn)},${people}`
    await root.add(dn, {
      objectClass: 'inetOrgPerson',
      cn: rdn,
      uid: String(worker.username),
      sn: String(worker.familyName),
      givenName: String(worker.givenName),
      mail: String(worker.workEmail),
      employeeNumber: key,
      userPassword: password,
    })
    return idAt(dn)
  }
  const idAt = async (dn: string): Promise<NativeId> => {
    const { searchEntries } = await root.search(dn, { scope: 'base', attributes: ['entryUUID'] })
    return String(searchEntries[0]?.entryUUID) as NativeId
  }
  const entryOf = async (id: NativeId): Promise<Entry | undefined> => {
    const { searchEntries } = await root.search(ldap.baseDn, {
      filter: new EqualityFilter({ attribute: 'entryUUID', value: id }),
      attributes: ['*', '+'],
    })
    return searchEntries[0]
  }
  const rawMembers = async (group: Group): Promise<readonly string[]> => {
    const { searchEntries } = await root.search(group.lookup, { scope: 'base', attributes: ['member'] })
    return [searchEntries[0]?.member ?? []].flat().map(String)
  }
  const idsByDn = async (): Promise<ReadonlyMap<string, NativeId>> => {
    const { searchEntries } = await root.search(people, { scope: 'one', attributes: ['entryUUID'] })
    return new Map(searchEntries.map(({ dn, entryUUID }) => [dn, String(entryUUID) as NativeId]))
  }

  return {
    ldap,
    stack,
    proxy,
    people,
    groups,
    configure,
    settings: configure({}),
    get asRoot() {
      return root
    },
    person,
    entryOf,
    rawMembers,
    requestsOf: async (work) => {
      const seen: string[] = []
      // A request is one piece of traffic: it is written at once, and the next waits for its answer or has its own write.
      proxy.watch((bytes, direction) => {
        if (direction === 'to-server')
          for (const operation of operationsOf(bytes)) seen.push(requestNames.get(operation) ?? 'other')
        return 'pass'
      })
      await work()
      proxy.watch(null)
      return seen
    },
    addAccounts: async (crowd) => {
      const ids: NativeId[] = []
      for (const somebody of crowd) ids.push(await addEntry(somebody, String(somebody.worker.displayName)))
      return ids
    },
    addTwin: async (somebody) => {
      await addEntry(somebody, `${somebody.worker.displayName} twin`)
    },
    addGroup: async (name, members = [], strangers = 0) => {
      const lookup = `cn=${escapeRdnValue(name)},${groups}`
      const dns = new Map([...(members.length > 0 ? await idsByDn() : [])].map(([dn, id]) => [id, dn]))
      const others = Array.from(
        { length: strangers },
        (_, at) => `uid=stranger.number.${at},ou=elsewhere,${ldap.baseDn}`,
      )
      const member = [placeholder, ...members.map((id) => dns.get(id) ?? ''), ...others]
      await root.add(lookup, { objectClass: 'groupOfNames', cn: name, member })
      return { lookup, nativeId: await idAt(lookup) }
    },
    membersOf: async (group) => {
      const ids = await idsByDn()
      return (await rawMembers(group)).flatMap((dn) => ids.get(dn) ?? [])
    },
    accountsOf: async ({ key }) => {
      const { searchEntries } = await root.search(people, {
        filter: new EqualityFilter({ attribute: 'employeeNumber', value: key }),
        attributes: ['entryUUID'],
      })
      return searchEntries.map(({ entryUUID }) => String(entryUUID) as NativeId)
    },
    canSignIn: async (id) => {
      const client = new Client({ url: ldap.plainUrl })
      try {
        await client.bind((await entryOf(id))?.dn ?? '', password)
        return true
      } catch {
        return false
      } finally {
        await client.unbind()
      }
    },
    rename: async (id) => {
      const entry = await entryOf(id)
      await root.modifyDN(entry?.dn ?? '', `cn=renamed ${String(entry?.uid)}`)
    },
    removeGroup: (group) => root.del(group.lookup),
    impatient: () => createLdapConnector(target, configure({ timeouts: { connectMs: 30_000, operationMs: 1_000 } })),
    faults: {
      atNextWrite: atNextWrite(proxy, writes),
      none: () => proxy.watch(null),
      dropAll: () => proxy.resetAll(),
      down: async () => {
        await root.unbind()
        await stack.part('slapd').kill('SIGKILL')
      },
      up: async () => {
        await stack.part('slapd').restart()
        root = new Client({ url: ldap.plainUrl, timeout: 30_000, autoRebind: true })
        await root.bind(ldap.rootDn, ldap.rootPassword)
      },
    },
    close: async () => {
      await root.unbind()
      await proxy.close()
      await stack.stop({ discard: true })
    },
  }
}

/** Meets the next of these requests, or the answer to it: what its own connection carries back. */
export const atNextWrite =
  (proxy: TcpProxy, kinds: ReadonlySet<number>): World['faults']['atNextWrite'] =>
  (phase, act) => {
    let wrote: Connection | null = null
    proxy.watch(async (bytes, direction, connection) => {
      const isWrite = direction === 'to-server' && kinds.has(operationOf(bytes))
      const isMoment = phase === 'before-commit' ? isWrite : connection === wrote && direction === 'to-client'
      if (isWrite) wrote ??= connection
      if (!isMoment) return 'pass'
      proxy.watch(null)
      if (act === 'drop') return 'reset'
      if (act === 'no-answer') return 'swallow'
      await act()
      return 'pass'
    })
  }

/** BER tag of the operation of the LDAP message that a piece of traffic begins with. */
export const operationOf = (bytes: Buffer): number => {
  const first = bytes[1] ?? 0
  const start = first < 0x80 ? 2 : 2 + (first & 0x7f)
  return bytes[start + 2 + (bytes[start + 1] ?? 0)] ?? 0
}

/** The same of every message in it. */
const operationsOf = (bytes: Buffer): readonly number[] => {
  const operations: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at + 1] ?? 0
    const count = first < 0x80 ? 0 : first & 0x7f
    const length = count === 0 ? first : bytes.readUIntBE(at + 2, count)
    operations.push(operationOf(bytes.subarray(at)))
    at += 2 + count + length
  }
  return operations
}
