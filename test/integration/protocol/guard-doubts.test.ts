/** The guard, where it holds what it must not, counts what it did not hold, and lets pass what it must hold. */
import { afterEach, expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import type { TargetId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { unlinkAccount } from '../../../src/engine/link.ts'
import { defaultGuardLimits, type GuardLimits } from '../../../src/planning/guard.ts'
import { members } from '../../../src/store/guard.ts'
import { bankPolicies, type House, type HouseOptions, openHouse, target } from '../../support/house.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())
const at = (absolute: number) => ({ absolute, percent: null })
const open = async (guard: Partial<GuardLimits>, more: HouseOptions = {}) => {
  house = await openHouse({ ...more, target: { guard: { ...defaultGuardLimits, ...guard } } })
}
const teller = async (person: string) =>
  house.tell({ person, effectiveAt: (await house.now()) - 1000, attributes: { jobCode: 'TELLER' } })
const holds = async () =>
  (
    await house.rows<{ limit: string }>(
      `select policies[1] as "limit" from muster.hold where kind = 'guard' and closed_at is null order by 1`,
    )
  ).map(({ limit }) => limit)
const round = async () => {
  await house.evaluateAll()
  await house.shift(2_005)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
}

test('what was let through and is pending on the target is asked for, though the guard tripped since: a leaver waits for it', async () => {
  const asked: string[] = []
  const taken = new Map<string, Operation>()
  const slowly = (real: Connector): Connector => ({
    ...real,
    apply: async (operations, context) => {
      const outcomes: Outcome[] = []
      for (const operation of operations)
        if (operation.op === 'grant' && operation.entitlement.lookup.includes('CBS_TellerCash')) {
          const handle = `r-${taken.size + 1}`
          taken.set(handle, operation)
          outcomes.push({ kind: 'pending', handle, pollAfterMs: 1_000 })
        } else outcomes.push(...(await real.apply([operation], context)))
      return outcomes
    },
    poll: async (pending, signal) => {
      asked.push(...pending.map(({ handle }) => handle))
      return real.apply(
        pending.map(({ operation }) => operation),
        { signal, mayWrite: () => true },
      )
    },
  })
  await open({ riskyGrants: at(1) }, { connector: slowly })
  await teller('P-0')
  await round()
  await round()
  expect([...taken.keys()]).toEqual(['r-1'])
  for (const person of ['P-1', 'P-2', 'P-3']) await teller(person)
  await house.evaluateAll()
  await house.dispatchAll('bulk')
  expect(await holds()).toEqual(['riskyGrants'])
  await house.tell(leaves('P-0', await house.now()))
  for (let i = 0; i < 15; i++) await round()
  expect(asked).toContain('r-1')
  const openOfLeaver = await house.rows<{ kind: string; state: string }>(
    `select a.kind::text, a.state::text from muster.action a join muster.identity i on i.id = a.identity_id where i.person_key = 'P-0' and a.open`,
  )
  expect(openOfLeaver).toEqual([])
})

test('control: the same without the others: it is asked for, and nothing of the leaver stays open', async () => {
  const asked: string[] = []
  const slowly = (real: Connector): Connector => ({
    ...real,
    apply: async (operations, context) => {
      const outcomes: Outcome[] = []
      for (const operation of operations)
        if (operation.op === 'grant' && operation.entitlement.lookup.includes('CBS_TellerCash'))
          outcomes.push({ kind: 'pending', handle: 'r-1', pollAfterMs: 1_000 })
        else outcomes.push(...(await real.apply([operation], context)))
      return outcomes
    },
    poll: async (pending, signal) => {
      asked.push(...pending.map(({ handle }) => handle))
      return real.apply(
        pending.map(({ operation }) => operation),
        { signal, mayWrite: () => true },
      )
    },
  })
  await open({ riskyGrants: at(1) }, { connector: slowly })
  await teller('P-0')
  await round()
  await round()
  await house.tell(leaves('P-0', await house.now()))
  for (let i = 0; i < 15; i++) await round()
  expect(asked).toContain('r-1')
  expect(await house.groupsOf('P-0')).toEqual([])
  expect(await house.rows('select id from muster.action where open')).toEqual([])
})

test('a hold over risky grants is no business of urgent leavers: none is counted, nobody is paged', async () => {
  await open({ riskyGrants: at(0), urgentPerHour: { atLeast: 1, percentOfPopulation: 0 } })
  for (const person of ['P-7', 'P-8', 'P-9'])
    await house.tell(works(person, (await house.now()) - 1000, { jobCode: 'NONE', department: 'LENDING' }))
  await house.quiesce()
  await teller('P-1')
  await house.quiesce()
  expect(await holds()).toEqual(['riskyGrants'])
  const left = await house.now()
  for (const person of ['P-7', 'P-8', 'P-9']) await house.tell(leaves(person, left, { urgency: 'immediate' }))
  await house.quiesce()
  for (const person of ['P-7', 'P-8', 'P-9']) expect((await house.account(person))?.locked).toBe(true)
  expect(await house.rows(`select kind from muster.finding where kind = 'urgent-leavers-held'`)).toEqual([])
  expect(await house.rows('select id from muster.action where guard_passed_at is not null')).toEqual([])
})

test('grants that became risky while they waited are counted', async () => {
  await open({ riskyGrants: at(1) }, { revised: (text) => text.replaceAll(/risk: \w+/g, 'risk: low') })
  for (const person of ['P-1', 'P-2', 'P-3']) await teller(person)
  await house.evaluateAll()
  const applied = await applyPolicy(
    house.engine,
    bankPolicies(house.tree.groups).map(({ path, text }) => ({
      path,
      text: text.replaceAll(/risk: \w+/g, 'risk: critical'),
    })),
    { type: 'os-user', name: 'test', authenticated: false },
  )
  expect(applied.kind).toBe('applied')
  for (let i = 0; i < 4; i++) await round()
  expect(await holds()).toContain('riskyGrants')
})

test('what is linked to nobody any more is no member of what a percentage is of', async () => {
  await open({})
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  const crm = house.entitlements.find(({ key }) => key === 'App_Crm')?.id ?? 0
  expect((await members(house.admin, target, 3_600_000)).holders.get(crm)).toBe(2)
  await unlinkAccount(house.engine, {
    person: 'P-2',
    target: target as TargetId,
    reason: 'x',
    actor: { type: 'os-user', name: 'x', authenticated: false },
  })
  await house.shift(7_200_000)
  expect((await members(house.admin, target, 3_600_000)).holders.get(crm)).toBe(1)
})
