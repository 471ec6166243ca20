import { expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { TargetId } from '../../../src/domain/ids.ts'
import type { Reconciler } from '../../../src/engine/reconciler.ts'
import { saveReturned } from '../../../src/engine/save-returned.ts'
import type { LinkedState } from '../../../src/store/account-reconciliations.ts'

test('behind however many of whom nobody may read what they hold, nobody stays out of sight in every run', async () => {
  const returned = Array.from(
    { length: 12 },
    (_, n) => ({ account: n, native_id: `a${n}`, leaver: false }) as LinkedState,
  )
  const grantsOf: Connector['grantsOf'] = async (ids) =>
    ids.some((id) => Number(id.slice(1)) < 9)
      ? { kind: 'partial', items: [], cause: 'hidden' }
      : { kind: 'complete', items: [] }
  const unread = async (begun: number) => {
    // Nobody holds anything: nothing is asked of the database.
    const run = { begun, signal: new AbortController().signal }
    return [...(await saveReturned({} as Reconciler, 't' as TargetId, { grantsOf }, returned, run)).unread]
  }
  expect([await unread(0), await unread(5)].map((of) => of.filter((account) => account >= 9))).toEqual([
    [9, 10, 11],
    [],
  ])
})
