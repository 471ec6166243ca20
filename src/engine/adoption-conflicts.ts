import type { Assignment, Decision } from '../domain/decision.ts'
import { fold } from '../domain/fold.ts'
import type { EntitlementId, PersonKey } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import { nothingProtected } from '../domain/protection.ts'
import type { CompiledPolicy } from '../policies/compile.ts'
import { evaluate } from '../policies/evaluate.ts'
import type { PolicyWindow } from '../policies/timeline.ts'
import type { Standing } from '../store/adoptions.ts'
import { databaseNow } from '../store/clock.ts'
import type { Transaction } from '../store/database.ts'
import { loadFacts } from '../store/evaluation-facts.ts'
import { targetModes } from '../store/targets.ts'
import { adoptedOf, presentGrants, presentOf } from './judge-observed.ts'
import type { PolicyBook } from './policy-book.ts'

/** What stands against something that would be adopted, by one separation-of-duties policy. */
export type AdoptionConflict = {
  readonly policy: string
  readonly entitlement: number
  /** Catalogue key, else how the target names it. */
  readonly with: string
  /** `wanted`: a rule gives it, it is not there, and is held for what is adopted. */
  readonly how: 'held' | 'wanted'
  /** Keys of the rules and implications by which it is wanted, held or not. */
  readonly rules: readonly string[]
}

/** Of each, in the order given, what it conflicts with unaccepted: as an evaluation of the person would find now. */
export const adoptionConflicts = async (
  tx: Transaction,
  policies: PolicyBook,
  rows: readonly Standing[],
): Promise<readonly (readonly AdoptionConflict[])[]> => {
  if (rows.length === 0) return []
  const policy = await policies.current(tx)
  const { policy: active } = policy.policies.at(-1) as PolicyWindow
  const targets = [...(await targetModes(tx))].map(([id, mode]) => ({ id, mode, protect: nothingProtected }))
  const now = (await databaseNow(tx)) as Instant
  const personOf = new Map(rows.map((row) => [row.identity, row.person_key as PersonKey]))
  const decisions = new Map<number, Decision>()
  for (const facts of await loadFacts(tx, [...personOf.keys()])) {
    const personKey = personOf.get(facts.id)
    if (personKey === undefined) continue
    const present = presentOf(targets, presentGrants(facts, policy, targets), facts)
    const history = fold(facts.events)
    const adopted = adoptedOf(facts)
    decisions.set(facts.id, evaluate({ history, personKey, policies: policy.policies, now, present, adopted }))
  }
  const nameOf = (id: EntitlementId) =>
    policy.entitlements.get(id)?.key ?? policy.entitlements.get(id)?.lookup ?? `${id}`
  return rows.map(({ identity, entitlement }) => {
    const decision = decisions.get(identity)
    if (decision === undefined) return []
    return opposed(entitlement as EntitlementId, decision, active)
      .map(({ policy: key, other, how }) => ({
        policy: key,
        entitlement: other,
        with: nameOf(other),
        how,
        rules: givers(decision.wanted.find((one) => one.entitlement === other)),
      }))
      .sort((a, b) => order(a.policy, b.policy) || order(a.with, b.with))
  })
}

const opposed = (
  entitlement: EntitlementId,
  { violations, verdicts }: Decision,
  { sod }: CompiledPolicy,
): readonly { readonly policy: string; readonly other: EntitlementId; readonly how: AdoptionConflict['how'] }[] => {
  const held = violations.flatMap(({ policy, sides, exception }) => {
    const others = sides.filter(({ entitlements }) => !entitlements.includes(entitlement))
    return exception !== null || others.length === sides.length
      ? []
      : others.flatMap(({ entitlements }) => entitlements.map((other) => ({ policy, other, how: 'held' as const })))
  })
  const touching = new Set(
    sod.policies.flatMap(({ def, sides }) =>
      sides.some(({ entitlements }) => entitlements.includes(entitlement)) ? [def.key] : [],
    ),
  )
  const wanted = [...verdicts].flatMap(([other, verdict]) =>
    verdict.kind === 'held' && verdict.conflictsWith.includes(entitlement)
      ? verdict.policies
          .filter((policy) => touching.has(policy))
          .map((policy) => ({ policy, other, how: 'wanted' as const }))
      : [],
  )
  return [...held, ...wanted.filter((one) => !held.some((two) => two.policy === one.policy && two.other === one.other))]
}

const givers = (assignment: Assignment | undefined): readonly string[] =>
  [
    ...new Set(
      (assignment?.reasons ?? []).flatMap((reason) =>
        reason.kind === 'rule' ? [reason.rule] : reason.kind === 'implied' ? [reason.implication] : [],
      ),
    ),
  ].sort()

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
