/** A directory that has stood for long, and a database that knows all of it: what reconciliation finds on a quiet day. */
import { Attribute, Change, Client } from 'ldapts'
import pg from 'pg'
import { baseDn } from '../../scripts/stack/slapd-files.ts'
import type { TargetId } from '../../src/domain/ids.ts'
import { asDirectoryRoot, asSuperuser, type BenchStack, databaseAt, freshName } from './bench-stack.ts'
import { accountDn, displayNameOf, familyNameOf, type People, type Person, persons } from './people.ts'

export const target = 'bank-ldap' as TargetId

export type Estate = {
  readonly directory: BenchStack
  readonly people: People
  /** DN of the unit that holds the groups. */
  readonly groups: string
  readonly size: EstateSize
  readonly engineUrl: string
  readonly admin: pg.Pool
  readonly memberships: number
  /** What a process of its own needs to reconcile it. */
  readonly env: Readonly<Record<string, string>>
  readonly leave: () => Promise<void>
}

export type EstateSize = { readonly people: number; readonly groups: number; readonly each: number }

export const groupName = (group: number): string => `G${group}`
/** Person i is in `each` groups in a row, so that all groups are equally large. */
export const groupsOf = ({ number }: Person, { groups, each }: EstateSize): readonly number[] =>
  Array.from({ length: each }, (_, i) => (number * each + i) % groups)

export const openEstate = async (bench: BenchStack, size: EstateSize): Promise<Estate> => {
  const people: People = { base: `ou=estate,${baseDn}`, count: size.people }
  const groups = `ou=estate-groups,${baseDn}`
  const directory = await bench.withDirectory('estate', {}, ldif(people, groups, size))
  const name = freshName()
  await asSuperuser(bench.stack.databaseUrl, (client) =>
    client.query(`create database ${name} template ${bench.templateDatabase}`),
  )
  const admin = new pg.Pool({ connectionString: databaseAt(bench.stack.databaseUrl, name), max: 1 })
  admin.on('error', () => {})
  const memberships = await storeEstate(admin, directory, people, groups, size)
  const engineUrl = databaseAt(bench.stack.databaseUrl, name, 'muster_engine', bench.passwords.engine)
  return {
    directory,
    people,
    groups,
    size,
    engineUrl,
    admin,
    memberships,
    env: {
      ESTATE_DATABASE_URL: engineUrl,
      ESTATE_LDAP_URL: directory.ldap.url,
      ESTATE_LDAP_CA_FILE: directory.ldap.caFile,
      ESTATE_LDAP_DN: directory.ldap.serviceDn,
      ESTATE_LDAP_PASSWORD: directory.ldap.servicePassword,
      ESTATE_PEOPLE: people.base,
      ESTATE_GROUPS: groups,
    },
    leave: async () => {
      await admin.end()
      await asSuperuser(bench.stack.databaseUrl, (client) =>
        client.query(`drop database if exists ${name} with (force)`),
      )
      await directory.stop()
    },
  }
}

/** It has stood like this since long before anybody looks. */
const csn = 'entryCSN: 20260101000000.000000Z#000000#000#000000\n'

/** People and filled groups, as slapadd takes them: by LDAP it would take minutes. */
const ldif = (people: People, groups: string, size: EstateSize): string => {
  const members = Array.from({ length: size.groups }, (): string[] => [])
  const entries = [people.base, groups].map((dn) => `dn: ${dn}\nobjectClass: organizationalUnit\n${csn}`)
  for (const person of persons(0, size.people)) {
    const dn = accountDn(people.base, person)
    entries.push(
      `dn: ${dn}\nobjectClass: inetOrgPerson\ncn: ${displayNameOf(person)}\nsn: ${familyNameOf(person)}\ngivenName: Given\nemployeeNumber: ${person.key}\n${csn}`,
    )
    for (const group of groupsOf(person, size)) members[group]?.push(dn)
  }
  for (const [group, dns] of members.entries())
    entries.push(
      `dn: cn=${groupName(group)},${groups}\nobjectClass: groupOfNames\n${csn}member: cn=nobody\n${dns.map((dn) => `member: ${dn}\n`).join('')}`,
    )
  return entries.join('\n')
}

