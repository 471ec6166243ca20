import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examineEngine } from '../../src/app/examine-engine.ts'
import { plainConnection } from '../../src/consumers/kafka-client.ts'
import { publish } from '../../src/consumers/publish.ts'
import { createLog } from '../../src/log.ts'
import { bankFiles } from '../support/bank-files.ts'
import type { ConfigDirectory } from '../support/config-directory.ts'
import { type House, openHouse } from '../support/house.ts'
import { type HrEvent, hrMessage } from '../support/hr-event.ts'
import { type ServeProcess, startServe } from '../support/serve-process.ts'
import { addresses, freshTopic } from '../support/stack.ts'
import { until } from '../support/until.ts'

let house: House
let files: ConfigDirectory
let topic: string
let serve: ServeProcess | undefined
beforeAll(async () => {
  house = await openHouse()
  topic = (await freshTopic(2)).topic
  files = bankFiles(house, {
    topics: [topic],
    file: { log: { level: 'info' } },
  })
})
afterAll(async () => {
  serve?.kill('SIGKILL')
  files.remove()
  await house.close()
})

const send = (...events: readonly HrEvent[]) =>
  publish(
    { connection: plainConnection(addresses().kafkaBrokers), log: createLog('silent', 'test') },
    topic,
    events.map(hrMessage),
  )

test('from Kafka to the directory: joins, moves, leaves; then stops in order when told to', async () => {
  serve = await startServe(files)
  const atWork = { problems: [], remarks: ['every role is at work'] }
  await until(async () => isDeepStrictEqual(await examineEngine(house.database.engineUrl), atWork))
  await send({ person: 'P-1', effectiveAt: '2024-01-01' })
  await until(async () => (await house.groupsOf('P-1')).includes('CBS_LoanEntry'))
  await send({ person: 'P-1', effectiveAt: '2024-02-01', worker: { jobCode: 'CA', jobTitle: 'Credit Approver' } })
  await until(async () => (await house.groupsOf('P-1')).includes('CBS_LoanApprove'))
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  await send({ person: 'P-1', effectiveAt: '2024-03-01', urgency: 'immediate', worker: { status: 'terminated' } })
  await until(async () => (await house.account('P-1'))?.locked)
  await until(async () => (await house.groupsOf('P-1')).length === 0)
  expect(await serve.stop()).toBe(0)
  expect(serve.lines.filter((line) => line.includes('"msg":"stopped"'))).toHaveLength(2)
  expect(serve.lines.join('\n')).not.toMatch(/P-1|p-1@bank|Family/)
})
