/**
 * What a test on real parts needs of its own, so that files run side by side: a database, a topic, a Redis prefix, a
 * subtree of the directory. For a part that a test may kill, see `privateStack`.
 */
import { randomBytes } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { Client } from 'ldapts'
import pg from 'pg'
import { inject } from 'vitest'
import type { Ldap, Part } from '../../scripts/stack/part.ts'
import type { SlapdVariant } from '../../scripts/stack/slapd-files.ts'
import { type Stack, startStack } from '../../scripts/stack/stack.ts'
import { migrate, migrationsDirectory, provisionLogins } from '../../src/store/migrate.ts'
import type { Addresses } from './global-setup.ts'
import { testDirectory } from './test-directory.ts'

export type FreshDatabase = {
  readonly name: string
  /** The owner of everything (here a superuser): migrations, shifting the clock, looking at any table. */
  readonly adminUrl: string
  /** Role muster_engine: what MUSTER_DATABASE_URL is in earnest. */
  readonly engineUrl: string
  /** Role muster_auditor. */
  readonly auditorUrl: string
  /** Also ends whatever is still connected. */
  drop(): Promise<void>
}

export type FreshTree = {
  /** ou=…,dc=bank,dc=example */
  readonly dn: string
  readonly people: string
  readonly groups: string
}

export type FreshTopic = { readonly topic: string; readonly brokers: readonly string[] }

/** The addresses of the parts that this run of tests shares. */
export function addresses(): Addresses {
  return inject('stack')
}

/** `t` and twelve random hex digits: a name that every part accepts. */
export function freshName(): string {
  return `t${randomBytes(6).toString('hex')}`
}

/** A migrated, empty database in the shared PostgreSQL, its files copied, which costs a fraction of what writing its pages to the log does. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const { databaseUrl, templateDatabase, passwords } = addresses()
  const name = freshName()
  await asSuperuser(databaseUrl, (client) =>
    client.query(
      `create database ${client.escapeIdentifier(name)} template ${client.escapeIdentifier(templateDatabase)} strategy file_copy`,
    ),
  )
  return databaseOf(databaseUrl, name, passwords)
}

/** The same in a PostgreSQL of a private stack: migrated on the spot. */
export async function databaseIn(stack: Stack): Promise<FreshDatabase> {
  const name = freshName()
  const passwords = { engine: freshName(), auditor: freshName() }
  await asSuperuser(stack.databaseUrl, (client) => client.query(`create database ${client.escapeIdentifier(name)}`))
  const database = databaseOf(stack.databaseUrl, name, passwords)
  await migrate(database.adminUrl, migrationsDirectory)
  await provisionLogins(database.adminUrl, passwords)
  return database
}

function databaseOf(superuser: string, name: string, passwords: Addresses['passwords']): FreshDatabase {
  const as = (user?: string, password?: string) => {
    const url = new URL(superuser)
    url.pathname = `/${name}`
    if (user !== undefined && password !== undefined) Object.assign(url, { username: user, password })
    return url.href
  }
  return {
    name,
    adminUrl: as(),
    engineUrl: as('muster_engine', passwords.engine),
    auditorUrl: as('muster_auditor', passwords.auditor),
    drop: () =>
      asSuperuser(superuser, async (client) => {
        await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`)
      }),
  }
}

async function asSuperuser<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** A new, empty topic. The broker makes none by itself. */
export async function freshTopic(
  partitions = 1,
  brokers: readonly string[] = addresses().kafkaBrokers,
): Promise<FreshTopic> {
  const topic = freshName()
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
      waitForLeaders: true,
    })
  } finally {
    await admin.disconnect()
  }
  return { topic, brokers }
}

/** A key prefix (BullMQ's `prefix`) that no other test uses, in the shared Redis. */
export function freshRedisPrefix(): { readonly url: string; readonly prefix: string } {
  return { url: addresses().redisUrl, prefix: freshName() }
}

/** An empty subtree of the directory: ou=people and ou=groups below an organizational unit of its own. */
export async function freshTree(ldap: Ldap = addresses().ldap): Promise<FreshTree> {
  const name = freshName()
  const dn = `ou=${name},${ldap.baseDn}`
  await asDirectoryRoot(ldap, async (client) => {
    await client.add(dn, { objectClass: 'organizationalUnit', ou: name })
    for (const ou of ['people', 'groups']) await client.add(`ou=${ou},${dn}`, { objectClass: 'organizationalUnit', ou })
  })
  return { dn, people: `ou=people,${dn}`, groups: `ou=groups,${dn}` }
}

/** Runs `work` on a connection bound as the directory's root, past every access rule. Not the connector: a witness. */
export async function asDirectoryRoot<T>(ldap: Ldap, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ url: ldap.plainUrl, timeout: 20_000, connectTimeout: 5000 })
  try {
    await client.bind(ldap.rootDn, ldap.rootPassword)
    return await work(client)
  } finally {
    await client.unbind()
  }
}

/**
 * Parts of a test's own, which it may stop, kill and restart (`stack.part('redis').kill('SIGKILL')`), or a slapd with
 * other options. End it with `stop({ discard: true })`; it ends with the test process in any case.
 */
export function privateStack(parts: readonly Part[], slapd?: SlapdVariant): Promise<Stack> {
  return startStack({ dir: testDirectory(freshName()), parts, throwaway: true, ...(slapd ? { slapd } : {}) })
}
