/** docs/events.md: its examples are what ingest takes, and the least joiner and leaver are the least. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fold, identityAt } from '../../../src/domain/fold.ts'
import type { Instant } from '../../../src/domain/instant.ts'
import { accepted, arrival, decode } from '../consumers/arrivals.ts'

type Members = { readonly [name: string]: unknown }
type Written = Members & { readonly data: Members & { readonly worker: Members } }

const page = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8')
const [joiner, leaver] = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text]) =>
  JSON.parse(text ?? ''),
) as [Written, Written]
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

test('the least joiner works from the first moment of the day in the zone', () => {
  const { event } = accepted(judge(joiner))
  const history = fold([{ ...event, receivedAt: 0 as Instant }])
  const start = Date.parse('2027-05-31T22:00:00Z')
  expect([start - 1, start].map((at) => identityAt(history, at as Instant).lifecycle)).toEqual(['prehire', 'active'])
})

test.each([
  ['joiner', joiner, []],
  ['leaver', leaver, ['time']],
])('what may be left out of the least %s', (_, least, dispensable) => {
  const { data } = least
  const lesser: readonly (readonly [string, Members])[] = [
    ...Object.keys(least).map((name) => [name, without(least, name)] as const),
    ...Object.keys(data).map((name) => [name, { ...least, data: without(data, name) }] as const),
    ...Object.keys(data.worker).map(
      (name) => [name, { ...least, data: { ...data, worker: without(data.worker, name) } }] as const,
    ),
  ]
  expect(lesser.filter(([, event]) => judge(event).kind === 'accepted').map(([name]) => name)).toEqual(dispensable)
})
