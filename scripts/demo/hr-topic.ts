/** HR's side of Kafka: the topic, made anew, and a producer. */
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { topic as bankTopic, partitions } from '../stack/hr-topic.ts'
import { eventually, isSo, notYet } from './eventually.ts'
import type { HrMessage } from './hr-event.ts'

export type HrPlace = { readonly topic: string; readonly group: string }
/** muster.yaml's group, by default. */
const bank: HrPlace = { topic: bankTopic, group: 'muster' }

export type Hr = {
  /** Resolves when the broker has them. */
  readonly publish: (messages: readonly HrMessage[]) => Promise<void>
  readonly close: () => Promise<void>
}

export const openHr = async (brokers: readonly string[], mayReset: boolean, place = bank): Promise<Hr> => {
  const { topic } = place
  const kafka = new Kafka({ clientId: 'bank-hr', brokers: [...brokers], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    await freshTopic(admin, mayReset, place)
  } finally {
    await admin.disconnect()
  }
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  return {
    publish: async (messages) => {
      for (let at = 0; at < messages.length; at += 500)
        await producer.send({ topic, acks: -1, messages: messages.slice(at, at + 500) })
    },
    close: () => producer.disconnect(),
  }
}

const freshTopic = async (admin: Admin, mayReset: boolean, { topic, group }: HrPlace): Promise<void> => {
  if ((await admin.listTopics()).includes(topic)) {
    if (!mayReset)
      throw new Error(
        `the cluster of MUSTER_KAFKA_BROKERS has a topic ${topic} already, and it is not the demo's to delete`,
      )
    await admin.deleteTopics({ topics: [topic] })
    await admin.deleteGroups([group]).catch(() => {}) // none yet
  }
  await eventually(20, async () => {
    try {
      await admin.createTopics({
        topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
        waitForLeaders: true,
      })
      return isSo(true)
    } catch (error) {
      return notYet(String(error)) // the deletion is not through yet
    }
  })
}
