import type { Admin, Kafka } from 'kafkajs'
import type { PartitionEnds } from '../engine/ingest-position.ts'

/** kafkajs' ConfigResourceTypes.TOPIC: CommonJS, and Node's module loader does not see that export of it. */
const topicResource = 2

/** What the broker says about a topic, asked anew each time. Throws what kafkajs throws when it cannot be reached. */
export type BrokerView = {
  readonly ends: (topic: string) => Promise<readonly PartitionEnds[]>
  readonly isCompacted: (topic: string) => Promise<boolean>
  readonly reachable: () => Promise<boolean>
  readonly close: () => Promise<void>
}

export const createBrokerView = (kafka: Kafka): BrokerView => {
  let connected: Promise<Admin> | undefined

  const admin = (): Promise<Admin> => {
    connected ??= (async () => {
      const client = kafka.admin({ retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 } })
      await client.connect()
      return client
    })()
    return connected
  }
  /** After a failure the next question gets a fresh connection. */
  const ask = async <T>(question: (client: Admin) => Promise<T>): Promise<T> => {
    const mine = admin()
    try {
      return await question(await mine)
    } catch (error) {
      if (connected === mine) connected = undefined
      mine.then((client) => client.disconnect()).catch(() => {})
      throw error
    }
  }

  return {
    ends: (topic) =>
      ask(async (client) => {
        const offsets = await client.fetchTopicOffsets(topic)
        return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
      }),
    isCompacted: (topic) =>
      ask(async (client) => {
        const { resources } = await client.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: topicResource, name: topic, configNames: ['cleanup.policy'] }],
        })
        return resources.some(({ configEntries }) =>
          configEntries.some(
            ({ configName, configValue }) => configName === 'cleanup.policy' && configValue.includes('compact'),
          ),
        )
      }),
    reachable: () =>
      ask((client) => client.describeCluster()).then(
        () => true,
        () => false,
      ),
    close: async () => {
      const mine = connected
      connected = undefined
      await mine?.then((client) => client.disconnect()).catch(() => {})
    },
  }
}
