/** One of two targets is in trouble: the other does not notice, nothing is given up, and in the end all is right. */
import { afterEach, expect, test } from 'vitest'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { provision } from '../../../src/engine/provision.ts'
import type { Log } from '../../../src/log.ts'
import { createFaults } from '../../support/faults.ts'
import { type House, type HouseOptions, openHouse, target } from '../../support/house.ts'
import { addresses } from '../../support/stack.ts'
import { tcpProxy } from '../../support/tcp-proxy.ts'
import { findingsOf } from './behind-our-back.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let house: House
afterEach(() => house.close())
const open = async (options: HouseOptions) => {
  house = await openHouse({ second: (real) => real, ...options })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
}
const round = async () => {
  await house.evaluateAll()
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
}
const seen = async (person: string) => (await house.everything()).get(person)
const everything = [...lending, 'Second_Staff'].sort()
/** States and attempts of what is open on the troubled target. */
const owed = () =>
  house.rows<{ lane: string; state: string; attempts: number }>(
    `select lane::text, state::text, max(attempts) as attempts from muster.action where target = $1 and open group by 1, 2 order by 1, 2`,
    target,
  )

test('down for hours: the others go on, the leaver pages, nothing is parked, one finding tells it; back, all is made right', async () => {
  const proxy = await tcpProxy({ host: '127.0.0.1', port: Number(new URL(addresses().ldap.plainUrl).port) })
  await open({ proxyPort: proxy.port })
  proxy.refuse(true)
  proxy.resetAll()
  await house.tell(leaves('P-1', await house.now()))
  await house.tell(works('P-2', (await house.now()) - 1000))
  const begun = await house.now()
  await round()
  await round()
  expect(await house.second.account('P-1')).toMatchObject({ locked: true })
  expect(await house.second.groupsOf('P-1')).toEqual([])
  expect(await house.second.groupsOf('P-2')).toEqual(['Second_Staff'])

  await house.shift(61_000)
  await house.sweep()
  // What a leaver keeps for more than the minute that it may take pages.
  expect(new Set(await findingsOf(house))).toEqual(new Set(['action-overdue!']))
  // Longer than the longest pause each time: more attempts than an action of its own trouble is given.
  for (let tries = 0; tries < 45; tries++) {
    await house.shift(310_000)
    await round()
  }
  expect((await house.now()) - begun).toBeGreaterThan(3 * 3_600_000)
  await house.sweep()
  const states = await owed()
  expect(states.map(({ lane, state }) => `${lane} ${state}`)).toEqual(['bulk ready', 'leaver ready'])
  expect(new Set(await findingsOf(house))).toEqual(
    new Set(['action-overdue!', 'action-overdue', 'still-failing!', 'target-away!']),
  )
  const [told] = await house.rows(
    `select key, detail->>'word' as word, identity_id from muster.finding where kind = 'target-away'`,
  )
  expect(told).toEqual({ key: target, word: expect.stringMatching(/^connect(ion-lost|-failed)$/), identity_id: null })
  expect(await house.account('P-1')).toMatchObject({ locked: false })

  // It answers again: whoever waits is taken within the longest pause.
  proxy.refuse(false)
  await house.shift(301_000)
  // The account, then what waited for it.
  for (let steps = 0; steps < 2; steps++) await round()
  expect(await owed()).toEqual([])
  await house.quiesce()
  expect([await seen('P-1'), await seen('P-2')]).toEqual([
    { locked: true, groups: [] },
    { locked: false, groups: everything },
  ])
  expect(await brokenLaws(house)).toEqual([])
  await house.sweep()
  expect(await findingsOf(house)).toEqual([])
  await proxy.close()
})

test('a storm of throttling: no attempt is burnt, a leaver is gone from the other target at once, and from this one when it calms', async () => {
  const throttled: Outcome = { kind: 'throttled', retryAfterMs: 20_000, scope: 'target' }
  let storming = false
  await open({
    connector: (real) => ({
      ...real,
      apply: async (operations, context) =>
        storming ? operations.map(() => throttled) : real.apply(operations, context),
    }),
  })
  storming = true
  for (let n = 0; n < 3; n++) await house.tell(works(`J-${n}`, (await house.now()) - 1000))
  await house.tell(leaves('P-1', await house.now()))
  await round()
  expect(await house.second.account('P-1')).toMatchObject({ locked: true })
  expect(await house.second.groupsOf('P-1')).toEqual([])
  for (let n = 0; n < 6; n++) {
    await house.shift(20_000)
    await round()
  }
  expect((await owed()).map(({ state, attempts }) => `${state} ${attempts}`)).toEqual(['ready 0', 'ready 0'])
  storming = false
  await house.quiesce()
  expect(await seen('P-1')).toEqual({ locked: true, groups: [] })
  expect((await seen('J-2'))?.groups).toEqual(everything)
  expect(await brokenLaws(house)).toEqual([])
})

test('what a broken gateway answers stands in the erasable table and nowhere else: not in a log, a finding or the audit', async () => {
  const page = '<!DOCTYPE html><html><body><h1>502</h1>amit.r@bank.example</body></html>'
  const faults = createFaults()
  await open({ connector: faults.wrap })
  const cause = { code: '502', word: 'bad-gateway', message: page }
  const lines: string[] = []
  const write = (fields: unknown, text: string) => void lines.push(`${JSON.stringify(fields)} ${text}`)
  const log: Log = { error: write, warn: write, info: write, debug: write }
  await house.tell(leaves('P-1', await house.now()))
  await house.evaluateAll()
  faults.next(async (operations) => operations.map(() => ({ kind: 'unknown', cause })))
  faults.next(async () => Promise.reject(new Error(page)))
  for (const end of [1, 2]) {
    await house.shift(600 * end)
    for (const { id } of await house.dispatchAll()) await provision({ ...house.engine, log }, id)
  }
  expect(lines.length).toBeGreaterThan(0)
  expect((await auditOf(house)).filter(({ body }) => body.word === 'bad-gateway')).not.toEqual([])
  const kept = async (text: string) => (await house.rows<{ kept: string }>(text)).map((row) => row.kept).join('\n')
  const told = [
    lines.join('\n'),
    await kept(`select convert_from(bytes, 'UTF8') as kept from audit.entry`),
    await kept('select f::text as kept from muster.finding f'),
    await kept('select a::text as kept from muster.action a'),
  ]
  for (const text of told) expect(text).not.toMatch(/DOCTYPE|amit\.r/)
  await house.quiesce()
  expect(await seen('P-1')).toEqual({ locked: true, groups: [] })
})
