import type { KafkaConnection } from '../config/environment.ts'
import { createBrokerView } from '../consumers/broker-view.ts'
import { createKafka } from '../consumers/kafka-client.ts'
import { publish } from '../consumers/publish.ts'
import { createLog } from '../log.ts'

export type OutgoingEvent = {
  readonly key: string
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

export type Placed = { readonly key: string; readonly partition: number; readonly offset: string }

export type Published =
  /** `placed`: where the first events stand. */
  | { readonly kind: 'sent'; readonly placed: readonly Placed[] }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'no-topic' }

const name = 'muster-publish'
const log = createLog('silent', name)

/** How many are sent one by one: only so does the broker tell the place of each. */
const placedApart = 20

/** HR events to a topic, in order; resolves when the brokers have acknowledged the last one. */
export const publishEvents = async (
  connection: KafkaConnection,
  topic: string,
  events: readonly OutgoingEvent[],
  onProgress: (sent: number, total: number) => void,
): Promise<Published> => {
  const obstacle = await obstacleTo(connection, topic)
  if (obstacle !== null) return { kind: obstacle }
  const placed = await sendApart(connection, topic, events.slice(0, placedApart), (sent) =>
    onProgress(sent, events.length),
  )
  const rest = events.slice(placedApart)
  if (rest.length > 0)
    await publish({ connection, log, onProgress: (sent) => onProgress(placedApart + sent, events.length) }, topic, rest)
  return { kind: 'sent', placed }
}

/** Asked before: a producer repeats for long what cannot succeed. */
const obstacleTo = async (connection: KafkaConnection, topic: string): Promise<'unreachable' | 'no-topic' | null> => {
  const broker = createBrokerView(createKafka(connection, name, log))
  try {
    if (!(await broker.reachable())) return 'unreachable'
    return await broker.ends(topic).then(
      () => null,
      (error) => (isUnknownTopic(error) ? 'no-topic' : null),
    )
  } finally {
    await broker.close()
  }
}

const isUnknownTopic = (error: unknown): boolean => {
  const { type, cause } = (error ?? {}) as { readonly type?: unknown; readonly cause?: unknown }
  return type === 'UNKNOWN_TOPIC_OR_PARTITION' || (cause !== undefined && isUnknownTopic(cause))
}

const sendApart = async (
  connection: KafkaConnection,
  topic: string,
  events: readonly OutgoingEvent[],
  onSent: (sent: number) => void,
): Promise<readonly Placed[]> => {
  const producer = createKafka(connection, name, log).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  })
  await producer.connect()
  const placed: Placed[] = []
  try {
    for (const { key, value, headers } of events) {
      const [record] = await producer.send({ topic, acks: -1, messages: [{ key, value, headers: { ...headers } }] })
      placed.push({ key, partition: record?.partition ?? 0, offset: record?.baseOffset ?? '?' })
      onSent(placed.length)
    }
  } finally {
    await producer.disconnect()
  }
  return placed
}
