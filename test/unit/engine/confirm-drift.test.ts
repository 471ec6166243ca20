import { expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import { confirmDrift } from '../../../src/engine/confirm-drift.ts'
import type { Drift } from '../../../src/engine/save-drift.ts'

const never = new AbortController().signal
const run = { outOfSight: new Set<string>(), turn: 0, signal: never }

test('leavers whose grants cannot be read leave nobody else unread', async () => {
  const drift = Array.from(
    { length: 40 },
    (_, n) => ({ kind: 'missing', entitlementNative: 'e', link: { native_id: `a${n}`, leaver: n < 20 } }) as Drift,
  )
  const grantsOf: Connector['grantsOf'] = async (ids) =>
    ids.some((id) => Number(id.slice(1)) < 20)
      ? { kind: 'partial', items: [], cause: 'hidden' }
      : ids.length > 15
        ? { kind: 'partial', items: [], cause: 'too-many' }
        : { kind: 'complete', items: [] }
  const confirmed = await confirmDrift({ grantsOf }, drift, run)
  expect(confirmed.drift).toEqual(drift.slice(20))
  expect(confirmed.unread).toEqual(drift.slice(0, 20))
})

type Held = Awaited<ReturnType<Connector['grantsOf']>>['items']

/** Of each account one grant: missing where nobody may read, else let in. Whom `shows` shows, holds it. */
const about = (accounts: readonly string[]) =>
  accounts.map((native_id) => {
    const kind = native_id.startsWith('h') ? 'missing' : 'appeared'
    return { kind, entitlementNative: 'e', link: { native_id, leaver: true } } as Drift
  })
const named = (prefix: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `${prefix}${String(from + n).padStart(3, '0')}`)
const hiding =
  (shows: 'nobody' | 'the others'): Connector['grantsOf'] =>
  async (ids) => {
    const others = ids.filter((id) => !id.startsWith('h'))
    const items: Held = others.map((account) => ({
      account,
      entitlement: { nativeId: 'e' as NativeId, name: 'E' },
    }))
    if (others.length === ids.length) return { kind: 'complete', items }
    return { kind: 'partial', items: shows === 'nobody' ? [] : items, cause: 'hidden' }
  }

test.each(['nobody', 'the others'] as const)(
  'leavers who were let in again, among many who cannot be read, are seen, where such a read shows %s',
  async (shows) => {
    const drift = about([...named('h', 0, 10), 'z0', 'z1', 'z2', ...named('h', 10, 12)])
    const { drift: seen, unread } = await confirmDrift({ grantsOf: hiding(shows) }, drift, run)
    expect(seen.map(({ link }) => link.native_id)).toEqual(['z0', 'z1', 'z2'])
    expect(unread).toHaveLength(12)
  },
)

test('a read that is not complete never says that somebody holds no more', async () => {
  const drift = [...about(['h0', 'z0']), { ...about(['z0'])[0], kind: 'missing', entitlementNative: 'gone' } as Drift]
  const grantsOf: Connector['grantsOf'] = async (ids) => ({
    ...(await hiding('the others')(ids, never)),
    kind: 'partial',
    cause: 'hidden',
  })
  const confirmed = await confirmDrift({ grantsOf }, drift, run)
  expect(confirmed.drift).toEqual(drift.slice(1, 2))
  expect(confirmed.unread).toEqual([drift[0], drift[2]])
})

test('behind however many who cannot be read, nobody stays unseen in every run', async () => {
  const drift = about([...named('h', 0, 90), 'z0'])
  const seen = async (turn: number) =>
    (await confirmDrift({ grantsOf: hiding('nobody') }, drift, { ...run, turn })).drift.length
  expect([await seen(0), await seen(50)]).toEqual([0, 1])
})
