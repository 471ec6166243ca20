/** docs/events.md: its examples are what ingest takes, and the least leaver is the least. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fold, identityAt } from '../../../src/domain/fold.ts'
import type { Instant } from '../../../src/domain/instant.ts'
import { accepted, arrival, decode } from '../consumers/arrivals.ts'

type Members = { readonly [name: string]: unknown }
type Written = Members & { readonly data: Members & { readonly worker: Members } }

const page = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8')
const leaver = JSON.parse(/^```json\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '') as Written
const judge = (event: unknown) => decode(arrival('P-1001', event))
const without = (members: Members, name: string): Members =>
  Object.fromEntries(Object.entries(members).filter(([key]) => key !== name))

test('the least leaver leaves when it takes effect, and, immediate, when it is received', () => {
  const leave = (data: Members, receivedAt: number) => {
    const { event, endsAccess } = accepted(judge({ ...leaver, data: { ...leaver.data, ...data } }))
    expect(endsAccess).toBe(true)
    const hired = { ...event, id: 'hire', effectiveAt: 0 as Instant, urgency: 'normal' as const }
    const hire = { ...hired, receivedAt: 0 as Instant, worker: { ...event.worker, status: 'active' as const } }
    const history = fold([hire, { ...event, receivedAt: receivedAt as Instant }])
    return (at: number) => identityAt(history, at as Instant).leaver
  }
  const effective = Date.parse('2027-06-04T11:00:00Z')
  const atLeisure = leave({}, effective - 5_000)
  expect([effective - 1, effective].map(atLeisure)).toEqual([false, true])
  const atOnce = leave({ urgency: 'immediate' }, effective - 5_000)
  expect([effective - 5_001, effective - 5_000].map(atOnce)).toEqual([false, true])
})

test('of the least leaver nothing but the time may be left out', () => {
  const { data } = leaver
  const lesser: readonly (readonly [string, Members])[] = [
    ...Object.keys(leaver).map((name) => [name, without(leaver, name)] as const),
    ...Object.keys(data).map((name) => [name, { ...leaver, data: without(data, name) }] as const),
    ...Object.keys(data.worker).map(
      (name) => [name, { ...leaver, data: { ...data, worker: without(data.worker, name) } }] as const,
    ),
  ]
  expect(lesser.filter(([, event]) => judge(event).kind === 'accepted').map(([name]) => name)).toEqual(['time'])
})
