import { z } from 'zod'
import type { ConnectorType } from '../connectors/connector-type.ts'
import { connectorTypes } from '../connectors/registry.ts'
import { targetModes } from '../domain/target.ts'
import { duration } from './duration.ts'
import { withNothingMapped } from './expected-accounts.ts'
import { guard } from './guard-limits.ts'
import { apartFromOthers, createdByName, nothingToDelete, protectedByNativeId } from './target-rules.ts'

/** What muster.yaml may say, after its references (`env:…`, `file:…`) were resolved. Input side = the published JSON Schema. */
const name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,47}$/,
    'is lower-case letters, digits and -, at most 48 of them: it becomes part of queue names',
  )
const topic = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'is not a Kafka topic name')

const target = {
  id: name.describe('Its name in policies and everywhere else. Never changed: grants are recorded under it.'),
  mode: z
    .enum(targetModes)
    .default('observe')
    .describe('At its first start only; later `muster target mode` changes it.'),
  accounts: z
    .enum(['create', 'expect'])
    .default('create')
    .describe(
      'create: nobody found → create the account. expect: something else creates it; wait, and write no attribute that is not mapped (but Entra: the key of whom `alternatives` found).',
    ),
  expectWithin: duration('1s', '30d')
    .prefault('24h')
    .describe(
      'When it becomes a finding that an account (with accounts: expect) or what an identity provider or another directory should bring is still missing.',
    ),
  leaver: z
    .strictObject({
      unmanaged: z
        .enum(['remove', 'report'])
        .default('remove')
        .describe("A leaver's direct grants that are in no catalogue."),
      deleteAfter: duration('1d', '3650d')
        .nullable()
        .default(null)
        .describe(
          'So long after the leave the empty, shut account is deleted; null = never. A rehire before stops it.',
        ),
    })
    .prefault({}),
  protect: z
    .strictObject({
      accounts: z
        .array(z.string().min(1))
        .default([])
        .describe('Native ids of accounts (`muster account list` shows them), e.g. break-glass ones.'),
      entitlements: z
        .array(z.string().min(1))
        .default([])
        .describe('Names as the target has them; * stands for anything, case is ignored.'),
    })
    .prefault({})
    .describe('What Muster never writes, links or takes away there, whatever a policy says.'),
  reconcile: z
    .strictObject({
      every: duration('1m', '7d')
        .prefault('1h')
        .describe('How often everybody in its entitlements is listed and compared with what was verified.'),
    })
    .prefault({}),
  guard,
  concurrency: z
    .strictObject({
      bulk: z
        .int()
        .min(1)
        .max(16)
        .default(2)
        .describe('Dispatches in work at once. Writes of memberships share one connection all the same.'),
      leaver: z.int().min(1).max(16).default(2),
    })
    .prefault({}),
}

/** One for each connector: what all targets say, and its own settings under its own name. */
type Named = Pick<ConnectorType, 'type' | 'member' | 'settings'>
type TargetOf<One extends Named> = z.ZodObject<
  typeof target & { type: z.ZodLiteral<One['type']> } & { [M in One['member']]: One['settings'] },
  z.core.$strict
>
type TargetsOf<All extends readonly Named[]> = { readonly [At in keyof All]: TargetOf<All[At]> }
const targets = connectorTypes.map(({ type, member, settings }) =>
  z.strictObject({ ...target, type: z.literal(type), [member]: settings }),
) as readonly unknown[] as TargetsOf<typeof connectorTypes>

const kafkaSource = z.strictObject({
  id: name,
  type: z.literal('kafka'),
  topics: z.array(topic).min(1),
  group: z
    .string()
    .min(1)
    .max(249)
    .default('muster')
    .describe('Kafka consumer group: all processes of one installation share it.'),
  sessionTimeout: duration('1s', '5m')
    .prefault('10s')
    .describe(
      'How long the group waits for a process that died without a word: nothing is read meanwhile, leavers neither. Brokers allow 6s and more unless told otherwise.',
    ),
})

const engine = z
  .strictObject({
    evaluateBatch: z
      .int()
      .min(1)
      .max(1_000)
      .default(200)
      .describe('Identities that one bulk evaluation takes in one transaction.'),
    dispatchBatch: z
      .int()
      .min(1)
      .max(5_000)
      .default(500)
      .describe('Actions of one bulk dispatch: what one call of a target carries.'),
    lease: duration('2s', '10m').prefault('30s').describe('How long a claimed dispatch belongs to its worker.'),
    leaverSlo: duration('1s', '1d')
      .prefault('60s')
      .describe('From the moment access ends to disabled, revoked and read back.'),
    bulkDeadline: duration('1m', '30d')
      .prefault('24h')
      .describe('When an action of a joiner or mover that is still open becomes a finding.'),
    databaseConnections: z.int().min(2).max(100).default(8).describe('At most so many for each process or lane.'),
    bulkPriority: z
      .int()
      .min(0)
      .max(19)
      .default(5)
      .describe(
        'Niceness of bulk work, so that the leaver lane gets the processor first. Only Linux can do this for a thread; 0 = leave it alone.',
      ),
  })
  .prefault({})

const queue = z
  .strictObject({
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_{}-]{1,64}$/, 'is letters, digits and _ - { }')
      .default('{muster}')
      .describe('Of all keys in Redis. Braces keep the keys of one queue together in a Redis Cluster.'),
  })
  .prefault({})

const unique = (what: string, key: 'id') => (items: readonly { readonly id: string }[], context: z.RefinementCtx) => {
  items.forEach((item, index) => {
    if (items.findIndex((other) => other[key] === item[key]) < index)
      context.addIssue({ code: 'custom', path: [index, key], message: `another ${what} has this ${key} already` })
  })
}

export const musterFile = z
  .strictObject({
    sources: z
      .array(z.discriminatedUnion('type', [kafkaSource]))
      .min(1)
      .superRefine(unique('source', 'id'))
      .describe('Where worker events come from.'),
    targets: z
      .preprocess(
        withNothingMapped,
        z
          .array(z.discriminatedUnion('type', targets))
          .min(1)
          .superRefine(unique('target', 'id'))
          .superRefine(createdByName)
          .superRefine(nothingToDelete)
          .superRefine(apartFromOthers)
          .superRefine(protectedByNativeId),
      )
      .describe('Systems that Muster provisions into.'),
    engine,
    queue,
    log: z.strictObject({ level: z.enum(['error', 'warn', 'info', 'debug']).default('info') }).prefault({}),
  })
  .describe(
    'muster.yaml: what Muster is connected to and how carefully it works. Secrets are references (env:NAME or file:PATH), never values.',
  )

export type MusterFile = z.output<typeof musterFile>
export type TargetConfig = MusterFile['targets'][number]
export type SourceConfig = MusterFile['sources'][number]

/** Members (of an element of `targets`) that must be written as a reference: their values are secrets. */
export const secretMembers: readonly (readonly string[])[] = connectorTypes.flatMap(({ member, secrets }) =>
  secrets.map((path) => [member, ...path]),
)
/** Members that name a file: relative ones start from the configuration directory. */
export const fileMembers: readonly (readonly string[])[] = connectorTypes.flatMap(({ member, files }) =>
  files.map((path) => [member, ...path]),
)
