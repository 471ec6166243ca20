import { afterEach, beforeEach, expect, test } from 'vitest'
import { startLeaverThread } from '../../src/cli/leaver-thread.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { plainConnection } from '../../src/consumers/kafka-client.ts'
import { publish } from '../../src/consumers/publish.ts'
import { createLog } from '../../src/log.ts'
import { giveWayMemory } from '../../src/workers/give-way.ts'
import { type ConfigDirectory, writeConfigDirectory } from '../support/config-directory.ts'
import { bankPolicies, type House, openHouse } from '../support/house.ts'
import { hrMessage } from '../support/hr-event.ts'
import { type ServeProcess, spawnServe, startServe } from '../support/serve-process.ts'
import { addresses, freshTopic } from '../support/stack.ts'
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

let house: House
let topic: string
let proxy: TcpProxy
let files: ConfigDirectory
let serving: ServeProcess[]
beforeEach(async () => {
  house = await openHouse()
  topic = (await freshTopic()).topic
  const database = new URL(house.database.engineUrl)
  proxy = await tcpProxy({ host: database.hostname, port: Number(database.port) })
  database.port = String(proxy.port)
  database.hostname = '127.0.0.1'
  files = writeConfigDirectory({
    database: { ...house.database, engineUrl: database.href },
    tree: house.tree,
    policies: bankPolicies(house.tree.groups),
    topics: [topic],
    file: { log: { level: 'info' } },
  })
  serving = []
})
afterEach(async () => {
  for (const serve of serving) serve.kill('SIGKILL')
  await Promise.all(serving.map(({ ended }) => ended))
  await proxy.close()
  files.remove()
  await house.close()
})

const rm = { jobCode: 'RM', department: 'LENDING', country: 'IN' }
const joinBy = async (person: string) => house.tell({ person, effectiveAt: (await house.now()) - 1000, attributes: rm })
const has = async (person: string) => (await house.groupsOf(person)).includes('CBS_LoanEntry')
const send = (person: string) =>
  publish({ connection: plainConnection(addresses().kafkaBrokers), log: createLog('silent', 'test') }, topic, [
    hrMessage({ person, effectiveAt: '2024-01-01' }),
  ])

test('waits for a database that is away, at the start and under way, and goes on by itself', async () => {
  proxy.refuse(true)
  const serve = spawnServe(files)
  serving.push(serve)
  await serve.line((line) => line.includes('the database cannot be reached: waiting for it'))
  proxy.refuse(false)
  await serve.line((line) => line.includes('"msg":"ready"'))
  await send('P-1')
  await until(() => has('P-1'))

  proxy.refuse(true)
  proxy.resetAll()
  await send('P-2')
  await serve.line((line) => line.includes('database unavailable: waiting'))
  proxy.refuse(false)
  await until(() => has('P-2'))
  expect(await serve.stop()).toBe(0)
})

test('with Kafka away it starts, ends the access of leavers it knows, and grants nothing: a leaver may be unread there', async () => {
  await joinBy('P-1')
  await house.quiesce()
  const away = { ...files, env: { ...files.env, MUSTER_KAFKA_BROKERS: '127.0.0.1:1' } }
  const serve = await startServe(away)
  serving.push(serve)
  await joinBy('P-2')
  await house.tell({ person: 'P-1', effectiveAt: await house.now(), status: 'terminated' })
  await until(async () => (await house.account('P-1'))?.locked === true && (await house.groupsOf('P-1')).length === 0)
  expect(await house.account('P-2')).toBeNull()
  expect(await serve.stop()).toBe(0)

  const back = await startServe(files)
  serving.push(back)
  await until(() => has('P-2'))
})

test('the roles may be spread over processes', async () => {
  const spread = ['ingest,schedule', 'evaluate', 'dispatch', 'provision']
  serving = await Promise.all(spread.map((roles) => startServe(files, { args: ['--roles', roles] })))
  await send('P-1')
  await until(() => has('P-1'))
  expect(await Promise.all(serving.map((serve) => serve.stop()))).toEqual([0, 0, 0, 0])
})

test('a leaver lane that dies again and again is not started for ever: whoever runs Muster must see it', async () => {
  const loaded = loadConfig(files.directory, files.env)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const broken = { ...loaded.value, log: { level: 'no such level' } } as unknown as Config
  let giveUp = () => {}
  const givenUp = new Promise<void>((resolve) => {
    giveUp = resolve
  })
  const thread = startLeaverThread(
    { config: broken, roles: ['evaluate'], lane: 'leaver', giveWay: giveWayMemory() },
    createLog('silent', 'test'),
    giveUp,
  )
  await expect(thread.started).rejects.toThrow(/before it had started/)
  await givenUp
})
