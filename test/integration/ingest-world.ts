/** A topic, a database and the consumer between them, under the engine's own role. */
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { type ConsumerOptions, type RunningConsumer, startConsumer } from '../../src/consumers/hr-events.ts'
import { plainConnection } from '../../src/consumers/kafka-client.ts'
import { type OutgoingMessage, publish } from '../../src/consumers/publish.ts'
import type { IngestEngine } from '../../src/engine/ingest.ts'
import { createLog } from '../../src/log.ts'
import { openDatabase } from '../../src/store/database.ts'
import { type FreshDatabase, freshDatabase, freshTopic } from '../support/stack.ts'
import { until } from '../support/until.ts'

export type World = Awaited<ReturnType<typeof openWorld>>

export type InboxLine = {
  readonly partition: number
  readonly incarnation: number
  readonly offset: number
  readonly status: string
  readonly reason: string | null
  readonly event_id: string | null
  readonly ends_access: boolean
  readonly raw: Buffer | null
}

export type WorldOptions = {
  readonly partitions?: number
  readonly brokers?: readonly string[]
  readonly database?: FreshDatabase
  readonly topic?: string
  readonly engineUrl?: string
}

export const openWorld = async (options: WorldOptions = {}) => {
  const database = options.database ?? (await freshDatabase())
  const made = options.topic === undefined ? await freshTopic(options.partitions ?? 1, options.brokers) : undefined
  const topic = options.topic ?? made?.topic ?? ''
  const brokers = options.brokers ?? made?.brokers ?? []
  const log = createLog(process.env.MUSTER_TEST_LOG ?? 'silent', 'test')
  const db = openDatabase({ url: options.engineUrl ?? database.engineUrl, max: 8, applicationName: 'test-ingest' })
  const admin = openDatabase({ url: database.adminUrl, max: 2, applicationName: 'test-admin' })
  const nudged: string[] = []
  const engine: IngestEngine = { db, log, nudge: (stage, lane) => void nudged.push(`${stage}:${lane}`) }
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const fatal: string[] = []
  const running = new Set<RunningConsumer>()

  const start = async (more: Partial<ConsumerOptions> = {}): Promise<RunningConsumer> => {
    const consumer = await startConsumer({
      engine,
      connection: plainConnection(brokers),
      topics: [topic],
      groupId: `g-${topic}`,
      sessionTimeoutMs: 6_000,
      onFatal: (why) => void fatal.push(why),
      ...more,
    })
    running.add(consumer)
    return consumer
  }
  const send = (messages: readonly OutgoingMessage[]) =>
    publish({ connection: plainConnection(brokers), log }, topic, messages)
  const rows = <R>(text: string, ...values: unknown[]) => admin.query<R>({ text, values })
  const inbox = () =>
    rows<InboxLine>(
      `select s.partition, s.incarnation, b."offset", b.status, b.reason, b.event_id, b.ends_access, b.raw
       from muster.inbox b join muster.stream s on s.id = b.stream_id where s.topic = $1 order by 1, 2, 3`,
      topic,
    )
  const streams = () =>
    rows<{ partition: number; incarnation: number; next: number; required: number; current: boolean }>(
      'select incarnation, partition, next_offset as next, required_offset as required, current from muster.stream where topic = $1 order by 1, 2',
      topic,
    )
  const findings = () =>
    rows<{ kind: string; key: string; urgent: boolean; detail: Record<string, unknown> }>(
      'select kind, key, urgent, detail from muster.finding order by id',
    )

  const untilInbox = (count: number) => until(async () => ((await inbox()).length >= count ? await inbox() : undefined))

  const withAdmin = async <T>(work: (client: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> => {
    const client = kafka.admin()
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.disconnect()
    }
  }

  const configureTopic = (name: string, value: string) =>
    withAdmin((client) =>
      client.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] }],
      }),
    )

  const close = async () => {
    await Promise.all([...running].map((one) => one.stop()))
    await db.close()
    await admin.close()
    if (options.database === undefined) await database.drop()
  }

  return {
    topic,
    brokers,
    engine,
    database,
    kafka,
    nudged,
    fatal,
    start,
    send,
    rows,
    inbox,
    streams,
    findings,
    until,
    untilInbox,
    withAdmin,
    configureTopic,
    close,
  }
}

export const message = (key: string | null, value: unknown, headers?: OutgoingMessage['headers']): OutgoingMessage => ({
  key,
  value: value === null || typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value),
  ...(headers === undefined ? {} : { headers }),
})
