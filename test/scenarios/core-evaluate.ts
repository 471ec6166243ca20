import type { Plan } from '../../src/domain/action.ts'
import { fold, identityAt } from '../../src/domain/fold.ts'
import type { IdentityId, PersonKey, TargetId } from '../../src/domain/ids.ts'
import type { Instant } from '../../src/domain/instant.ts'
import { isUrgent } from '../../src/engine/judge.ts'
import { planChanges, planIsEmpty } from '../../src/planning/plan-changes.ts'
import type { PresentGrant } from '../../src/planning/plan-input.ts'
import { presentAccess } from '../../src/planning/present.ts'
import { evaluate } from '../../src/policies/evaluate.ts'
import type { CoreWorld } from './core-house.ts'
import type { CorePerson } from './core-person.ts'
import { expectWithinMs } from './limits.ts'

/** An event came, or the moment that the last decision named is here. */
export const isDue = ({ now }: CoreWorld, { due, nextChangeAt }: CorePerson): boolean =>
  due || (nextChangeAt !== null && nextChangeAt <= now)

export const evaluatePerson = (world: CoreWorld, person: CorePerson): void => {
  const { now, targets, policies } = world
  if (person.fails) {
    person.parked = true
    return
  }
  const history = fold(person.events)
  const at = identityAt(history, now)
  if (!at.leaver) {
    person.readSinceLeaving.clear()
    person.absent.clear()
  }
  const grants = presentGrants(world, person)
  const rules = [...targets.values()]
  const present = presentAccess(rules, grants, person.actions)
  const decision = evaluate({ history, personKey: person.key as PersonKey, policies, now, present })
  const plan = planChanges({
    now,
    at,
    // Here nothing waits for so and so long after a leave.
    endedAt: at.leaver ? now : null,
    decision,
    targets: rules,
    // A leaver's account is not known to be shut and empty before it was read since.
    accounts: [...person.accounts.values()].map((account) =>
      at.leaver && !person.readSinceLeaving.has(account.target) ? { ...account, enabled: null } : account,
    ),
    wantedAttributes: new Map(
      at.primary === null ? [] : rules.map(({ id }) => [id, attributesHash(person, at.primary?.attributes ?? {})]),
    ),
    grants,
    missing: new Map(),
    lost: new Set(),
    open: person.actions,
    absent: person.absent,
    inverseSent: person.inverseSent,
  })
  const wanted = new Set(decision.wanted.map(({ entitlement }) => entitlement))
  const found = grants.filter((grant) => grant.found === true && grant.managed)
  // What a rule wants of what was found stands under that rule from now on; the rest is for a human.
  for (const { entitlement } of found) if (wanted.has(entitlement)) person.grants.set(entitlement, true)
  person.reported = at.leaver ? [] : found.map(({ entitlement }) => entitlement).filter((id) => !wanted.has(id))
  person.at = at
  person.urgent = isUrgent(history, now)
  person.decision = decision
  person.plan = plan
  person.nextChangeAt = decision.nextChangeAt
  person.due = false
  if (!planIsEmpty(plan)) write(world, person, plan)
}

const presentGrants = ({ policies, entitlements }: CoreWorld, { grants }: CorePerson): PresentGrant[] => {
  const catalogue = new Map(
    policies.at(-1)?.policy.set.entitlements.map((def) => [entitlements.idOf(def.target as TargetId, def.key), def]),
  )
  return [...grants].map(([entitlement, given]) => ({
    entitlement,
    target: entitlements.targetOf(entitlement),
    managed: catalogue.has(entitlement),
    protected: catalogue.get(entitlement)?.protected ?? false,
    indirect: false,
    found: !given,
  }))
}

export const attributesHash = ({ key }: CorePerson, attributes: Readonly<Record<string, unknown>>): string =>
  JSON.stringify([key, attributes.username, attributes.displayName, attributes.workEmail, attributes.jobTitle])

const write = (world: CoreWorld, person: CorePerson, plan: Plan): void => {
  const kept = new Map(plan.keep.map((keep) => [keep.action, keep]))
  person.actions = person.actions
    .filter(({ id }) => !plan.supersede.includes(id))
    .map((action) => {
      const keep = kept.get(action.id)
      if (keep === undefined) return { ...action, current: false }
      const { needsAccount, afterRevokeOf, validFrom, validTo, lane } = keep
      const isSent = action.state !== 'waiting' && action.lane === lane
      const state = isSent ? action.state : needsAccount || afterRevokeOf.length > 0 ? 'waiting' : 'ready'
      return { ...action, current: true, needsAccount, afterRevokeOf, validFrom, validTo, lane, state }
    })
  const later = (world.now + expectWithinMs) as Instant
  for (const { reason, account, ...action } of plan.create) {
    const inverseOf = reason.kind === 'inverse-of-claimed' ? reason.action : null
    if (inverseOf !== null) person.inverseSent.add(inverseOf)
    person.actions.push({
      ...action,
      id: world.nextId++ as never,
      identity: 1 as IdentityId,
      state: action.needsAccount || action.afterRevokeOf.length > 0 ? 'waiting' : 'ready',
      claimed: false,
      dispatch: null,
      unknown: false,
      current: true,
      inverseOf,
      change: `${action.kind} ${action.entitlement === null ? action.target : world.entitlements.nameOf(action.entitlement)}`,
      attempts: 0,
      effective: false,
      startedAt: 0,
      createdAt: world.now,
      deadline: account === null && world.targets.get(action.target)?.accounts === 'expect' ? later : null,
    })
  }
}
