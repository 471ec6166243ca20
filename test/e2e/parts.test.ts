/** PostgreSQL, Redis and slapd fail under one running engine, which outlives all of it. */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Stack } from '../../scripts/stack/stack.ts'
import { isMessage } from '../support/ldap-traffic.ts'
import { type Installation, openInstallation } from '../support/muster-process.ts'
import { privateStack } from '../support/stack.ts'
import { type TcpProxy, tcpProxy, type Verdict } from '../support/tcp-proxy.ts'
import { brokenLaws } from './laws.ts'
import { leaves, lending, unguarded, works } from './people.ts'

let own: Stack
let proxy: TcpProxy
let bank: Installation
beforeAll(async () => {
  own = await privateStack(['postgres', 'redis', 'slapd'], {
    globalLines: ['moduleload constraint'],
    // slapd refuses a member whose name has this mark, value by value.
    databaseLines: ['overlay constraint', 'constraint_attribute member regex ^[^!]*$'],
  })
  const { hostname, port } = new URL(own.ldap.plainUrl)
  proxy = await tcpProxy({ host: hostname, port: Number(port) })
  bank = await openInstallation({
    own,
    ownParts: ['postgres', 'redis', 'slapd'],
    target: unguarded,
    file: { engine: { lease: '5s' } },
    ldapSettings: { security: 'plain', timeouts: { connectMs: 2_000, operationMs: 2_000 } },
    env: { MUSTER_LDAP_URL: `ldap://127.0.0.1:${proxy.port}` },
  })
  await bank.start()
})
afterAll(async () => {
  const [engine] = bank.running()
  const code = await engine?.stop()
  await bank.close()
  await proxy.close()
  await own.stop({ discard: true })
  expect(code).toBe(0)
})

/** So many people of this name, at work. */
const hired = async (name: string, count: number) => {
  const people = Array.from({ length: count }, (_, at) => `${name}-${at}`)
  await bank.tell(...people.map((person) => works(person)))
  return people
}
const everybodyHas = async (people: readonly string[], groups: readonly string[], locked = false) => {
  const directory = await bank.everything()
  for (const person of people) expect(directory.get(person)).toEqual({ locked, groups })
}
const someGrant = (people: readonly string[]) =>
  bank.until('the first grants', async () => {
    const directory = await bank.everything()
    return people.some((person) => (directory.get(person)?.groups.length ?? 0) > 0)
  })
const isGone = async (person: string) =>
  (await bank.account(person))?.locked === true && (await bank.groupsOf(person)).length === 0

test('PostgreSQL stops at once in the middle of the work, twice: nothing lost, nothing doubled, nobody blamed', async () => {
  const joiners = await hired('PG', 60)
  await bank.until('the first account', async () => (await bank.everything()).size > 0)
  await own.part('postgres').kill('SIGQUIT')
  const more = await hired('PH', 40)
  await own.part('postgres').restart()
  await someGrant(joiners)
  await own.part('postgres').kill('SIGQUIT')
  await own.part('postgres').restart()
  // What was claimed or queued when its worker lost the database counts as lost after a while.
  await bank.until(
    'ingest',
    async () => (await bank.rows<{ n: number }>('select count(*) as n from muster.identity'))[0]?.n === 100,
  )
  await bank.shift(61_000)
  await bank.quiet()
  await everybodyHas([...joiners, ...more], lending)
  expect(await bank.rows('select 1 from muster.identity where parked_at is not null')).toEqual([])
  expect(await brokenLaws(bank)).toEqual([])
})

test('Redis is emptied again and again while people join, and then dies: leavers keep their time, joiners wait', async () => {
  const redis = new Redis(own.redisUrl)
  const joiners = await hired('RF', 60)
  await bank.until('the last of them to be dispatched', async () => {
    await redis.flushall()
    const [row] = await bank.rows<{
      n: number
    }>(`select count(*) as n from muster.identity i where person_key like 'RF-%'
      and exists (select from muster.action a where a.identity_id = i.id and a.dispatch_id is not null)`)
    return row?.n === joiners.length
  })
  redis.disconnect()
  await bank.shift(61_000)
  await bank.quiet()
  await everybodyHas(joiners, lending)

  await own.part('redis').kill('SIGKILL')
  const [late] = await hired('RW', 1)
  // More than go straight from their evaluation: the others need a way past the queue.
  const left = joiners.slice(0, 30)
  await bank.tell(...left.map((person) => leaves(person)))
  await bank.until('the leavers to be gone', async () => {
    const directory = await bank.everything()
    return left.every((person) => directory.get(person)?.locked && directory.get(person)?.groups.length === 0)
  })
  await bank.until(
    'their chains',
    async () =>
      (await bank.rows(`select 1 from muster.action where lane = 'leaver' and state in ('ready', 'dispatched')`))
        .length === 0,
  )
  // Kafka's clock is not the shifted one, so from the receipt.
  const took = await bank.rows<{ ms: number }>(
    `select (extract(epoch from max(a.done_at) - min(b.received_at)) * 1000)::int as ms from muster.action a
     join muster.inbox b on b.identity_id = a.identity_id and b.ends_access where a.lane = 'leaver' and a.state = 'done' group by a.identity_id`,
  )
  expect(took.map(({ ms }) => ms < 60_000)).toEqual(left.map(() => true))
  expect(await bank.account(late ?? '')).toBeNull()
  await own.part('redis').restart()
  await bank.quiet()
  await everybodyHas([late ?? ''], lending)
  expect(await brokenLaws(bank)).toEqual([])
})

