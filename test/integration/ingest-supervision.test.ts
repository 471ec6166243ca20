/** The supervisor on a real consumer of kafkajs that is broken on purpose. */
import type { Consumer, EachBatchPayload } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import type { Stack } from '../../scripts/stack/stack.ts'
import { createBrokerView } from '../../src/consumers/broker-view.ts'
import { createKafka, plainConnection } from '../../src/consumers/kafka-client.ts'
import { publish } from '../../src/consumers/publish.ts'
import { supervise } from '../../src/consumers/supervise.ts'
import { createLog } from '../../src/log.ts'
import { freshTopic, privateStack } from '../support/stack.ts'

const log = createLog(process.env.MUSTER_TEST_LOG ?? 'silent', 'test')
const cleanUp: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work()
})

const supervised = async (
  eachBatch: (payload: EachBatchPayload) => Promise<void>,
  patienceMs = 2_000,
  brokers?: readonly string[],
) => {
  const made = await freshTopic(1, brokers)
  const connection = plainConnection(made.brokers)
  const kafka = createKafka(connection, 'test', log)
  const broker = createBrokerView(kafka)
  const consumer: Consumer = kafka.consumer({
    groupId: `g-${made.topic}`,
    sessionTimeout: 1_000,
    heartbeatInterval: 200,
    maxWaitTimeInMs: 100,
  })
  const fatal: string[] = []
  const said = new Promise<string>((resolve) => {
    const watching = supervise({
      consumer,
      broker,
      log,
      patienceMs,
      onFatal: (why) => {
        fatal.push(why)
        resolve(why)
      },
    })
    cleanUp.push(watching.stop)
  })
  cleanUp.push(() => broker.close())
  await consumer.connect()
  await consumer.subscribe({ topics: [made.topic], fromBeginning: true })
  await consumer.run({ eachBatch })
  await publish({ connection, log }, made.topic, [{ key: 'k', value: 'v' }])
  return { consumer, fatal, said, topic: made.topic }
}

test('a plain bug in a handler ends kafkajs for good: said at once', async () => {
  const { said } = await supervised(async () => {
    throw new TypeError('a bug')
  })
  expect(await said).toBe('kafkajs gave up')
})

test('a handler that never returns: said when patience ends, for the broker answers', async () => {
  const { said } = await supervised(() => new Promise(() => {}))
  expect(await said).toBe('no sign of life from kafkajs')
})

test('an outage of the broker is waited for', async () => {
  const stack: Stack = await privateStack(['kafka'])
  cleanUp.push(() => stack.stop({ discard: true }))
  const taken: string[] = []
  let arrived = () => {}
  const { consumer, fatal, topic } = await supervised(
    async ({ batch }) => {
      taken.push(...batch.messages.map(({ offset }) => offset))
      arrived()
    },
    20_000,
    stack.kafkaBrokers,
  )
  cleanUp.push(() => consumer.disconnect())
  const crashes: boolean[] = []
  const crashed = new Promise<void>((resolve) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      crashes.push(payload.restart)
      resolve()
    })
  })
  await stack.part('kafka').kill('SIGKILL')
  await crashed
  await stack.part('kafka').restart()
  const before = taken.length
  const again = new Promise<void>((resolve) => {
    arrived = resolve
  })
  await publish({ connection: plainConnection(stack.kafkaBrokers), log }, topic, [{ key: 'k', value: 'v' }])
  await again
  expect(taken.length).toBeGreaterThan(before)
  expect(crashes).not.toContain(false)
  expect(fatal).toEqual([])
})
