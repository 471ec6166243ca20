/** A Samba domain controller of its own behind a proxy with faults, and a witness: a domain administrator's own connection. */

import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Attribute, Change, Client, type Entry, EqualityFilter } from 'ldapts'
import { cached } from '../../scripts/stack/download.ts'
import type { Ad } from '../../scripts/stack/part.ts'
import { domainVersion } from '../../scripts/stack/samba.ts'
import { type Stack, startStack } from '../../scripts/stack/stack.ts'
import { type AdSettings, adSettingsSchema } from '../../src/connectors/ad/config.ts'
import { createAdConnector } from '../../src/connectors/ad/connector.ts'
import { guidBytes, guidText } from '../../src/connectors/ad/guid.ts'
import { atOnce, type Connector } from '../../src/connectors/connector.ts'
import { dnKey, escapeRdnValue } from '../../src/domain/dn.ts'
import type { NativeId, TargetId } from '../../src/domain/ids.ts'
import { freshName, privateStack } from '../support/stack.ts'
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts'
import { testDirectory } from '../support/test-directory.ts'
import { atNextWrite } from './ldap-world.ts'
import type { Group, Person, World } from './world.ts'

export type AdWorld = World & {
  readonly ad: Ad
  readonly stack: Stack
  readonly proxy: TcpProxy
  readonly people: string
  readonly groups: string
  readonly leavers: string
  /** Settings of a connector that goes through the proxy, unencrypted so that the proxy can tell writes from reads. */
  readonly settings: AdSettings
  readonly configure: (changes: Readonly<Record<string, unknown>>) => AdSettings
  readonly asRoot: Client
  readonly entryOf: (id: NativeId) => Promise<Entry | undefined>
  readonly idAt: (dn: string) => Promise<NativeId>
  /** DNs as AD writes them. */
  readonly rawMembers: (group: Group) => Promise<readonly string[]>
}

export const target = 'corp-ad' as TargetId
const password = 'A password that works 1'
/** So many accounts at once are given no password: each one costs more than all else about it. */
const crowdFrom = 8
/** Requests that change something: modify, add, delete, modifyDN. */
const writes = new Set([0x66, 0x68, 0x4a, 0x6c])

export const adTools = { giveWay: atOnce, now: () => Date.now() }
export const makeAd = (world: AdWorld): Connector => createAdConnector(target, world.settings, adTools)

export const change = (operation: 'add' | 'delete' | 'replace', type: string, values: string[] | Buffer[]) =>
  new Change({ operation, modification: new Attribute({ type, values }) })

/** Some requests under way at a time: the server is never without work, and each is answered in time. */
const inTurns = async <T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<readonly U[]> => {
  const results: U[] = []
  for (let at = 0; at < items.length; at += 40)
    results.push(...(await Promise.all(items.slice(at, at + 40).map((item) => work(item)))))
  return results
}

/** Contacts, which are members and no accounts. More, and Samba writes their group for as long as all other tests together. */
const strangersThere = 2_000
/** More than one range of values (1,500), and than one page. */
export const largestAdGroup = strangersThere + 500

/** A domain with the strangers in it, made once for all runs: they would take longer than all tests together. */
const domainWithStrangers = () =>
  cached(`samba-domain-${strangersThere}-strangers-${domainVersion}`, async (into) => {
    const stack = await privateStack(['samba'])
    const { ad } = stack
    const root = new Client({ url: ad.plainUrl, timeout: 60_000 })
    await root.bind(ad.rootName, ad.rootPassword)
    const base = `OU=Strangers,${ad.baseDn}`
    await root.add(base, { objectClass: 'organizationalUnit' })
    await inTurns(
      Array.from({ length: strangersThere }, (_, at) => `CN=s${at},${base}`),
      (dn) => root.add(dn, { objectClass: 'contact' }),
    )
    await root.unbind()
    await stack.part('samba').stop()
    cpSync(join(stack.dir, 'samba', 'domain'), into, { recursive: true })
    // What belonged to that process, with rights that a copy does not keep.
    for (const name of ['run', 'msg.sock', 'msg.lock', 'ncalrpc', 'cache', 'names.tdb'])
      rmSync(join(into, name), { recursive: true, force: true })
    await stack.stop({ discard: true })
  })

const ownStack = async (): Promise<Stack> => {
  const template = await domainWithStrangers()
  const dir = testDirectory(freshName())
  cpSync(template, join(dir, 'samba', 'domain'), { recursive: true })
  return startStack({ dir, parts: ['samba'] })
}

