import type { Decision, GrantVerdict } from '../domain/decision.ts'
import { identityAt } from '../domain/fold.ts'
import type { EmploymentAt, LifecycleState } from '../domain/identity.ts'
import type { EntitlementId } from '../domain/ids.ts'
import { contains, type Instant } from '../domain/instant.ts'
import type { CompiledPolicy } from './compile.ts'
import { type EvaluationInput, evaluate } from './evaluate.ts'
import { type Conflict, conflictsOf } from './explain-conflict.ts'
import { checkRule, type RuleCheck } from './explain-rule.ts'
import { isImplied } from './implied.ts'
import type { Present } from './separation-of-duties.ts'
import { factsOf, type PolicyWindow } from './timeline.ts'

/** The derivation of what policy says about one person and one entitlement at `now`: `muster why` and `why-not`. */
export type Explanation = {
  readonly entitlement: string
  readonly at: Instant
  readonly lifecycle: LifecycleState
  readonly employments: readonly { readonly employmentKey: string; readonly state: EmploymentAt['state'] }[]
  /** As it is on the target, as far as is known; empty = not there. */
  readonly present: readonly Present['state'][]
  readonly wanted: /** The rules that give it, each with the conditions that held. */
    | {
        readonly kind: 'yes'
        readonly from: Instant
        readonly to: Instant | null
        readonly rules: readonly RuleCheck[]
        /** What it follows from, each as it stands itself. */
        readonly implied: readonly ImpliedBy[]
        /** No rule gives it: another hand gave it, and it was taken over. */
        readonly adopted: boolean
      }
    | { readonly kind: 'no'; readonly because: readonly WhyNot[] }
  /** null when it is not wanted, or wanted and verified as held. */
  readonly verdict: GrantVerdict | null
  /** Conflicts that it takes part in with what is there or wanted, accepted ones included. */
  readonly conflicts: readonly Conflict[]
  /** Exceptions of this person that are live now and concern one of these conflicts. */
  readonly exceptions: readonly {
    readonly key: string
    readonly policy: string
    readonly approver: string
    readonly expires: Instant
  }[]
}

export type ImpliedBy = {
  readonly implication: string
  readonly description: string
  /** Roles from the implication down to the entitlement. */
  readonly path: readonly string[]
  /** The key of what it follows from. */
  readonly holds: string
  /** null: this explanation has told it already, on another way. Of n ways through one thing there may be 2ⁿ. */
  readonly from: Explanation | null
}

export type WhyNot =
  | { readonly kind: 'not-in-catalogue' }
  /** No employment gives access now. */
  | { readonly kind: 'no-access'; readonly leaver: boolean }
  | { readonly kind: 'not-yet'; readonly from: Instant }
  | { readonly kind: 'no-longer'; readonly until: Instant }
  /** Neither a rule nor an implication. */
  | { readonly kind: 'no-rule-gives-it' }
  /** These would give it to whoever should hold `holds`. */
  | {
      readonly kind: 'nothing-implies-it'
      readonly by: readonly { readonly implication: string; readonly holds: string }[]
    }
  /** The nearest rules first: those with the fewest conditions that fail. */
  | { readonly kind: 'no-rule-matches'; readonly nearest: readonly RuleCheck[] }

const nearestShown = 5

export const explain = (input: EvaluationInput, entitlement: EntitlementId): Explanation =>
  explainDecided(input, evaluate(input), entitlement, new Set([entitlement]))

