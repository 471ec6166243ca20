/** As a process of its own: kafkajs' eachBatch and nothing in it. Fetches as Muster's consumer does, commits nothing. */
import { kafkaOf } from '../house/events.ts'

/** What it is told and what it tells; times are its own performance.now(). */
export type BareTask = { readonly brokers: readonly string[]; readonly topic: string; readonly messages: number }
export type BareResult = { readonly batches: readonly { readonly at: number; readonly count: number }[] }

const main = async ({ brokers, topic, messages }: BareTask): Promise<void> => {
  const consumer = kafkaOf(brokers).consumer({
    groupId: `${topic}-bare-${process.pid}`,
    maxWaitTimeInMs: 250,
    minBytes: 1,
    maxBytesPerPartition: 1024 * 1024,
    maxBytes: 8 * 1024 * 1024,
  })
  const batches: { at: number; count: number }[] = []
  let left = messages
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve) => {
    void consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 3,
      eachBatch: async ({ batch }) => {
        batches.push({ at: performance.now(), count: batch.messages.length })
        left -= batch.messages.length
        if (left <= 0) resolve()
      },
    })
  })
  process.send?.({ batches } satisfies BareResult)
  await consumer.disconnect()
  process.disconnect?.()
}

await main(JSON.parse(process.env.BENCH_BARE ?? '{}') as BareTask)
