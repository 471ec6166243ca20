/** What one run stands on, nothing of it used before: a database, a topic, groups, queues, a configuration directory. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kafka } from 'kafkajs'
import pg from 'pg'
import { stringify } from 'yaml'
import { asSuperuser, type BenchStack, databaseAt, freshName } from './bench-stack.ts'
import { type Feed, kafkaOf, openFeed } from './events.ts'
import { addGroups, groupNames, groupsOfDepartment, type People, removeUnit, usualDepartments } from './people.ts'

export type Ground = {
  readonly name: string
  readonly bench: BenchStack
  readonly people: People
  /** DN of the unit that holds the groups. */
  readonly groups: string
  readonly topic: string
  readonly kafka: Kafka
  readonly feed: Feed
  readonly adminUrl: string
  readonly engineUrl: string
  /** As the database's superuser: looking, never the engine's work. */
  readonly admin: pg.Pool
  readonly configDirectory: string
  readonly env: Readonly<Record<string, string>>
  readonly leave: () => Promise<void>
}

export type GroundOptions = {
  /** Each with three groups and a birthright rule. */
  readonly ofDepartments?: number
  /** DNs that stand in a group from the beginning: no doing of Muster's. */
  readonly members?: (group: string) => readonly string[]
  readonly beside?: Beside
}

/** Targets besides the directory, and what everybody holds on them. */
export type Beside = {
  readonly targets: readonly Readonly<Record<string, unknown>>[]
  /** Key → its target and look-up there. */
  readonly entitlements: Readonly<Record<string, { readonly target: string; readonly lookup: string }>>
  /** For the engine: where they are, and its credentials. */
  readonly env: Readonly<Record<string, string>>
}

export const partitions = 4
const nothing: Beside = { targets: [], entitlements: {}, env: {} }
const unlimited = { absolute: 100_000_000, percent: 100 }

export const freshGround = async (
  bench: BenchStack,
  people: People,
  { ofDepartments = usualDepartments, members, beside = nothing }: GroundOptions = {},
): Promise<Ground> => {
  const { stack, ldap } = bench
  const name = freshName()
  const kafka = kafkaOf(stack.kafkaBrokers)
  await asSuperuser(stack.databaseUrl, (client) =>
    client.query(`create database ${name} template ${bench.templateDatabase}`),
  )
  const groups = await addGroups(ldap, ofDepartments, members)
  await withTopics(kafka, (admin) =>
    admin.createTopics({
      waitForLeaders: true,
      // The broker's own time of the append: what "from Kafka append" means.
      topics: [
        {
          topic: name,
          numPartitions: partitions,
          replicationFactor: 1,
          configEntries: [{ name: 'message.timestamp.type', value: 'LogAppendTime' }],
        },
      ],
    }),
  )
  const feed = await openFeed(kafka, name)
  const adminUrl = databaseAt(stack.databaseUrl, name)
  const engineUrl = databaseAt(stack.databaseUrl, name, 'muster_engine', bench.passwords.engine)
  const admin = new pg.Pool({
    connectionString: adminUrl,
    max: 2,
    options: '-c enable_seqscan=off',
    application_name: 'bench',
  })
  admin.on('error', () => {})
  const configDirectory = mkdtempSync(join(stack.dir, 'config-'))
  writeConfiguration(configDirectory, bench, { name, people: people.base, groups, ofDepartments }, beside)
  return {
    name,
    bench,
    people,
    groups,
    topic: name,
    kafka,
    feed,
    adminUrl,
    engineUrl,
    admin,
    configDirectory,
    env: {
      MUSTER_DATABASE_URL: engineUrl,
      MUSTER_REDIS_URL: stack.redisUrl,
      MUSTER_KAFKA_BROKERS: stack.kafkaBrokers.join(','),
      BENCH_LDAP_URL: ldap.url,
      BENCH_LDAP_CA_FILE: ldap.caFile,
      BENCH_LDAP_PASSWORD: ldap.servicePassword,
      ...beside.env,
    },
    leave: async () => {
      await feed.close()
      await admin.end()
      rmSync(configDirectory, { recursive: true, force: true })
      await asSuperuser(stack.databaseUrl, (client) => client.query(`drop database if exists ${name} with (force)`))
      await withTopics(kafka, (topics) => topics.deleteTopics({ topics: [name] }))
      await removeUnit(ldap, groups)
    },
  }
}

const withTopics = async (
  kafka: Kafka,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<unknown>,
): Promise<void> => {
  const admin = kafka.admin()
  await admin.connect()
  try {
    await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Limits of the guard are out of the way, its counting is not (DESIGN §5). All else is what muster.yaml says by default. */
type Names = { readonly name: string; readonly people: string; readonly groups: string; readonly ofDepartments: number }

const writeConfiguration = (
  directory: string,
  { ldap }: BenchStack,
  { name, people, groups, ofDepartments }: Names,
  beside: Beside,
): void => {
  const guard = { revokes: unlimited, disables: unlimited, entitlementRevokes: unlimited, enables: unlimited }
  const file = {
    sources: [{ id: 'hr', type: 'kafka', topics: [name], group: name }],
    targets: [
      {
        id: 'bank-ldap',
        type: 'ldap',
        mode: 'enforce',
        guard,
        ldap: {
          url: 'env:BENCH_LDAP_URL',
          caFile: 'env:BENCH_LDAP_CA_FILE',
          bindDn: ldap.serviceDn,
          bindPassword: 'env:BENCH_LDAP_PASSWORD',
          peopleBase: people,
          groupsBase: groups,
          account: {
            rdn: 'uid={username}',
            attributes: { cn: '{displayName}', sn: '{familyName}', givenName: '{givenName}' },
          },
        },
      },
      ...beside.targets.map((target) => ({ ...target, mode: 'enforce', guard })),
    ],
    queue: { prefix: `{${name}}` },
  }
  const policies = {
    entitlements: Object.fromEntries(
      [
        ...groupNames(ofDepartments).map(
          (group) => [group, { target: 'bank-ldap', lookup: `cn=${group},${groups}` }] as const,
        ),
        ...Object.entries(beside.entitlements),
      ].map(([key, { target, lookup }]) => [
        key,
        { target, lookup, risk: 'low', owner: 'P-0', description: `Group ${key}` },
      ]),
    ),
    birthright: Object.fromEntries(
      Array.from({ length: ofDepartments }, (_, department) => [
        `department-${department}`,
        {
          when: { department: `D${department}` },
          grants: { entitlements: [...groupsOfDepartment(department), ...Object.keys(beside.entitlements)] },
        },
      ]),
    ),
  }
  mkdirSync(join(directory, 'policies'))
  writeFileSync(join(directory, 'muster.yaml'), stringify(file))
  writeFileSync(join(directory, 'policies', 'bench.yaml'), stringify(policies))
}
