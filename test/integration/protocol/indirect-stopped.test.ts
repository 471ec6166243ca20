/** A run is told to stop between the read of what accounts hold indirectly and its end: what was read counts. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { createGates } from '../../support/faults.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { reporting, resolved } from './behind-our-back.ts'
import { nestedGroups } from './nested-groups.ts'
import { works } from './people.ts'

let house: House
afterEach(() => house.close())

test.each([
  { run: 'is stopped before it weighs the losses', stops: true, held: ['CBS_LoanApprove', 'CBS_TellerCash'] },
  { run: 'comes to its end', stops: false, held: ['CBS_LoanApprove'] },
])(
  'one who lost something and holds something else instead: the gain is counted by a run that $run',
  async ({ stops, held }) => {
    const groups = nestedGroups()
    const stopping = new AbortController()
    let isLast = false
    const stopped = (real: Connector): Connector => ({
      ...real,
      indirectGrantsOf: async (ids, signal) => {
        const told = await real.indirectGrantsOf?.(ids, signal)
        if (isLast) stopping.abort()
        return told ?? { kind: 'complete', items: [] }
      },
    })
    house = await openHouse({ connector: (real) => stopped(groups.wrap(real)), revised: reporting })
    await groups.setPrimary(house, 'CBS_TellerCash')
    await house.tell(works('P-1', (await house.now()) - 1000, { jobCode: 'X-1', department: 'OPS' }))
    await house.quiesce()
    await resolved(house)
    await groups.setPrimary(house, 'CBS_LoanApprove')
    isLast = stops
    await reconcile(house.engine, target, {
      actor: { type: 'engine', name: 'test' },
      signal: stopping.signal,
      full: true,
    }).catch(() => {})
    expect(stopping.signal.aborted).toBe(stops)
    expect(
      await house.rows(`select e.key from muster.indirect n join muster.entitlement e on e.id = any(n.entitlements)
      where n.gone_verified_at is null and e.managed order by 1`),
    ).toEqual(held.map((key) => ({ key })))
    isLast = false
    await house.tell(works('P-1', await house.now()))
    await house.quiesce()
    expect(await house.groupsOf('P-1')).toContain('App_Crm')
    expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  },
)

test('a run by the change log dies before it reads what the named accounts hold indirectly: the next one reads them', async () => {
  const groups = nestedGroups()
  const gates = createGates()
  let named: readonly NativeId[] = []
  const logging = (real: Connector): Connector => ({
    ...real,
    changes: async (cursor) => {
      const accounts = named
      named = []
      return cursor === null
        ? { kind: 'from-now', cursor: 'then' }
        : { kind: 'changes', entitlements: [], accounts, cursor: 'later' }
    },
  })
  house = await openHouse({
    connector: (real) => logging(groups.wrap(real)),
    revised: reporting,
    settings: { pause: gates.pause },
  })
  const run = () =>
    reconcile(house.engine, target, {
      actor: { type: 'engine', name: 'test' },
      signal: new AbortController().signal,
    })
  await house.tell(works('P-1', (await house.now()) - 1000, { jobCode: 'X-1', department: 'OPS' }))
  await house.quiesce()
  await resolved(house)
  expect(await run()).toMatchObject({ extent: 'full' })
  await groups.setPrimary(house, 'CBS_LoanApprove')
  named = [String(await house.idOf('P-1')) as NativeId]
  gates.dieAt('reconcile:compared')
  await expect(run()).rejects.toThrow('crashed at reconcile:compared')
  await house.shift(60_000)
  expect(await run()).toMatchObject({ extent: 'delta' })
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('App_Crm')
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
})
