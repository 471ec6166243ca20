import { expect } from 'vitest'
import type { OpenAction, Plan } from '../../../src/domain/action.ts'
import { planChanges, planIsEmpty } from '../../../src/planning/plan-changes.ts'
import type { PlanInput } from '../../../src/planning/plan-input.ts'
import { compilePolicy } from '../../../src/policies/compile.ts'
import type { PolicySet, SodDef } from '../../../src/policies/policy-set.ts'
import { brokenPolicies } from '../../../src/policies/sod-index.ts'
import { claim, inCatalogue, inputOf, protectedGrant, type World } from './simulated-target.ts'
import { e, person, targetOf } from './situation.ts'

const sod = (key: string, atLeast: number, ...sides: number[][]): SodDef => ({
  key,
  description: '',
  severity: 'high',
  atLeast,
  sides: sides.map((entitlements, i) => ({ name: `side-${i}`, entitlements: entitlements.map(String) })),
})
const set: PolicySet = {
  entitlements: [...inCatalogue].map((id) => ({
    key: String(id),
    target: targetOf(id),
    lookup: String(id),
    risk: 'low',
    owner: 'o',
    description: '',
    drift: 'report',
    protected: false,
  })),
  roles: [],
  rules: [],
  implications: [],
  sod: [sod('pair', 2, [1], [2, 3]), sod('across', 2, [3], [101]), sod('two-of-three', 2, [4], [5], [6])],
  exceptions: [],
}
export const policy = compilePolicy(
  set,
  new Map([...inCatalogue].map((id) => [String(id), { id: e(id), target: targetOf(id) }])),
)

export const mayComeOrBe = (world: World): number[] => [
  ...world.seen.grants,
  ...world.actions.flatMap(({ kind, entitlement, claimed, unknown }) =>
    kind === 'grant' && (claimed || unknown) ? [Number(entitlement)] : [],
  ),
]

/** L2, as the claim sees it: no grant goes out that takes part in a conflict of what is, or may be, there. */
export const claimLawfully = (world: World, action: OpenAction): void => {
  if (action.kind === 'grant') {
    const resulting = new Set([...mayComeOrBe(world), Number(action.entitlement)].map(e))
    const mine = brokenPolicies(policy.sod, resulting).filter((i) =>
      policy.sod.policies[i]?.sides.some(({ entitlements }) => entitlements.includes(action.entitlement as never)),
    )
    expect(mine).toEqual([])
    expect(person(world.is).leaver).toBe(false)
    expect(world.seen.accounts.has(action.target)).toBe(true)
  }
  claim(world, action)
  const calls = world.actions
    .filter(({ claimed, unknown }) => claimed || unknown)
    .map(({ target, entitlement, kind }) => `${target} ${entitlement} ${kind === 'ensureAccount'}`)
  if (!world.actions.some(({ claimed, unknown, lane }) => (claimed || unknown) && lane === 'leaver'))
    expect(new Set(calls).size).toBe(calls.length)
}

/** What holds of every plan. */
export const lawful = (plan: Plan, input: PlanInput): void => {
  const listed = [
    ...plan.supersede,
    ...plan.keep.map(({ action }) => action),
    ...plan.awaited.map(({ action }) => action),
  ]
  expect(listed.toSorted((a, b) => a - b)).toEqual(input.open.map(({ id }) => id).toSorted((a, b) => a - b))
  const kept = new Map(plan.keep.map((keep) => [keep.action, keep]))
  for (const action of input.open) {
    const keep = kept.get(action.id)
    const flying = action.claimed || action.unknown
    if (flying) expect(plan.supersede).not.toContain(action.id)
    // A retry must not run again what this plan does not want.
    if (flying && keep === undefined && action.current) expect(planIsEmpty(plan)).toBe(false)
    if (keep !== undefined && (keep.needsAccount || keep.afterRevokeOf.length > 0)) expect(action.state).toBe('waiting')
  }
  const superseded = new Set(plan.supersede)
  const subjects = [...input.open.filter(({ id }) => !superseded.has(id)), ...plan.create].map(
    ({ kind, target, entitlement }) => `${kind} ${target} ${entitlement}`,
  )
  expect(new Set(subjects).size).toBe(subjects.length)
  const revoked = plan.create.filter(({ kind }) => kind === 'revoke').map(({ entitlement }) => Number(entitlement))
  expect(revoked).not.toContain(protectedGrant)
  if (input.at.leaver) lawfulForLeaver(plan, input)
  else {
    expect(plan.create.every(({ lane }) => lane === 'bulk')).toBe(true)
    expect(revoked.filter((id) => !inCatalogue.has(id))).toEqual([])
  }
}

const lawfulForLeaver = (plan: Plan, { open, inverseSent, grants }: PlanInput): void => {
  const gives = ({ kind, lane }: Pick<OpenAction, 'kind' | 'lane'>) =>
    kind !== 'revoke' && kind !== 'disable' && !(kind === 'ensureAccount' && lane === 'leaver')
  expect(plan.create.filter(gives)).toEqual([])
  expect(plan.create.every(({ lane }) => lane === 'leaver')).toBe(true)
  const kept = open.filter(({ id }) => plan.keep.some(({ action }) => action === id))
  expect(kept.filter(gives)).toEqual([])
  expect(kept.filter(({ claimed, unknown, lane }) => !claimed && !unknown && lane === 'bulk')).toEqual([])
  for (const call of open.filter(({ kind, claimed, unknown }) => kind === 'grant' && (claimed || unknown))) {
    const revokes = (list: readonly { kind: string; entitlement: unknown }[]) =>
      list.some(({ kind, entitlement }) => kind === 'revoke' && entitlement === call.entitlement)
    const there = grants.some(({ entitlement }) => entitlement === call.entitlement)
    expect(revokes(plan.create) || revokes(kept)).toBe(there || !inverseSent.has(call.id) || revokes(open))
  }
}

/** L1, after all is done. */
export const agrees = (world: World): void => {
  const input = inputOf(world, policy)
  const plan = planChanges(input)
  expect(planIsEmpty(plan)).toBe(true)
  expect(world.actions).toEqual([])
  const linked = [...world.truth.grants].filter((id) => world.seen.accounts.has(targetOf(id)))
  expect(new Set(linked)).toEqual(world.seen.grants)
  const { at } = input
  const desired = new Set(input.decision.wanted.map(({ entitlement }) => Number(entitlement)))
  const held = new Set(plan.held.map(({ entitlement }) => Number(entitlement)))
  for (const id of inCatalogue) expect([id, world.seen.grants.has(id)]).toEqual([id, desired.has(id) && !held.has(id)])
  if (at.leaver) {
    // Known to Muster or not: whoever left has no open account, and nothing but what is protected.
    expect([...world.truth.grants].filter((id) => id !== protectedGrant)).toEqual([])
    expect([...world.truth.accounts.values()].filter(({ enabled }) => enabled)).toEqual([])
  }
  for (const { enabled, target } of world.seen.accounts.values()) {
    if (!at.accountsEnabled) expect(enabled).toBe(false)
    else if ([...desired].some((id) => targetOf(id) === target)) expect(enabled).toBe(true)
  }
}
