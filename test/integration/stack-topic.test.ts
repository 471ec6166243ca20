import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { ensureTopic, partitions } from '../../scripts/stack/hr-topic.ts'
import { addresses, freshTopic } from '../support/stack.ts'

const partitionsOf = async (name: string): Promise<number> => {
  const admin = new Kafka({ brokers: [...addresses().kafkaBrokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return (await admin.fetchTopicMetadata({ topics: [name] })).topics[0]?.partitions.length ?? 0
  } finally {
    await admin.disconnect()
  }
}

test("HR's topic is made where it is missing, and left as it is where it is not", async () => {
  const { topic } = await freshTopic(1)
  await ensureTopic(addresses().kafkaBrokers, topic)
  expect(await partitionsOf(topic)).toBe(1)
  await ensureTopic(addresses().kafkaBrokers, `${topic}-new`)
  expect(await partitionsOf(`${topic}-new`)).toBe(partitions)
})
