import { ConfigResourceTypes } from 'kafkajs'
import { expect, test } from 'vitest'
import { createKafka, plainConnection } from '../../src/consumers/kafka-client.ts'
import { createLog } from '../../src/log.ts'
import { bankFiles } from '../support/bank-files.ts'
import { openHouse } from '../support/house.ts'
import { spawnServe } from '../support/serve-process.ts'
import { addresses, freshTopic } from '../support/stack.ts'

test('a topic that must not be read, found by the thread that ingests, ends the process with 70 and says so', async () => {
  const house = await openHouse()
  const { topic } = await freshTopic()
  const files = bankFiles(house, {
    topics: [topic],
  })
  const admin = createKafka(plainConnection(addresses().kafkaBrokers), 'test', createLog('silent', 'test')).admin()
  await admin.connect()
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: ConfigResourceTypes.TOPIC,
        name: topic,
        configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
      },
    ],
  })
  await admin.disconnect()
  const serve = spawnServe(files)
  try {
    expect(await serve.ended).toBe(70)
    expect(serve.lines.at(-1)).toMatch(/compacted.*"msg":"this process ends"/)
  } finally {
    serve.kill('SIGKILL')
    files.remove()
    await house.close()
  }
})
