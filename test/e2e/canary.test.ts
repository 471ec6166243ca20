/**
 * DESIGN §5: what names a person is nowhere but in schema muster. People whose every value can be recognised live through
 * good and bad days; afterwards audit bytes, logs and everything that Redis was told are searched for them.
 */
import { connect, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Stack } from '../../scripts/stack/stack.ts'
import { hrMessage } from '../support/hr-event.ts'
import { isMessage } from '../support/ldap-traffic.ts'
import { type Installation, openInstallation } from '../support/muster-process.ts'
import { privateStack } from '../support/stack.ts'
import { type TcpProxy, tcpProxy, type Verdict } from '../support/tcp-proxy.ts'
import { approver, leaves, manager, moves, unguarded, works } from './people.ts'

/** In every value that tells of a person; spelled so that no encoding of a frame or a DN changes it. */
const canary = 'Kanarienvogel'
const person = (n: number) => `${canary}-key-${n}`
let events = 0
const about = (n: number, tell: typeof works, worker: Readonly<Record<string, unknown>> = {}) => {
  const event = tell(person(n))
  const marked = {
    employmentKey: `${canary}-employment-${n}`,
    givenName: `${canary}given`,
    familyName: `${canary}family`,
    displayName: `${canary} display`,
    username: `${canary.toLowerCase()}user${n}`,
    workEmail: `${canary}mail${n}@bank.example`,
    managerKey: `${canary}-manager`,
    jobTitle: `${canary} title`,
    custom: { nickname: `${canary}nick` },
  }
  return { ...event, id: `${canary}-event-${++events}`, worker: { ...marked, ...event.worker, ...worker } }
}

let own: Stack
let bank: Installation
let proxy: TcpProxy
let monitor: Socket
let told = ''
beforeAll(async () => {
  own = await privateStack(['redis', 'slapd'], {
    globalLines: ['moduleload constraint'],
    databaseLines: ['overlay constraint', 'constraint_attribute member regex ^[^!]*$'],
  })
  const ldap = new URL(own.ldap.plainUrl)
  proxy = await tcpProxy({ host: ldap.hostname, port: Number(ldap.port) })
  bank = await openInstallation({
    own,
    ownParts: ['redis', 'slapd'],
    target: unguarded,
    file: { log: { level: 'debug' }, engine: { lease: '2s' } },
    ldapSettings: { security: 'plain' },
    env: { MUSTER_LDAP_URL: `ldap://127.0.0.1:${proxy.port}` },
  })
  // A bare socket: MONITOR's answers are lines for people.
  const { hostname, port } = new URL(own.redisUrl)
  monitor = connect(Number(port), hostname)
  monitor.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  monitor.write('MONITOR\r\n')
})
afterAll(async () => {
  monitor?.destroy()
  await bank.close()
  await proxy.close()
  await own.stop({ discard: true })
})

