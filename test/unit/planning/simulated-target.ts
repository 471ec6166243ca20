import { type OpenAction, type Plan, seeksOnly } from '../../../src/domain/action.ts'
import type { EmploymentState } from '../../../src/domain/identity.ts'
import type { AccountId, ActionId, EntitlementId, IdentityId, PersonKey, TargetId } from '../../../src/domain/ids.ts'
import type { LinkedAccount, PlanInput, PresentGrant } from '../../../src/planning/plan-input.ts'
import { presentAccess } from '../../../src/planning/present.ts'
import type { CompiledPolicy } from '../../../src/policies/compile.ts'
import { judgeSod } from '../../../src/policies/separation-of-duties.ts'
import { assigned, cloud, corp, e, now, person, target, targetOf } from './situation.ts'

/**
 * One person, two naive targets and the smallest engine that keeps the claim protocol of DESIGN §5. Everything mutable:
 * it is what the planner is pure against.
 */
export type World = {
  is: EmploymentState
  wanted: ReadonlySet<number>
  /** What is really there. A call changes it when its outcome comes, known or not. */
  readonly truth: { readonly accounts: Map<TargetId, { enabled: boolean; hash: string }>; readonly grants: Set<number> }
  /** What was verified. */
  readonly seen: {
    readonly accounts: Map<TargetId, LinkedAccount>
    readonly grants: Set<number>
    /** Looked for since the person left, and not found. */
    readonly absent: Set<TargetId>
  }
  readonly actions: (OpenAction & { readonly inverseOf: ActionId | null })[]
  readonly inverseSent: Set<ActionId>
  /** Something came that no evaluation has seen. */
  due: boolean
  nextId: number
}

export const inCatalogue = new Set([1, 2, 3, 4, 5, 6, 101, 102])
export const protectedGrant = 9
export const hash = 'h1'

/** `linked`: those of the accounts that are known already, with what they hold. */
export const newWorld = (
  accounts: readonly TargetId[],
  linked: readonly TargetId[],
  grants: readonly number[],
): World => {
  const known = accounts.filter((on) => linked.includes(on))
  const held = grants.filter((id) => accounts.includes(targetOf(id)))
  return {
    is: 'prehire',
    wanted: new Set(),
    truth: { accounts: new Map(accounts.map((on) => [on, { enabled: true, hash: 'h0' }])), grants: new Set(held) },
    seen: {
      accounts: new Map(
        known.map((on) => [on, { id: accountOf(on), target: on, enabled: true, attributesHash: 'h0' }]),
      ),
      grants: new Set(held.filter((id) => known.includes(targetOf(id)))),
      absent: new Set(),
    },
    actions: [],
    inverseSent: new Set(),
    due: true,
    nextId: 1,
  }
}

const accountOf = (on: TargetId): AccountId => (on === corp ? 1 : 2) as AccountId

export const presentGrants = (world: World): PresentGrant[] =>
  [...world.seen.grants].map((id) => ({
    entitlement: e(id),
    target: targetOf(id),
    managed: inCatalogue.has(id),
    protected: id === protectedGrant,
    indirect: false,
  }))

const targets = [target(corp), target(cloud)]

export const inputOf = (world: World, policy: CompiledPolicy): PlanInput => {
  const at = person(world.is)
  const wanted = at.employments.some(({ givesAccess }) => givesAccess)
    ? [...world.wanted].map((id) => assigned(id))
    : []
  const grants = presentGrants(world)
  const ids = wanted.map(({ entitlement }) => entitlement)
  const present = presentAccess(targets, grants, world.actions)
  const { verdicts, violations } = judgeSod(policy, 'P-1' as PersonKey, now, present, ids)
  return {
    now,
    at,
    endedAt: at.leaver ? now : null,
    decision: { timeline: wanted, wanted, verdicts, violations, nextChangeAt: null },
    targets,
    accounts: [...world.seen.accounts.values()],
    wantedAttributes: new Map([
      [corp, hash],
      [cloud, hash],
    ]),
    grants,
    missing: new Map(),
    lost: new Set(),
    open: world.actions,
    absent: world.seen.absent,
    inverseSent: world.inverseSent,
  }
}

/** What evaluation's transaction writes. */
export const apply = (world: World, plan: Plan, bump: boolean): void => {
  world.due = false
  if (!bump) return
  remove(world, (action) => plan.supersede.includes(action.id))
  world.actions.forEach((action, i) => {
    const kept = plan.keep.find(({ action: id }) => id === action.id)
    if (kept === undefined) world.actions[i] = { ...action, current: false }
    else {
      const { needsAccount, afterRevokeOf, validFrom, validTo, lane } = kept
      const waits = needsAccount || afterRevokeOf.length > 0
      // In another lane it is not where it was sent to.
      const isSent = action.state !== 'waiting' && action.lane === lane
      const state = isSent ? action.state : waits ? 'waiting' : 'ready'
      world.actions[i] = { ...action, current: true, needsAccount, afterRevokeOf, validFrom, validTo, lane, state }
    }
  })
  for (const { reason, account: _account, ...action } of plan.create) {
    const inverseOf = reason.kind === 'inverse-of-claimed' ? reason.action : null
    if (inverseOf !== null) world.inverseSent.add(inverseOf)
    world.actions.push({
      ...action,
      id: world.nextId++ as ActionId,
      identity: 1 as IdentityId,
      state: action.needsAccount || action.afterRevokeOf.length > 0 ? 'waiting' : 'ready',
      claimed: false,
      dispatch: null,
      unknown: false,
      current: true,
      inverseOf,
    })
  }
}