export const openAdWorld = async (): Promise<AdWorld> => {
  const stack = await ownStack()
  const { ad } = stack
  const [people, groups, leavers] = ['People', 'Groups', 'Leavers'].map((name) => `OU=${name},${ad.baseDn}`) as [
    string,
    string,
    string,
  ]
  const upstream = { host: new URL(ad.plainUrl).hostname, port: 389 }
  const proxy = await tcpProxy(upstream)
  const configure = (changes: Readonly<Record<string, unknown>>): AdSettings =>
    adSettingsSchema.parse({
      urls: [`ldap://127.0.0.1:${proxy.port}`],
      security: 'plain',
      bindName: ad.serviceName,
      bindPassword: ad.servicePassword,
      peopleBase: people,
      groupsBase: groups,
      account: {
        rdn: 'CN={displayName|username}',
        sAMAccountName: '{username}',
        userPrincipalName: '{username}@corp.bank.example',
        attributes: {
          sn: '{familyName}',
          givenName: '{givenName}',
          mail: '{workEmail}',
          department: '{department}',
        },
      },
      timeouts: { connectMs: 30_000, operationMs: 30_000 },
      ...changes,
    })

  const connectRoot = async () => {
    const client = new Client({ url: ad.plainUrl, timeout: 60_000 })
    await client.bind(ad.rootName, ad.rootPassword)
    return client
  }
  let root = await connectRoot()
  const find = async (base: string, scope: 'base' | 'sub', filter: EqualityFilter | string, attributes: string[]) =>
    (await root.search(base, { scope, filter, attributes, explicitBufferAttributes: ['objectGUID'] })).searchEntries
  const idOf = (entry: Entry | undefined) => guidText(entry?.objectGUID as Buffer) as NativeId

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
  const addEntry = async ({ key, worker }: Person, rdn: string, sam: string, canSignIn: boolean): Promise<string> => {
    const dn = `CN=${escapeRdnValue(rdn)},${people}`
    const attributes = {
      objectClass: 'user',
      sAMAccountName: sam,
      userPrincipalName: `${sam}@corp.bank.example`,
      sn: String(worker.familyName),
      givenName: String(worker.givenName),
      mail: String(worker.workEmail),
      employeeID: key,
      userAccountControl: '512',
      ...(canSignIn ? { unicodePwd: Buffer.from(`"${password}"`, 'utf16le') } : {}),
    }
    await root.add(
      dn,
      Object.entries(attributes).map(
        ([type, value]) => new Attribute({ type, values: Buffer.isBuffer(value) ? [value] : [value] }),
      ),
    )
    return dn
  }
  const idAt = async (dn: string): Promise<NativeId> =>
    idOf((await find(dn, 'base', '(objectClass=*)', ['objectGUID']))[0])
  const entryOf = async (id: NativeId): Promise<Entry | undefined> =>
    (
      await find(ad.baseDn, 'sub', new EqualityFilter({ attribute: 'objectGUID', value: guidBytes(id) }), [
        '*',
        'memberOf',
      ])
    )[0]
  const rawMembers = async (group: Group): Promise<readonly string[]> => {
    const [entry] = await find(`<GUID=${group.nativeId}>`, 'base', '(objectClass=*)', ['member'])
    return [entry?.member ?? []].flat().map(String)
  }
  const idsByDn = async (keyOf: (dn: string) => string): Promise<ReadonlyMap<string, NativeId>> =>
    new Map(
      (await find(people, 'sub', '(objectClass=user)', ['objectGUID'])).map((entry) => [keyOf(entry.dn), idOf(entry)]),
    )

  return {
    ad,
    stack,
    proxy,
    people,
    groups,
    leavers,
    configure,
    settings: configure({}),
    get asRoot() {
      return root
    },
    person,
    entryOf,
    idAt,
    rawMembers,
    addAccounts: async (crowd) => {
      const dns = await inTurns(crowd, (somebody) =>
        addEntry(
          somebody,
          String(somebody.worker.displayName),
          String(somebody.worker.username),
          crowd.length < crowdFrom,
        ),
      )
      if (crowd.length < crowdFrom) return inTurns(dns, idAt)
      const ids = await idsByDn(dnKey)
      return dns.map((dn) => ids.get(dnKey(dn)) as NativeId)
    },
    addTwin: async (somebody) => {
      await addEntry(somebody, `${somebody.worker.displayName} twin`, `${somebody.worker.username}t`, false)
    },
    addGroup: async (name, members = [], strangers = 0) => {
      const lookup = `CN=${escapeRdnValue(name)},${groups}`
      const others = Array.from({ length: strangers }, (_, at) => `CN=s${at},OU=Strangers,${ad.baseDn}`)
      await root.add(lookup, { objectClass: 'group' })
      const values = [...members.map((id) => `<GUID=${id}>`), ...others]
      for (let at = 0; at < values.length; at += 1_000)
        await root.modify(lookup, change('add', 'member', values.slice(at, at + 1_000)))
      return { lookup, nativeId: await idAt(lookup) }
    },
    membersOf: async (group) => {
      // As the server writes them in both places: two names may fold alike.
      const ids = await idsByDn(String)
      return (await rawMembers(group)).flatMap((dn) => ids.get(dn) ?? [])
    },
    accountsOf: async ({ key }) =>
      (await find(ad.baseDn, 'sub', new EqualityFilter({ attribute: 'employeeID', value: key }), ['objectGUID'])).map(
        idOf,
      ),
    canSignIn: async (id) => {
      const client = new Client({ url: ad.plainUrl })
      try {
        await client.bind(String((await entryOf(id))?.userPrincipalName), password)
        return true
      } catch {
        return false
      } finally {
        await client.unbind()
      }
    },
    rename: async (id) => {
      const entry = await entryOf(id)
      await root.modifyDN(entry?.dn ?? '', `CN=renamed ${String(entry?.sAMAccountName)},${people}`)
    },
    removeGroup: (group) => root.del(group.lookup),
    impatient: () =>
      createAdConnector(target, configure({ timeouts: { connectMs: 30_000, operationMs: 1_000 } }), adTools),
    faults: {
      atNextWrite: atNextWrite(proxy, writes),
      none: () => proxy.watch(null),
      dropAll: () => proxy.resetAll(),
      down: async () => {
        await root.unbind()
        await stack.part('samba').kill('SIGKILL')
      },
      up: async () => {
        await stack.part('samba').restart()
        root = await connectRoot()
      },
    },
    close: async () => {
      await root.unbind()
      await proxy.close()
      await stack.stop({ discard: true })
    },
  }
}