const columns = async (schema: string) => {
  const tables = await bank.rows<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = $1 and tablename not like 'entry\\_2%'`,
    schema,
  )
  const hits: string[] = []
  for (const { name } of tables) {
    const [row] = await bank.rows<{ n: number }>(
      `select count(*)::int as n from ${name} t where t::text ilike '%' || $1 || '%'`,
      canary,
    )
    if ((row?.n ?? 0) > 0) hits.push(name)
  }
  return hits
}
const isIn = (text: string) => text.toLowerCase().includes(canary.toLowerCase())

test('good days: a join, a move, a hold, a leave', async () => {
  await bank.start()
  await bank.tell(...[1, 2, 3, 4].map((n) => about(n, works)))
  await bank.quiet()
  await bank.tell(
    about(1, moves),
    { ...about(2, works, { ...approver, primary: false }), effectiveAt: '2024-01-02' },
    { ...about(2, works, { ...approver, employmentKey: `${canary}-second`, primary: false }) },
    about(3, leaves),
    { ...about(4, leaves), urgency: 'immediate' },
  )
  await bank.quiet()
  expect((await bank.account(person(3)))?.locked).toBe(true)
})

test('bad days: garbage, a taken name, refused values, lost answers, poison, expired leases, a crash', async () => {
  const broken = hrMessage(about(5, works))
  await bank.tellRaw(
    { ...broken, value: broken.value.slice(0, -20) },
    { ...broken, key: `${canary}-other-key` },
    { ...broken, value: broken.value.replace('"active"', `"${canary}status"`) },
    { ...broken, headers: { 'content-type': `application/${canary}` } },
    broken,
    { ...broken, value: broken.value.replace('Mumbai', canary) },
  )
  await bank.addAccount(`${canary}-stranger`, { uid: `${canary.toLowerCase()}user6` })
  await bank.tell(about(6, works), about(7, works, { username: `${canary.toLowerCase()}!bad` }), about(8, works))
  await bank.quiet()
  // Answers lost and connections broken.
  let writes = 0
  proxy.watch(
    (bytes, direction): Verdict =>
      direction === 'to-client' && isMessage(bytes, 'modifyResponse', 'addResponse') && ++writes % 3 === 1
        ? 'reset'
        : 'pass',
  )
  await bank.tell(about(9, works))
  await bank.quiet()
  proxy.watch(null)
  // Poison: an employment without a worker.
  await bank.rows(
    `update muster.inbox set body = (body::jsonb - 'worker')::json where event_id = $1`,
    `${canary}-event-${events}`,
  )
  await bank.tell(about(9, moves))
  await bank.until(
    'the poison to be parked',
    async () => (await bank.rows('select 1 from muster.identity where parked_at is not null'))[0],
  )
  // An engine that dies with a call out, and another one that finds its lease expired.
  for (const one of bank.running()) one.kill('SIGKILL')
  const dying = await bank.start({ pauseAt: 'provision:called' })
  await bank.tell(about(10, works, manager))
  await dying.paused('provision:called')
  dying.kill('SIGKILL')
  await bank.start()
  await bank.quiet()
  const [sink] = await bank.rows<{ n: number }>(
    `select count(*) as n from audit.entry where kind in ('outcome', 'quarantined')`,
  )
  expect(sink?.n).toBeGreaterThan(50)
})

test('the search finds what is there: the people stand in schema muster', async () => {
  expect(await columns('muster')).toEqual(expect.arrayContaining(['muster.desired', 'muster.identity', 'muster.inbox']))
  expect(isIn(`x${canary.toUpperCase()}y`)).toBe(true)
})

test('nowhere in the audit', async () => {
  expect(await columns('audit')).toEqual([])
  const found = await bank.rows<{ kind: string; text: string }>(
    `select kind, convert_from(bytes, 'UTF8') as text from audit.entry where convert_from(bytes, 'UTF8') ilike '%' || $1 || '%'`,
    canary,
  )
  expect(found).toEqual([])
})

test('nowhere in what the engines said, at the level of debug', async () => {
  const said = bank.said()
  expect(said.some((line) => line.includes('"level":40'))).toBe(true)
  expect(said.filter(isIn)).toEqual([])
})

test('nowhere in what Redis was told, and in nothing that it holds', async () => {
  expect(told).toMatch(/"dispatch"/)
  expect(isIn(told)).toBe(false)
  const redis = new Redis(own.redisUrl)
  try {
    const kept = await redis.keys('*')
    expect(kept.length).toBeGreaterThan(0)
    expect(kept.filter(isIn)).toEqual([])
    for (const key of kept) expect(isIn((await redis.dumpBuffer(key))?.toString('latin1') ?? '')).toBe(false)
  } finally {
    redis.disconnect()
  }
})

test('in schema muster only where people stand: what waits, what was found and what was done knows them by number', async () => {
  const places = ['muster.desired', 'muster.identity', 'muster.inbox', 'muster.personal_detail']
  expect((await columns('muster')).filter((name) => !places.includes(name))).toEqual([])
})
