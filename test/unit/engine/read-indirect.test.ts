import { expect, test } from 'vitest'
import type { NativeId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import type { Claim, ClaimedAction } from '../../../src/engine/claim.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { judgeOutcome } from '../../../src/engine/judge-outcome.ts'
import { makesDue } from '../../../src/engine/makes-due.ts'
import { readIndirect, withIndirect } from '../../../src/engine/read-indirect.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => id as NativeId)

test('one that cannot be read keeps nothing from the others', async () => {
  const read = await readIndirect(
    {
      indirectGrantsOf: async (some) =>
        some.includes('b' as NativeId)
          ? { kind: 'partial', items: [], cause: 'hidden' }
          : { kind: 'complete', items: [] },
    },
    ids,
    new AbortController().signal,
  )
  expect([...(read?.told.keys() ?? [])]).toEqual(['a', 'c', 'd', 'e', 'f'])
  expect(read?.unread).toBe('hidden')
})

test('a target that says nothing in its time is not asked again, half by half', async () => {
  const time = new AbortController()
  let asked = 0
  const read = await readIndirect(
    {
      indirectGrantsOf: async () => {
        asked += 1
        time.abort()
        return { kind: 'partial', items: [], cause: 'no-answer' }
      },
    },
    ids,
    time.signal,
  )
  expect(asked).toBe(1)
  expect(read).toEqual({ told: new Map(), unread: 'no-answer' })
})

const account = 'a' as NativeId
const found: Extract<Outcome, { kind: 'done' }> = {
  kind: 'done',
  changed: false,
  evidence: { read: 'account-entry', code: '', account, entitlement: null },
  account: { nativeId: account, enabled: true, attributesHash: 'x', origin: 'linked' },
}
const ensure = (linked: number | null) =>
  ({
    kind: 'ensureAccount',
    account_id: linked,
    indirect_unread: linked !== null,
    unknown: true,
    attempts: 0,
    deadline: null,
    attributes_hash: 'x',
  }) as ClaimedAction

test('an account whose making is unknown is found, and what it holds cannot be read: it is linked unread', async () => {
  const [told] = await withIndirect(
    { indirectGrantsOf: async () => ({ kind: 'partial', items: [], cause: 'no-answer' }) },
    [ensure(null)],
    [found],
    'bulk',
    new AbortController().signal,
  )
  expect(told).toEqual(found)
})

test.each([
  { what: 'found now: linked, and a plan reads it again', linked: null, changed: false, next: 'done', due: true },
  { what: 'linked, and changed: as much is known', linked: 7, changed: true, next: 'done', due: true },
  {
    what: 'linked, and still unread: later, with growing pauses',
    linked: 7,
    changed: false,
    next: 'again',
    due: false,
  },
])('unread, $what', ({ linked, changed, next, due }) => {
  const claim = { lane: 'bulk', target: 't', claimedAt: 0 } as unknown as Claim
  const engine = {
    random: () => 0,
    targets: [],
    connectors: new Map([['t', { indirectGrantsOf: async () => ({ kind: 'partial', items: [], cause: 'away' }) }]]),
  } as unknown as Engine
  const action = ensure(linked)
  const verdict = judgeOutcome(engine, claim, action, { ...found, changed }, false)
  expect(verdict.next.kind).toBe(next)
  expect(makesDue(engine, claim, verdict, new Set())).toBe(due)
})
