/** Three hundred random events about forty people, engines killed at random moments: afterwards the laws hold. */
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { conflicts } from '../integration/protocol/laws.ts'
import { type HrEvent, hrMessage } from '../support/hr-event.ts'
import { type Installation, openInstallation } from '../support/muster-process.ts'
import { brokenLaws } from './laws.ts'
import { unguarded } from './people.ts'

let bank: Installation
afterEach(() => bank.close())

/** mulberry32: the same numbers for the same seed, 0 ≤ x < 1. */
const randomFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const jobs = ['RM', 'CA', 'LD', 'TELLER', 'VAULT', 'GLA', 'GLC', 'RISK', 'WIRE-MAKER', 'WIRE-CHECKER', 'CLERK']
const departments = ['LENDING', 'RETAIL', 'TREASURY', 'FINANCE']
const forbidden = [
  ['CBS_LoanEntry', 'CBS_LoanApprove'],
  ['CBS_LoanEntry', 'CBS_LoanDisburse'],
  ['CBS_TellerCash', 'CBS_VaultCustody'],
  ['CBS_GLPost', 'CBS_GLApprove'],
  ['PAY_WireEnter', 'PAY_WireApprove'],
] as const

const feed = (random: () => number, now: number, count: number, people: number): readonly HrEvent[] => {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const day = 86_400_000
  const instant = (at: number) => new Date(at).toISOString()
  const told: HrEvent[] = []
  while (told.length < count) {
    const person = `R-${Math.floor(random() * people)}`
    const second = random() < 0.2
    const base = {
      person,
      id: `random-${told.length}`,
      // Mostly in the past, in any order; some begin while the feed runs.
      effectiveAt: random() < 0.15 ? instant(now + random() * 10_000) : instant(now - random() * 700 * day),
      worker: {
        employmentKey: `${person}-${second ? 2 : 1}`,
        primary: !second,
        department: pick(departments),
        jobCode: pick(jobs),
        status: 'active',
      },
    } satisfies HrEvent
    const mine = told.filter((event) => event.person === person && event.action !== 'rescind')
    const earlier = mine.length === 0 ? undefined : pick(mine)
    const dice = random()
    if (dice < 0.5 || earlier === undefined) told.push(base)
    else if (dice < 0.66)
      told.push({ ...base, urgency: pick(['normal', 'immediate']), worker: { ...base.worker, status: 'terminated' } })
    else if (dice < 0.72)
      told.push({ ...base, worker: { ...base.worker, status: pick(['leave', 'suspended', 'prehire']) } })
    else if (dice < 0.78)
      told.push({
        ...base,
        worker: { ...base.worker, lastDayOfWork: instant(now + (random() - 0.5) * 400 * day).slice(0, 10) },
      })
    else if (dice < 0.86) told.push({ ...base, action: 'correct', supersedes: earlier.id ?? '' })
    else if (dice < 0.93) told.push({ ...base, action: 'rescind', supersedes: earlier.id ?? '' })
    else told.push(earlier)
  }
  return told
}

test.each([20261121])('seed %i', async (seed) => {
  const random = randomFrom(seed)
  bank = await openInstallation({
    partitions: 3,
    target: unguarded,
    file: { log: { level: 'info' }, engine: { lease: '2s' } },
  })
  const redis = new Redis(bank.redisUrl)
  const events = feed(random, await bank.now(), 300, 40)
  const written = new Map(events.map((event) => [event, hrMessage(event)]))
  const facts = async () => (await bank.rows<{ n: number }>('select count(*)::int as n from audit.entry'))[0]?.n ?? 0
  await bank.start()
  for (let at = 0; at < events.length; at += 50) {
    await bank.tellRaw(...events.slice(at, at + 50).flatMap((event) => written.get(event) ?? []), {
      key: `R-${at}`,
      value: '{"garbage":',
    })
    // So many more facts, then somebody dies: in the middle of whatever was going on.
    const until = (await facts()) + Math.floor(random() * 120)
    const last = performance.now() + 3_000
    await bank.until('some work to be done', async () => (await facts()) >= until || performance.now() > last)
    const engines = bank.running()
    const victim = engines[Math.floor(random() * engines.length)]
    victim?.kill('SIGKILL')
    await victim?.ended
    if (random() < 0.5) for (const key of await redis.keys(`${bank.prefix}*`)) await redis.del(key)
    if (bank.running().length === 0 || random() < 0.5) await bank.start()
    await bank.shift(61_000)
    expect(await conflicts(bank, forbidden)).toEqual([])
  }
  redis.disconnect()
  await bank.quiet()
  expect(await conflicts(bank, forbidden)).toEqual([])
  expect(await brokenLaws(bank)).toEqual([])
  const intake = await bank.audit<{ quarantined: number; duplicate: number }>(
    `select sum(quarantined)::int as quarantined, sum(duplicate)::int as duplicate from auditor.intake`,
  )
  expect(intake).toEqual([{ quarantined: 6, duplicate: events.length - written.size }])

  // Everybody judged anew, from the first event: nothing is left to change.
  const actions = () => bank.rows<{ n: number }>('select count(*)::int as n from muster.action')
  const before = await actions()
  await bank.rows('update muster.identity set work_due_at = muster.now()')
  await bank.quiet()
  expect(await actions()).toEqual(before)
})
