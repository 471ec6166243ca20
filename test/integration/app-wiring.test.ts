/** What app.ts wires: who gives way to whom, what ends before what, and whose connections are whose. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Queue } from 'bullmq'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { examineEngine } from '../../src/app/examine-engine.ts'
import { type App, type AppOptions, createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { plainConnection } from '../../src/consumers/kafka-client.ts'
import { publish } from '../../src/consumers/publish.ts'
import type { TargetId } from '../../src/domain/ids.ts'
import { evaluate } from '../../src/engine/evaluate.ts'
import { createLog } from '../../src/log.ts'
import { createGiveWay } from '../../src/workers/give-way.ts'
import { openQueues } from '../../src/workers/queues.ts'
import { openRedis } from '../../src/workers/redis-link.ts'
import { bankFiles } from '../support/bank-files.ts'
import type { ConfigDirectory, ConfigDirectoryOptions } from '../support/config-directory.ts'
import { createGates } from '../support/faults.ts'
import { type House, openHouse, target } from '../support/house.ts'
import { hrMessage } from '../support/hr-event.ts'
import { addresses, freshTopic } from '../support/stack.ts'
import { until } from '../support/until.ts'
import { leaves, works } from './protocol/people.ts'

let house: House
const opened: { apps: App[]; files: ConfigDirectory[] } = { apps: [], files: [] }
beforeEach(async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
})
afterEach(async () => {
  await Promise.all(opened.apps.splice(0).map((app) => app.stop()))
  for (const files of opened.files.splice(0)) files.remove()
  await house.close()
})

const configure = (more: Partial<ConfigDirectoryOptions> = {}) => {
  const files = bankFiles(house, {
    ...more,
  })
  opened.files.push(files)
  const loaded = loadConfig(files.directory, files.env)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return async (options: AppOptions) => {
    const app = await createApp(loaded.value, { name: 'test-engine', ...options })
    opened.apps.push(app)
    return { app, prefix: loaded.value.queue.prefix }
  }
}
const asked = ({ giveWay }: App) => Atomics.load(new BigInt64Array(giveWay), 0) > 0n
const leave = async () => {
  await house.tell(leaves('P-1', await house.now()))
  await house.shift(5)
}
const isGone = async () => (await house.groupsOf('P-1')).length === 0

test.each([
  ['evaluated and sent by one', [['evaluate', 'dispatch', 'provision']], {}],
  ['by the queue', [['evaluate', 'dispatch'], ['provision']], {}],
  ['past a Redis that is away', [['evaluate', 'dispatch'], ['provision']], { MUSTER_REDIS_URL: 'redis://127.0.0.1:1' }],
] as const)('while a leaver is in hand, %s, bulk work is asked to give way; then no more', async (_, roles, env) => {
  const gates = createGates()
  const open = configure({ env })
  const apps = (
    await Promise.all(roles.map((some) => open({ roles: some, lanes: ['leaver'], pause: gates.pause })))
  ).map(({ app }) => app)
  const sends = apps.at(-1) as App
  const called = gates.stopAt('provision:called')
  for (const app of apps) await app.start()
  expect(asked(sends)).toBe(false)
  await leave()
  await called.reached
  expect(asked(sends)).toBe(true)
  called.open()
  await until(isGone)
  await until(() => !asked(sends))
})

test('an app asks its own bulk work to wait', async () => {
  const { app } = await configure()({ roles: ['evaluate'], lanes: ['bulk'] })
  const gone = createGiveWay(app.giveWay).inHand()
  let given = false
  const waiting = app.engine.settings.giveWay?.().then(() => {
    given = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(given).toBe(false)
  gone()
  await waiting
  expect(given).toBe(true)
})

test.each([[['leaver']], [['leaver', 'bulk']]] as const)(
  'requests of bulk work to a target wait while a leaver is in hand; those of lanes %j never do',
  async (lanes) => {
    const open = configure()
    const bulk = (await open({ roles: ['provision'], lanes: ['bulk'] })).app
    const other = (await open({ roles: ['provision'], lanes, giveWay: bulk.giveWay })).app
    const read = async ({ engine }: App, name: string) => {
      await engine.connectors.get(target)?.whoIs([`uid=nobody,${house.tree.people}`], new AbortController().signal)
      return name
    }
    await Promise.all([read(bulk, 'bulk'), read(other, 'other')]) // both are connected
    const gone = createGiveWay(bulk.giveWay).inHand()
    const waiting = read(bulk, 'bulk')
    expect(await Promise.race([waiting, read(other, 'other')])).toBe('other')
    gone()
    expect(await waiting).toBe('bulk')
  },
)

test('ingest asks as soon as a leaver is in the inbox, and for nobody else', async () => {
  const { topic } = await freshTopic()
  const connection = plainConnection(addresses().kafkaBrokers)
  const say = (...messages: ReturnType<typeof hrMessage>[]) =>
    publish({ connection, log: createLog('silent', 'test') }, topic, messages)
  const { app } = await configure({ topics: [topic] })({ roles: ['ingest'], lanes: ['leaver'] })
  await app.start()
  const known = async (person: string) =>
    (
      await house.rows(
        'select 1 from muster.inbox b join muster.identity i on i.id = b.identity_id where i.person_key = $1',
        person,
      )
    ).length > 0
  await say(hrMessage({ person: 'P-7', effectiveAt: '2024-01-01' }))
  await until(() => known('P-7'))
  expect(asked(app)).toBe(false)
  await say(
    hrMessage({
      person: 'P-8',
      effectiveAt: '2024-01-01',
      worker: { status: 'terminated', lastDayOfWork: '2024-01-01' },
    }),
  )
  await until(() => asked(app))
})

test('a stop leaves on the queue what comes while ingest still has a batch in hand', async () => {
  const { topic } = await freshTopic()
  const provisioned: number[] = []
  let stopping = false
  let looks = 0
  const { app, prefix } = await configure({ topics: [topic] })({
    roles: ['ingest', 'dispatch', 'provision'],
    lanes: ['leaver'],
    verbs: {
      provision: async (_engine, id) => void provisioned.push(id),
      unclaimedLeavers: async () => {
        if (!stopping) return []
        looks++
        await new Promise((resolve) => setImmediate(resolve))
        return [{ id: 77, target: 'bank-ldap', lane: 'leaver', queueNo: 1 }]
      },
    },
  })
  await app.start()
  const log = createLog('silent', 'test')
  const redis = openRedis(addresses().redisUrl, log)
  await until(() => redis.reachable())
  const queues = openQueues(redis, prefix, log)
  const waiting = new Queue('muster-bank-ldap-leaver', { connection: redis.connect(), prefix })
  try {
    await queues.put([{ id: 1, target: 'bank-ldap', lane: 'leaver', queueNo: 1 }])
    await until(() => provisioned.length === 1)
    const locked = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const locking = house.admin.transaction(async (tx) => {
      await tx.query({ text: 'lock table muster.inbox in exclusive mode' })
      locked.resolve()
      await release.promise
    })
    await locked.promise
    await publish({ connection: plainConnection(addresses().kafkaBrokers), log }, topic, [
      hrMessage({ person: 'P-7', effectiveAt: '2024-01-01' }),
    ])
    await house.waitingForALock()
    stopping = true
    const stopped = app.stop()
    app.engine.nudge('provision', 'leaver')
    const late = [2, 3, 4, 5, 6].map((id) => ({ id, target: 'bank-ldap', lane: 'leaver' as const, queueNo: 1 }))
    await queues.put(late)
    // A worker that still took jobs would have done so within a few round trips.
    for (let i = 0; i < 200; i++) if ((await waiting.getWaitingCount()) < late.length - 1) break
    release.resolve()
    await Promise.all([locking, stopped])
    expect(looks).toBeLessThanOrEqual(1)
    const left = (await waiting.getWaitingCount()) + (await waiting.getActiveCount())
    expect(late.length - left - (provisioned.length - 1)).toBe(0)
  } finally {
    await waiting.close()
    await queues.close()
    redis.close()
  }
})

test('an evaluation that needs ids gets them while everybody who waits for its locks has all other connections', async () => {
  const gates = createGates()
  const { app } = await configure({ file: { engine: { databaseConnections: 4 } } })({
    roles: ['evaluate'],
    lanes: ['leaver'],
    pause: gates.pause,
  })
  await leave()
  const locked = gates.stopAt('evaluate:locked')
  const evaluating = evaluate(app.engine, 'leaver')
  await locked.reached
  const waiting = [1, 2, 3].map(() =>
    app.engine.db.query({ text: `update muster.identity set events_seen = events_seen where person_key = 'P-1'` }),
  )
  await house.waitingForALock(waiting.length)
  locked.open()
  expect(await evaluating).toMatchObject({ evaluated: 1 })
  await Promise.all(waiting)
})

test('what a process does is known while it runs, and that nobody does it any more soon after', async () => {
  const open = configure()
  const problems = async () => (await examineEngine(house.database.engineUrl)).problems.join('\n')
  expect(await problems()).toBe('')
  const { app } = await open({ roles: ['ingest', 'schedule', 'dispatch'], lanes: ['bulk'], elsewhere: ['ingest'] })
  await app.start()
  await until(async () => (await problems()) !== '')
  const missing = [
    'ingest',
    'evaluate leaver',
    'evaluate bulk',
    'dispatch leaver',
    'provision leaver',
    'provision bulk',
  ]
  expect([...(await problems()).matchAll(/nobody does `(.+?)`/g)].map(([, part]) => part)).toEqual(missing)
  await app.stop()
  await house.shift(61_000)
  expect(await problems()).toMatch(/^none has been seen since/)
  await (await open({ roles: ['dispatch'], lanes: ['bulk'] })).app.start()
  await until(async () => (await problems()).includes('nobody does `schedule` (not since'))
  expect(await problems()).not.toContain('dispatch bulk')
})

test('what a target says to one process about its rate, every lane of every process heeds', async () => {
  let asked = 0
  const busy = createServer((_, response) => {
    asked++
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify({ __type: 'ThrottlingException', Message: 'Rate exceeded', RetryAfterSeconds: 3_600 }))
  })
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve))
  const aws = {
    region: 'eu-central-1',
    instanceArn: 'arn:aws:sso:::instance/ssoins-0123456789abcdef',
    identityStoreId: 'd-0123456789',
    credentials: { from: 'keys', accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'env:MUSTER_AWS_SECRET' },
    endpoint: `http://127.0.0.1:${(busy.address() as AddressInfo).port}`,
  }
  try {
    const targets = [{ id: 'bank-aws', type: 'aws', mode: 'observe', aws }]
    const open = configure({ file: { targets }, env: { MUSTER_AWS_SECRET: 'secret' } })
    for (const lane of ['bulk', 'bulk', 'leaver'] as const) {
      const { engine } = (await open({ roles: ['provision'], lanes: [lane] })).app
      const read = await engine.connectors.get('bank-aws' as TargetId)?.listAccounts(new AbortController().signal)
      expect(read).toMatchObject({ kind: 'partial', cause: expect.stringContaining('throttled') })
    }
    expect(asked).toBe(1)
  } finally {
    busy.close()
  }
})