export const claimable = ({ actions, due }: World): OpenAction[] =>
  actions.filter(
    ({ state, claimed, unknown, kind, lane }) =>
      state === 'ready' &&
      !claimed &&
      !unknown &&
      (kind === 'revoke' || kind === 'disable' || seeksOnly({ kind, lane }) || !due),
  )

export const claim = (world: World, { id }: OpenAction): void =>
  replace(world, id, { state: 'dispatched', claimed: true })

export type Known = 'done' | 'retry' | 'applied, unknown' | 'not applied, unknown' | 'refused'

/** The outcome of a claimed call. */
export const settle = (world: World, action: OpenAction, outcome: Known): void => {
  if (outcome === 'done' || outcome === 'applied, unknown') change(world, action)
  if (outcome === 'done') verified(world, action)
  else if (outcome === 'refused') endOrGoOn(world, action, 'parked')
  else if (outcome === 'retry') endOrGoOn(world, action, 'ready')
  else replace(world, action.id, { state: 'ready', claimed: false, unknown: true })
}

/** Reads back a call whose result is unknown. */
export const readBack = (world: World, action: OpenAction): void =>
  isSo(world, action) || seeksOnly(action) ? verified(world, action) : endOrGoOn(world, action, 'ready')

export const unpark = (world: World): void => {
  for (const { id, state } of [...world.actions]) if (state === 'parked') replace(world, id, { state: 'ready' })
}

const endOrGoOn = (world: World, { id, current }: OpenAction, state: 'ready' | 'parked'): void => {
  if (current) replace(world, id, { state, claimed: false, unknown: false })
  else {
    remove(world, (action) => action.id === id)
    world.due = true
  }
}

const change = ({ truth }: World, { kind, lane, entitlement, target: on }: OpenAction): void => {
  if (seeksOnly({ kind, lane })) return
  if (kind === 'grant') truth.grants.add(Number(entitlement))
  else if (kind === 'revoke') truth.grants.delete(Number(entitlement))
  else if (kind === 'ensureAccount') truth.accounts.set(on, { enabled: truth.accounts.get(on)?.enabled ?? true, hash })
  else truth.accounts.set(on, { hash, ...truth.accounts.get(on), enabled: kind === 'enable' })
}

const isSo = ({ truth }: World, { kind, entitlement, target: on }: OpenAction): boolean => {
  if (kind === 'grant' || kind === 'revoke') return truth.grants.has(Number(entitlement)) === (kind === 'grant')
  if (kind === 'ensureAccount') return truth.accounts.get(on)?.hash === hash
  return truth.accounts.get(on)?.enabled === (kind === 'enable')
}

const verified = (world: World, action: OpenAction): void => {
  const { truth, seen, actions } = world
  const { kind, entitlement, target: on } = action
  if (kind === 'grant') seen.grants.add(Number(entitlement))
  if (kind === 'revoke') seen.grants.delete(Number(entitlement))
  const account = truth.accounts.get(on)
  if ((kind === 'ensureAccount' || kind === 'enable' || kind === 'disable') && account !== undefined) {
    const known = seen.accounts.has(on)
    seen.accounts.set(on, { id: accountOf(on), target: on, enabled: account.enabled, attributesHash: account.hash })
    if (kind === 'disable' || !known)
      for (const grant of truth.grants) if (targetOf(grant) === on) seen.grants.add(grant)
    world.due = true
  }
  if (account === undefined && seeksOnly(action)) seen.absent.add(on)
  remove(world, ({ id }) => id === action.id)
  // An inverse that went out beside its call proves nothing while that call is open: the call's own outcome tells.
  if (!action.current || actions.some(({ inverseOf }) => inverseOf === action.id)) world.due = true
  if (kind === 'revoke') release(world)
}

const release = (world: World): void => {
  for (const { id, state, needsAccount, afterRevokeOf } of [...world.actions]) {
    const mayBe = (on: EntitlementId) =>
      world.seen.grants.has(on) ||
      world.actions.some(
        ({ kind, entitlement, claimed, unknown }) => kind === 'grant' && entitlement === on && (claimed || unknown),
      )
    if (state === 'waiting' && !needsAccount && !afterRevokeOf.some(mayBe)) replace(world, id, { state: 'ready' })
  }
}

const replace = ({ actions }: World, id: ActionId, change: Partial<OpenAction>): void => {
  const i = actions.findIndex((action) => action.id === id)
  const action = actions[i]
  if (action !== undefined) actions[i] = { ...action, ...change }
}

const remove = ({ actions }: World, gone: (action: OpenAction) => boolean): void => {
  for (let i = actions.length - 1; i >= 0; i--) if (gone(actions[i] as OpenAction)) actions.splice(i, 1)
}
