import { Kafka, logLevel } from 'kafkajs'

/** Where HR speaks, by default. */
export const topic = 'hr.worker.v1'
export const partitions = 6

/** The topic is there afterwards; one that was there before stays as it is. */
export async function ensureTopic(brokers: readonly string[], name = topic): Promise<void> {
  const admin = new Kafka({ clientId: 'stack', brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await admin.createTopics({
      topics: [{ topic: name, numPartitions: partitions, replicationFactor: 1 }],
      waitForLeaders: true,
    })
  } finally {
    await admin.disconnect()
  }
}
