/** ADR 0024: two reads that agree may come from two replicas that have not heard of a change yet. So may the two looks of a reconciliation. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import type { ObservedEntitlement } from '../../../src/domain/outcome.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { findingsOf, reporting, resolved } from './behind-our-back.ts'
import { leaves, works } from './people.ts'

const settleMs = 60_000
const unlimited = { absolute: null, percent: null }
let house: House
afterEach(() => house.close())

const elsewhere = { jobCode: 'TELLER', department: 'LENDING' }
const run = () =>
  reconcile(house.engine, target, {
    actor: { type: 'engine', name: 'test' },
    signal: new AbortController().signal,
  })

/** The directory behind replicas: `unheard` says of an account what no read shows, in whatever list it stands. */
const open = async (outer: (real: Connector) => Connector = (real) => real, revised = reporting) => {
  const unheard = { account: '', of: 'CBS_LoanEntry', is: false }
  const replicas = (real: Connector): Connector => ({
    ...real,
    manifest: { ...real.manifest, settleMs },
    membersOf: async function* (refs, signal) {
      const dn = `${(await house.account('P-1'))?.dn}`.toLowerCase()
      for await (const list of real.membersOf(refs, signal)) {
        const isHidden =
          unheard.is && refs.some(({ id, lookup }) => id === list.entitlement && lookup.includes(unheard.of))
        yield isHidden && list.kind === 'complete'
          ? { ...list, members: list.members.filter((member) => member.toLowerCase() !== dn) }
          : list
      }
    },
    grantsOf: async (accounts, signal) => {
      const list = await real.grantsOf(accounts, signal)
      if (!unheard.is) return list
      return {
        ...list,
        items: list.items.filter(
          ({ account, entitlement }) => account !== unheard.account || !entitlement.name.includes(unheard.of),
        ),
      } as typeof list
    },
  })
  house = await openHouse({
    target: { guard: { ...defaultGuardLimits, revokes: unlimited } },
    connector: (real) => outer(replicas(real)),
    revised,
  })
  for (const person of ['P-2', 'P-3', 'P-4', 'P-5']) await house.tell(works(person, (await house.now()) - 1000))
  await house.tell(works('P-1', (await house.now()) - 1000, elsewhere))
  await house.quiesce()
  await resolved(house)
  await run()
  return {
    ...unheard,
    hide: async (is: boolean) => Object.assign(unheard, { is, account: String(await house.idOf('P-1')) }),
  }
}

const adopting = (text: string) => reporting(text).replaceAll(/^( {4})(risk: )/gm, '$1drift: adopt\n$1$2')

test.each([
  ['report', reporting],
  ['adopt', adopting],
])(
  'drift: %s: a grant that was proved within the settling time, and that no list shows yet, is not missing: its person loses it with the move',
  async (_, revised) => {
    const { hide } = await open(undefined, revised)
    await house.tell(works('P-1', await house.now()))
    await house.quiesce()
    expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
    await hide(true)
    await house.shift(1_000)
    await run()
    await hide(false)
    await house.tell(works('P-1', await house.now(), elsewhere))
    await house.quiesce()
    // Nor does the next run, which sees it there again, take it away: it is only told.
    await house.shift(settleMs)
    await run()
    await house.quiesce()
    expect(await house.rows('select from muster.adopted')).toEqual([])
    expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  },
)

test('drift: adopt: what a rule gave, another hand took away and put back when no rule wanted it any more: only told', async () => {
  await open(undefined, adopting)
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  await house.shift(settleMs)
  await house.removeMember('P-1', 'CBS_LoanEntry')
  await run()
  await house.tell(works('P-1', await house.now(), elsewhere))
  await house.quiesce()
  await house.addMember('P-1', 'CBS_LoanEntry')
  await house.shift(settleMs)
  await run()
  await house.quiesce()
  expect(await house.rows('select from muster.grants where missing')).toHaveLength(1)
  expect(await house.rows('select from muster.adopted')).toEqual([])
  expect(await findingsOf(house)).toContain('grant-unexplained')
})

test('a leaver who seems to hold what was revoked within the settling time may hold it: it is taken away once more', async () => {
  await open()
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  await house.tell(works('P-1', await house.now(), elsewhere))
  await house.quiesce()
  await house.addMember('P-1', 'CBS_LoanEntry')
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.addMember('P-1', 'CBS_LoanEntry')
  await run()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
})

test('a list that comes with a disable and still shows what was revoked within the settling time: that is not held, and is given when it is wanted again', async () => {
  let isBehind = false
  const left: ObservedEntitlement[] = []
  await open((real) => ({
    ...real,
    apply: async (operations, context) =>
      (await real.apply(operations, context)).map((outcome, at) => {
        if (operations[at]?.op !== 'disable' || outcome.kind !== 'done' || outcome.grants === undefined) return outcome
        return isBehind ? { ...outcome, grants: [...outcome.grants, ...left] } : outcome
      }),
  }))
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  const [entry] = await house.rows<{ native_id: NativeId; lookup: string }>(
    `select native_id, lookup from muster.entitlement where key = 'CBS_LoanEntry'`,
  )
  left.push({ nativeId: entry?.native_id as NativeId, name: entry?.lookup ?? '' })
  await house.tell(works('P-1', await house.now(), elsewhere))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  isBehind = true
  await house.tell({ ...works('P-1', await house.now(), elsewhere), status: 'suspended' })
  await house.quiesce()
  isBehind = false
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
})