const explainDecided = (
  input: EvaluationInput,
  decision: Decision,
  entitlement: EntitlementId,
  /** What is told already; grows. */
  told: Set<EntitlementId>,
): Explanation => {
  const { history, now, policies, present, personKey } = input
  const { policy } = policies.at(-1) as PolicyWindow
  const identity = identityAt(history, now)
  const mine = decision.timeline.filter((assignment) => assignment.entitlement === entitlement)
  const current = mine.find(({ interval }) => contains(interval, now))
  const checks = rulesAbout(policy, entitlement, identity.employments)
  const because = (): readonly WhyNot[] => {
    if (!policy.keyOf.has(entitlement)) return [{ kind: 'not-in-catalogue' }]
    const coming = mine.find(({ interval }) => interval.from > now)
    const gone = mine.findLast(({ interval }) => interval.to !== null && interval.to <= now)
    const noAccess = identity.employments.every(({ givesAccess }) => !givesAccess)
    const given = policy.rules.some(({ grants }) => grants.some((grant) => grant.entitlement === entitlement))
    const implications = implicationsTo(policy, entitlement)
    return [
      ...(noAccess ? [{ kind: 'no-access', leaver: identity.leaver } as const] : []),
      ...(coming ? [{ kind: 'not-yet', from: coming.interval.from } as const] : []),
      ...(gone?.interval.to ? [{ kind: 'no-longer', until: gone.interval.to } as const] : []),
      ...(given || implications.length > 0 ? [] : [{ kind: 'no-rule-gives-it' } as const]),
      ...(given && !noAccess ? [{ kind: 'no-rule-matches', nearest: checks.slice(0, nearestShown) } as const] : []),
      ...(implications.length > 0 && !noAccess ? [{ kind: 'nothing-implies-it', by: implications } as const] : []),
    ]
  }
  const conflicts = conflictsOf(
    policy,
    entitlement,
    present,
    decision.wanted.map((assignment) => assignment.entitlement),
  )
  const accepted = new Set(conflicts.map((conflict) => conflict.policy))
  return {
    entitlement: policy.keyOf.get(entitlement) ?? String(entitlement),
    at: now,
    lifecycle: identity.lifecycle,
    employments: identity.employments.map(({ employmentKey, state }) => ({ employmentKey, state })),
    present: present.flatMap((one) => (one.entitlement === entitlement ? [one.state] : [])),
    wanted: current
      ? {
          kind: 'yes',
          ...current.interval,
          rules: checks.filter((rule) => rule.checks.every(({ holds }) => holds)),
          implied: current.reasons.filter(isImplied).flatMap(({ implication, holds, path }): ImpliedBy[] => {
            const from = policy.idOf.get(holds)
            const description = policy.set.implications.find(({ key }) => key === implication)?.description ?? ''
            if (from === undefined) return []
            const isTold = told.has(from)
            told.add(from)
            return [
              {
                implication,
                description,
                path,
                holds,
                from: isTold ? null : explainDecided(input, decision, from, told),
              },
            ]
          }),
          adopted: current.reasons.some(({ kind }) => kind === 'adopted'),
        }
      : { kind: 'no', because: because() },
    verdict: decision.verdicts.get(entitlement) ?? null,
    conflicts,
    exceptions: (policy.exceptionsOf.get(personKey) ?? [])
      .filter((exception) => accepted.has(exception.policy) && exception.from <= now && now < exception.expires)
      .map(({ key, policy: about, approver, expires }) => ({ key, policy: about, approver, expires })),
  }
}

const implicationsTo = (
  { implied }: CompiledPolicy,
  entitlement: EntitlementId,
): readonly { readonly implication: string; readonly holds: string }[] =>
  [...implied.values()].flatMap((grants) =>
    grants.flatMap(({ entitlement: to, implication, holds }) => (to === entitlement ? [{ implication, holds }] : [])),
  )

/** Every rule that would give it, against every employment that gives access, nearest first. */
const rulesAbout = (
  policy: CompiledPolicy,
  entitlement: EntitlementId,
  employments: readonly EmploymentAt[],
): readonly RuleCheck[] =>
  policy.rules
    .filter(({ grants }) => grants.some((grant) => grant.entitlement === entitlement))
    .flatMap((rule) =>
      employments.flatMap((employment): RuleCheck[] => {
        const facts = factsOf(employment)
        if (facts === null) return []
        const paths = rule.grants.flatMap((grant) => (grant.entitlement === entitlement ? [grant.path] : []))
        const { key, description } = rule.def
        return [
          { rule: key, description, employmentKey: employment.employmentKey, paths, checks: checkRule(rule, facts) },
        ]
      }),
    )
    .sort((a, b) => failures(a) - failures(b))

const failures = ({ checks }: RuleCheck): number => checks.filter(({ holds }) => !holds).length