test('slapd is down: both lanes wait for it, and everything is done when it is back', async () => {
  const [joiner = ''] = await hired('SD', 1)
  await bank.quiet()
  await own.part('slapd').kill('SIGKILL')
  await bank.tell(leaves(joiner), works('SD-new'))
  await bank.until('an attempt of each', async () => {
    const tried = await bank.rows<{ lane: string }>(
      `select distinct lane::text from muster.action where attempts > 0 and state in ('ready', 'dispatched')`,
    )
    return tried.length === 2
  })
  await own.part('slapd').restart()
  await bank.quiet()
  expect(await isGone(joiner)).toBe(true)
  await everybodyHas(['SD-new'], lending)
  expect(await brokenLaws(bank)).toEqual([])
})

test('slapd is slow and drops connections: changes are found made or made again, once', async () => {
  let answers = 0
  proxy.watch(async (_, direction): Promise<Verdict> => {
    if (direction === 'to-server') return 'pass'
    answers++
    if (answers % 9 === 0) return 'reset'
    await new Promise((resolve) => setTimeout(resolve, 30))
    return 'pass'
  })
  const joiners = await hired('SL', 4)
  await bank.until('them to hold something', async () => (await bank.groupsOf(joiners[0] ?? '')).length > 0)
  await bank.tell(leaves(joiners[0] ?? ''))
  await bank.quiet()
  proxy.watch(null)
  expect(await isGone(joiners[0] ?? '')).toBe(true)
  await everybodyHas(joiners.slice(1), lending)
  expect(await brokenLaws(bank)).toEqual([])
})

test('the answer to a change is lost after it was made: read back, not sent again', async () => {
  let lost = 0
  let changes = 0
  proxy.watch((bytes, direction): Verdict => {
    if (direction === 'to-server' && isMessage(bytes, 'modify', 'add')) changes++
    if (direction === 'to-server' || lost > 1 || !isMessage(bytes, 'modifyResponse', 'addResponse')) return 'pass'
    lost++
    return 'reset'
  })
  await bank.tell(works('AL-0'))
  await bank.quiet()
  proxy.watch(null)
  expect(lost).toBe(2)
  expect(changes).toBe(1 + lending.length)
  await everybodyHas(['AL-0'], lending)
  const unknown = await bank.audit<{ operation: string; changed: boolean }>(
    `select operation, changed from auditor.person_trail where person_key = 'AL-0' and kind = 'outcome' and outcome = 'unknown' order by recorded_at, id`,
  )
  expect(unknown.map(({ operation }) => operation)).toEqual(['ensureAccount', 'grant'])
  expect(await brokenLaws(bank)).toEqual([])
})

test('one value in a batch is refused: it alone is parked, with a finding', async () => {
  await bank.tell(
    works('BV-0'),
    works('BV-1', { department: 'LENDING', jobCode: 'RM', username: 'bad!name' }),
    works('BV-2'),
  )
  await bank.quiet()
  await everybodyHas(['BV-0', 'BV-2'], lending)
  expect(await bank.groupsOf('BV-1')).toEqual([])
  const parked = await bank.rows<{ n: number }>(`select count(*) as n from muster.action where state = 'parked'`)
  expect(parked[0]?.n).toBe(lending.length)
  // A leaver has nothing to wait for.
  await bank.tell(leaves('BV-1'))
  await bank.quiet()
  expect(await isGone('BV-1')).toBe(true)
  expect(await brokenLaws(bank)).toEqual([])
})

test('midnight passes while everything is down: who left, who came and who moved then is done at the start', async () => {
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
  await bank.tell(
    works('MN-0', { department: 'LENDING', jobCode: 'RM', lastDayOfWork: day(1) }),
    works('MN-1', { department: 'LENDING', jobCode: 'RM', contractEndDate: day(1) }),
    works('MN-2', { department: 'LENDING', jobCode: 'RM' }, day(2)),
  )
  await bank.quiet()
  await everybodyHas(['MN-0', 'MN-1'], lending)
  const [engine] = bank.running()
  engine?.kill('SIGKILL')
  await engine?.ended
  await own.part('postgres').stop()
  await own.part('postgres').restart()
  await bank.shift(2 * 86_400_000)
  await bank.start()
  await bank.quiet()
  expect(await isGone('MN-0')).toBe(true)
  expect(await isGone('MN-1')).toBe(true)
  await everybodyHas(['MN-2'], lending)
  expect(await brokenLaws(bank)).toEqual([])
})

test('PostgreSQL is away when a call returns: what it did is written when it is back, not found out again', async () => {
  const [before] = bank.running()
  await before?.stop()
  const patient = bank.configure({ file: { engine: { lease: '30s' } } })
  const engine = await bank.start({ files: patient, pauseAt: 'bulk/provision:called' })
  await bank.tell(works('KW-0'))
  await engine.paused('provision:called')
  await own.part('postgres').kill('SIGQUIT')
  engine.resume()
  await engine.line((text) => text.includes('database unavailable: waiting'))
  await own.part('postgres').restart()
  await bank.quiet()
  await everybodyHas(['KW-0'], lending)
  const outcomes = await bank.audit<{ outcome: string }>(
    `select distinct outcome from auditor.person_trail where person_key = 'KW-0' and kind = 'outcome'`,
  )
  expect(outcomes).toEqual([{ outcome: 'done' }])
  expect(await brokenLaws(bank)).toEqual([])
  patient.remove()
})
