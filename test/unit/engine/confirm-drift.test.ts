import { expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { confirmDrift } from '../../../src/engine/confirm-drift.ts'
import type { Drift } from '../../../src/engine/save-drift.ts'

const never = new AbortController().signal

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
  const confirmed = await confirmDrift({ grantsOf } as Connector, drift, never)
  expect(confirmed.drift).toEqual(drift.slice(20))
  expect(confirmed.unread).toEqual(drift.slice(0, 20))
})
