import type { Log } from '../log.ts'
import { createKafka, type KafkaConnection } from './kafka-client.ts'

/** One message to send: `value` null is a tombstone. Texts are sent as UTF-8. */
export type OutgoingMessage = {
  readonly key: string | Uint8Array | null
  readonly value: string | Uint8Array | null
  readonly headers?: Readonly<Record<string, string | Uint8Array>>
}

export type PublishOptions = {
  readonly connection: KafkaConnection
  readonly log: Log
  /** Called after each batch that the broker has acknowledged. */
  readonly onProgress?: (sent: number, total: number) => void
}

const batchSize = 1_000

/** Appends in order, idempotently, acknowledged by all in-sync replicas; resolves when the last one is. */
export const publish = async (
  { connection, log, onProgress }: PublishOptions,
  topic: string,
  messages: readonly OutgoingMessage[],
): Promise<void> => {
  const producer = createKafka(connection, 'muster-publish', log).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  })
  await producer.connect()
  try {
    for (let at = 0; at < messages.length; at += batchSize) {
      const batch = messages.slice(at, at + batchSize)
      await producer.send({ topic, acks: -1, messages: batch.map(toKafka) })
      onProgress?.(Math.min(at + batchSize, messages.length), messages.length)
    }
  } finally {
    await producer.disconnect()
  }
}

const toKafka = ({ key, value, headers }: OutgoingMessage) => ({
  key: toBytes(key),
  value: toBytes(value),
  ...(headers === undefined
    ? {}
    : { headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, toBytes(text) ?? ''])) }),
})

const toBytes = (value: string | Uint8Array | null): Buffer | null =>
  value === null
    ? null
    : typeof value === 'string'
      ? Buffer.from(value, 'utf8')
      : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
