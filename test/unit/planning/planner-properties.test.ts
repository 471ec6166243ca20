import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EmploymentState } from '../../../src/domain/identity.ts'
import type { TargetId } from '../../../src/domain/ids.ts'
import { planChanges, planIsEmpty } from '../../../src/planning/plan-changes.ts'
import { brokenPolicies } from '../../../src/policies/sod-index.ts'
import { agrees, claimLawfully, lawful, mayComeOrBe, policy } from './planner-laws.ts'
import {
  apply,
  claimable,
  inCatalogue,
  inputOf,
  type Known,
  newWorld,
  protectedGrant,
  readBack,
  settle,
  unpark,
  type World,
} from './simulated-target.ts'
import { cloud, corp, e, person } from './situation.ts'

const states: readonly EmploymentState[] = [
  'active',
  'active',
  'active',
  'active',
  'leave',
  'suspended',
  'prehire',
  'ended',
  'rescinded',
]
const wants = fc.uniqueArray(fc.constantFrom(...inCatalogue), { minLength: 1, maxLength: 5 })
const calls: readonly Known[] = ['done', 'done', 'done', 'retry', 'applied, unknown', 'not applied, unknown', 'refused']

type Step =
  | { readonly do: 'hr'; readonly is: EmploymentState; readonly wanted: readonly number[] }
  | { readonly do: 'evaluate' | 'claim all' | 'settle all' }
  | { readonly do: 'claim' | 'read back'; readonly which: number }
  | { readonly do: 'settle'; readonly which: number; readonly outcome: Known }

const one = <D extends Step['do']>(name: D) => fc.constant({ do: name })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('hr' as const), is: fc.constantFrom(...states), wanted: wants }),
  },
  { weight: 5, arbitrary: one('evaluate' as const) as fc.Arbitrary<Step> },
  { weight: 2, arbitrary: one('claim all' as const) as fc.Arbitrary<Step> },
  { weight: 2, arbitrary: one('settle all' as const) as fc.Arbitrary<Step> },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('claim' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read back' as const), which: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(20), outcome: fc.constantFrom(...calls) }),
  },
)
const story = fc.record({
  accounts: fc.subarray<TargetId>([corp, cloud]),
  linked: fc.subarray<TargetId>([corp, cloud]),
  grants: fc.uniqueArray(fc.constantFrom(1, 2, 3, 4, 50, protectedGrant, 101), { maxLength: 4 }),
  steps: fc.array(step, { maxLength: 40, size: 'max' }),
})

const pick = <T>(list: readonly T[], which: number): T | undefined => list[which % Math.max(1, list.length)]

const take = (world: World, next: Step): void => {
  switch (next.do) {
    case 'hr':
      world.is = next.is
      if (!person(next.is).leaver) world.seen.absent.clear()
      world.wanted = new Set(next.wanted)
      world.due = true
      break
    case 'evaluate':
      evaluateOnce(world)
      break
    case 'claim all':
      for (const action of claimable(world)) claimLawfully(world, action)
      break
    case 'settle all':
      for (const action of world.actions.filter(({ claimed }) => claimed)) settle(world, action, 'done')
      break
    case 'claim': {
      const action = pick(claimable(world), next.which)
      if (action !== undefined) claimLawfully(world, action)
      break
    }
    case 'read back': {
      const action = pick(
        world.actions.filter(({ unknown }) => unknown),
        next.which,
      )
      if (action !== undefined) readBack(world, action)
      break
    }
    case 'settle': {
      const action = pick(
        world.actions.filter(({ claimed }) => claimed),
        next.which,
      )
      if (action !== undefined) settle(world, action, next.outcome)
    }
  }
}

const evaluateOnce = (world: World): void => {
  const input = inputOf(world, policy)
  const plan = planChanges(input)
  lawful(plan, input)
  apply(world, plan, !planIsEmpty(plan))
  // The same state again: nothing to change.
  const again = planChanges(inputOf(world, policy))
  expect(planIsEmpty(again)).toBe(true)
}

/** Everything that is still to happen happens well. */
const quiet = (world: World): void => {
  for (let round = 0; round < 40; round++) {
    unpark(world)
    if (world.due) evaluateOnce(world)
    const unknown = world.actions.filter((action) => action.unknown && !action.claimed)
    for (const action of unknown) readBack(world, action)
    for (const action of claimable(world)) claimLawfully(world, action)
    const flying = world.actions.filter(({ claimed }) => claimed)
    for (const action of flying) settle(world, action, 'done')
    if (!world.due && unknown.length === 0 && flying.length === 0) return
  }
  throw new Error(`no rest: ${JSON.stringify(world.actions)}`)
}

type Story = { accounts: TargetId[]; linked: TargetId[]; grants: number[]; steps: Step[] }

const run = ({ accounts, linked, grants, steps }: Story): World => {
  const world = newWorld(accounts, linked, grants)
  for (const next of steps) take(world, next)
  return world
}

describe('any interleaving of events, evaluations, claims and outcomes', () => {
  test('ends, after all is done, with observed equal to desired and nothing more to do', () => {
    fc.assert(
      fc.property(story, (given) => {
        const world = run(given)
        quiet(world)
        agrees(world)
      }),
      { numRuns: 1500 },
    )
  })

  test('plans the same from the same, in whatever order it is told', () => {
    fc.assert(
      fc.property(story, fc.func(fc.nat()), (given, order) => {
        const input = inputOf(run(given), policy)
        const shuffled = <T>(list: readonly T[]): T[] =>
          list.toSorted((a, b) => order(JSON.stringify(a)) - order(JSON.stringify(b)))
        const { decision } = input
        const plan = planChanges({
          ...input,
          accounts: shuffled(input.accounts),
          grants: shuffled(input.grants),
          open: shuffled(input.open),
          targets: shuffled(input.targets),
          decision: {
            ...decision,
            wanted: shuffled(decision.wanted),
            verdicts: new Map(shuffled([...decision.verdicts])),
          },
        })
        expect(plan).toEqual(planChanges(input))
      }),
      { numRuns: 500 },
    )
  })

  test('only a revoke that frees a conflict goes before a grant', () => {
    fc.assert(
      fc.property(story, (given) => {
        const world = run(given)
        const input = inputOf(world, policy)
        for (const { entitlement, afterRevokeOf } of planChanges(input).create)
          for (const first of afterRevokeOf) {
            const together = brokenPolicies(
              policy.sod,
              new Set([...mayComeOrBe(world).map(e), ...input.decision.wanted.map((a) => a.entitlement)]),
            )
            const both = together.filter((i) => {
              const sides = policy.sod.policies[i]?.sides.filter(
                ({ entitlements }) => entitlements.includes(first) || entitlements.includes(entitlement as never),
              )
              return (sides?.length ?? 0) >= 2
            })
            expect(both.length).toBeGreaterThan(0)
          }
      }),
      { numRuns: 500 },
    )
  })
})
