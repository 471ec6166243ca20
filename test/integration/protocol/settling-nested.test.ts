/** What a grant of ours brings by nesting is read with the next run (ADR 0023), by a replica that has not heard of that grant (ADR 0024). */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { linkAccount, unlinkAccount } from '../../../src/engine/link.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { reporting, resolved } from './behind-our-back.ts'
import { nestedGroups } from './nested-groups.ts'
import { works } from './people.ts'

const settleMs = 60_000
let house: House
afterEach(() => house.close())

test.each([
  { read: 'a run whose log names the group again', linked: false, again: true },
  { read: 'a run whose log names the group once', linked: false, again: false },
  { read: 'a link by hand', linked: true, again: true },
])(
  'within the settling time $read does not end the search: the next run reads once more, and the conflict is held',
  async ({ linked, again }) => {
    const groups = nestedGroups()
    const behind = { now: false }
    const replicas = (real: Connector): Connector => ({
      ...real,
      manifest: { ...real.manifest, settleMs },
      indirectGrantsOf: async (ids, signal) =>
        behind.now
          ? { kind: 'complete', items: [] }
          : (real.indirectGrantsOf?.(ids, signal) ?? { kind: 'complete', items: [] }),
    })
    house = await openHouse({ connector: (real) => replicas(groups.wrap(real)), revised: reporting })
    const run = async (extent: 'full' | 'delta') => {
      const told = await reconcile(house.engine, target, {
        actor: { type: 'engine', name: 'test' },
        signal: new AbortController().signal,
      })
      expect(told).toMatchObject({ extent, indirectUnread: null })
      await house.quiesce()
    }
    await groups.nest(house, 'Dept_Lending', 'CBS_LoanApprove')
    for (const person of ['P-1', 'P-2'])
      await house.tell(works(person, (await house.now()) - 1000, { jobCode: 'X-1', department: 'OPS' }))
    await house.quiesce()
    await resolved(house)
    await run('full')
    await house.tell(works('P-1', await house.now(), { jobCode: 'TELLER', department: 'LENDING' }))
    await house.quiesce()
    expect(await house.groupsOf('P-1')).toContain('Dept_Lending')
    await groups.change(house, 'Dept_Lending')
    behind.now = true
    if (linked) {
      const actor = { type: 'os-user', name: 'test', authenticated: false } as const
      const act = { person: 'P-1', target, reason: 'test', actor }
      const account = String(await house.idOf('P-1'))
      await unlinkAccount(house.engine, act)
      const signal = new AbortController().signal
      expect(await linkAccount(house.engine, { ...act, account, signal })).toMatchObject({ kind: 'linked' })
    } else await run('delta')
    behind.now = false
    if (!again) await groups.change(house)
    await house.shift(settleMs)
    await run('delta')
    await house.tell(works('P-1', await house.now()))
    await house.quiesce()
    expect(await house.groupsOf('P-1')).toContain('App_Crm')
    expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  },
)
