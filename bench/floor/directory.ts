/** The least that any program could do to slapd: one connection, ldapts as it comes, nothing checked, nothing kept. */
import { readFileSync } from 'node:fs'
import { Attribute, Change, Client, type Entry } from 'ldapts'
import type { BenchStack } from '../house/bench-stack.ts'

/** Over the same TLS and as the same account as the engine. */
export const openDirectory = async ({ ldap }: Pick<BenchStack, 'ldap'>): Promise<Client> => {
  const client = new Client({ url: ldap.url, tlsOptions: { ca: [readFileSync(ldap.caFile)] }, timeout: 60_000 })
  await client.bind(ldap.serviceDn, ldap.servicePassword)
  return client
}

/** DN by person key. */
export type Resolved = ReadonlyMap<string, string>

const attributes = ['employeeNumber', 'entryUUID']

export const resolveByOr = async (client: Client, base: string, keys: readonly string[]): Promise<Resolved> => {
  const found: Entry[] = []
  for (let at = 0; at < keys.length; at += 100) {
    const filter = `(|${keys
      .slice(at, at + 100)
      .map((key) => `(employeeNumber=${key})`)
      .join('')})`
    found.push(...(await client.search(base, { scope: 'sub', filter, attributes })).searchEntries)
  }
  return dnByKey(found)
}

/** So many native ids found by ORs of fifty, one search after the other; answers how many there were. */
export const findByIds = async (client: Client, base: string, ids: readonly string[]): Promise<number> => {
  let found = 0
  for (let at = 0; at < ids.length; at += 50) {
    const filter = `(|${ids
      .slice(at, at + 50)
      .map((id) => `(entryUUID=${id})`)
      .join('')})`
    found += (await client.search(base, { scope: 'sub', filter, attributes: ['entryUUID'] })).searchEntries.length
  }
  return found
}

export const resolveByPages = async (client: Client, base: string): Promise<Resolved> => {
  const { searchEntries } = await client.search(base, {
    scope: 'sub',
    filter: '(employeeNumber=*)',
    attributes,
    paged: { pageSize: 1_000 },
  })
  return dnByKey(searchEntries)
}

const dnByKey = (entries: readonly Entry[]): Resolved =>
  new Map(entries.map((entry) => [String(entry.employeeNumber), entry.dn]))

export const changeMembers = async (
  client: Client,
  operation: 'add' | 'delete',
  group: string,
  dns: readonly string[],
): Promise<void> => {
  for (let at = 0; at < dns.length; at += 500)
    await client.modify(
      group,
      new Change({ operation, modification: new Attribute({ type: 'member', values: dns.slice(at, at + 500) }) }),
    )
}

/** How many members the group has. */
export const readGroup = async (client: Client, group: string): Promise<number> => {
  const { searchEntries } = await client.search(group, { scope: 'base', attributes: ['member'] })
  return [searchEntries[0]?.member ?? []].flat().length
}

export const lockAccount = (client: Client, dn: string): Promise<void> =>
  client.modify(
    dn,
    new Change({
      operation: 'replace',
      modification: new Attribute({ type: 'pwdAccountLockedTime', values: ['000001010000Z'] }),
    }),
  )

/** DNs of the groups that hold this account. */
export const groupsHolding = async (client: Client, groups: string, dn: string): Promise<readonly string[]> =>
  (await client.search(groups, { scope: 'one', filter: `(member=${dn})`, attributes: ['1.1'] })).searchEntries.map(
    (entry) => entry.dn,
  )
