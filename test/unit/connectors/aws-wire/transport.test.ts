import { describe, expect, test } from 'vitest'
import { createTransport } from '../../../../src/connectors/aws-wire/transport.ts'
import type { Budget } from '../../../../src/connectors/budget.ts'
import { createLocalBudget, createLocalStore } from '../../../../src/connectors/local-budget.ts'

const family = { name: 'family', capacity: 1_000, perSecond: 1_000 }
const gate = { signal: new AbortController().signal, mayWrite: () => true }
const error = (name: string, more: Readonly<Record<string, unknown>> = {}) =>
  Object.assign(new Error(name), { name, ...more })
const reset = error('Error', { code: 'ECONNRESET' })

const transportWith = (
  changes: Partial<Budget> = {},
  giveWay: () => Promise<unknown> = async () => {},
  hasOthers = false,
) => {
  const budget = createLocalBudget(createLocalStore(), 'leaver', () => performance.now())
  const keys = { accessKeyId: 'AKIA', secretAccessKey: 's' }
  const signIn = { current: async () => keys, others: async () => hasOthers }
  return createTransport({ budget: { ...budget, ...changes }, giveWay }, signIn)
}
/** Throws each error once, then answers; counts. */
const sender = (...errors: readonly Error[]) => {
  const left = [...errors]
  const sent = { count: 0 }
  return {
    sent,
    send: async () => {
      sent.count += 1
      const next = left.shift()
      if (next !== undefined) throw next
      return 'answer'
    },
  }
}

describe('a call to AWS', () => {
  test('gives way, then draws on its family, then asks whether it may write, then goes', async () => {
    const order: string[] = []
    const transport = transportWith(
      {
        take: async (draws) => {
          order.push(`take ${draws[0]?.bucket.name} ${draws[0]?.units}`)
          return { ok: true }
        },
      },
      async () => order.push('give way'),
    )
    await transport.write(family, async () => order.push('send'), { ...gate, mayWrite: () => order.push('may') > 0 })
    expect(order).toEqual(['give way', 'take family 1', 'may', 'send'])
  })

  test('a lease that is over: nothing goes, and the word says why', async () => {
    const { send, sent } = sender()
    for (const over of [
      { ...gate, mayWrite: () => false },
      { ...gate, signal: AbortSignal.abort() },
    ])
      expect(await transportWith().write(family, send, over)).toMatchObject({
        ok: false,
        failure: { word: 'lease', sent: 'not-sent' },
      })
    expect(sent.count).toBe(0)
  })

  test('a read that was cut off is tried once more, a write never', async () => {
    const once = sender(reset)
    expect(await transportWith().read(family, once.send)).toEqual({ ok: true, value: 'answer' })
    const twice = sender(reset, reset)
    expect((await transportWith().read(family, twice.send)).ok).toBe(false)
    expect(twice.sent.count).toBe(2)
    const write = sender(reset)
    expect(await transportWith().write(family, write.send, gate)).toMatchObject({ failure: { sent: 'sent' } })
    expect(write.sent.count).toBe(1)
  })

  test('credentials that AWS does not take: once again where there are others, and not a third time', async () => {
    const expired = error('ExpiredTokenException', { $metadata: { httpStatusCode: 400 } })
    for (const [hasOthers, times] of [
      [false, 1],
      [true, 2],
    ] as const) {
      const { send, sent } = sender(expired, expired, expired)
      const transport = transportWith({}, async () => {}, hasOthers)
      expect(await transport.write(family, send, gate)).toMatchObject({ failure: { word: 'expired-credentials' } })
      expect(sent.count).toBe(times)
    }
    const { send } = sender(expired)
    let may = 0
    const first = { ...gate, mayWrite: () => (may += 1) === 1 }
    expect(await transportWith({}, async () => {}, true).write(family, send, first)).toMatchObject({
      failure: { word: 'lease' },
    })
  })

  test('throttled: the family is closed for everybody, and a short wait is waited here', async () => {
    const closed: number[] = []
    const takes = [{ ok: true }, { ok: false, waitMs: 1 }, { ok: true }] as const
    const queue = takes.values()
    const transport = transportWith({
      take: async () => queue.next().value ?? { ok: true },
      close: async (_, forMs) => void closed.push(forMs),
    })
    const { send, sent } = sender(
      error('ThrottlingException', { $metadata: { httpStatusCode: 400 }, RetryAfterSeconds: 1 }),
    )
    expect(await transport.write(family, send, gate)).toEqual({ ok: true, value: 'answer' })
    expect(closed).toEqual([1_000])
    expect(sent.count).toBe(2)
  })

  test('more than two seconds are not waited here: the lane is told', async () => {
    const { send, sent } = sender()
    const full = transportWith({ take: async () => ({ ok: false, waitMs: 2_001 }) })
    expect(await full.write(family, send, gate)).toMatchObject({
      failure: { verdict: { kind: 'throttled' }, retryAfterMs: 2_001, sent: 'not-sent' },
    })
    expect(sent.count).toBe(0)
    const told = sender(error('ThrottlingException', { $metadata: { httpStatusCode: 400 }, RetryAfterSeconds: 3 }))
    expect(await transportWith().write(family, told.send, gate)).toMatchObject({ failure: { retryAfterMs: 3_000 } })
    expect(told.sent.count).toBe(1)
  })
})