export const changeMembers = (
  client: Client,
  dn: string,
  operation: 'add' | 'delete',
  values: string[],
): Promise<void> =>
  client.modify(dn, new Change({ operation, modification: new Attribute({ type: 'member', values }) }))

/** As if Muster had made all of it: people, their accounts, what they hold, verified a while ago. */
const storeEstate = async (
  admin: pg.Pool,
  { ldap }: BenchStack,
  people: People,
  groups: string,
  size: EstateSize,
): Promise<number> => {
  const idsBelow = async (base: string, attribute: string) =>
    asDirectoryRoot(ldap, async (client) => {
      const { searchEntries } = await client.search(base, {
        scope: 'one',
        attributes: [attribute, 'entryUUID'],
        paged: { pageSize: 1_000 },
      })
      return new Map(searchEntries.map((entry) => [String(entry[attribute]), String(entry.entryUUID)]))
    })
  const accounts = await idsBelow(people.base, 'employeeNumber')
  const natives = await idsBelow(groups, 'cn')
  const all = persons(0, size.people)
  const db = await admin.connect()
  try {
    await db.query('begin')
    await db.query(`insert into muster.target (id, mode, mode_set_by) values ($1, 'enforce', 'benchmark')`, [target])
    await db.query(
      `insert into muster.identity (person_key, lifecycle, evaluated_policy) select k, 'active', 1 from unnest($1::text[]) as k`,
      [all.map(({ key }) => key)],
    )
    await db.query(
      `insert into muster.account (identity_id, target, native_id, origin, linked_at, enabled, read_at, grants_read_at)
        select i.id, $1, r.native, 'created', now() - interval '1 day', true, now() - interval '1 day', now() - interval '1 day'
        from unnest($2::text[], $3::text[]) as r(key, native) join muster.identity i on i.person_key = r.key`,
      [target, all.map(({ key }) => key), all.map(({ key }) => accounts.get(key) ?? '')],
    )
    const names = Array.from({ length: size.groups }, (_, group) => groupName(group))
    await db.query(
      `insert into muster.entitlement (target, key, lookup, lookup_key, native_id, managed, asked_key)
        select $1, r.name, r.dn, r.dn, r.native, true, r.dn from unnest($2::text[], $3::text[], $4::text[]) as r(name, dn, native)`,
      [target, names, names.map((name) => `cn=${name},${groups}`), names.map((name) => natives.get(name) ?? '')],
    )
    const links = all.flatMap((person) => groupsOf(person, size).map((group) => ({ person, group })))
    for (let at = 0; at < links.length; at += 50_000) {
      const some = links.slice(at, at + 50_000)
      await db.query(
        `insert into muster.grants (account_id, entitlement_id, given, first_verified_at, last_verified_at, first_recorded_at)
          select a.id, e.id, true, now() - interval '1 day', now() - interval '1 day', now() - interval '1 day'
          from unnest($2::text[], $3::text[]) as r(key, name)
          join muster.identity i on i.person_key = r.key join muster.account a on a.identity_id = i.id
          join muster.entitlement e on e.target = $1 and e.key = r.name`,
        [target, some.map(({ person }) => person.key), some.map(({ group }) => groupName(group))],
      )
    }
    await db.query('commit')
    await db.query('vacuum analyze')
    return links.length
  } finally {
    db.release()
  }
}

/** The floor: ldapts as it comes, one search for all groups with their members. Answers how many members that were. */
export const readRaw = async ({ directory: { ldap }, groups }: Estate): Promise<number> => {
  const client = new Client({ url: ldap.plainUrl, timeout: 120_000 })
  try {
    await client.bind(ldap.serviceDn, ldap.servicePassword)
    const { searchEntries } = await client.search(groups, { scope: 'one', attributes: ['member'] })
    return searchEntries.reduce((sum, { member }) => sum + [member ?? []].flat().length - 1, 0)
  } finally {
    await client.unbind()
  }
}
