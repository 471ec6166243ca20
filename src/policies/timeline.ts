import type { Adopted, Assignment, Reason } from '../domain/decision.ts'
import { identityAt } from '../domain/fold.ts'
import type { EmploymentAt, IdentityHistory } from '../domain/identity.ts'
import type { EntitlementId, TargetId } from '../domain/ids.ts'
import { contains, type Instant } from '../domain/instant.ts'
import type { Worker } from '../domain/worker-event.ts'
import { matchingRules } from './birthright.ts'
import type { CompiledPolicy } from './compile.ts'
import type { Facts } from './conditions.ts'
import { type Given, type Givens, isImplied, withImplied } from './implied.ts'

/** A policy version and the moment from which it judges; null for the first = since ever. */
export type PolicyWindow = { readonly activeFrom: Instant | null; readonly policy: CompiledPolicy }

const nothing: Givens = new Map()

/**
 * What policy wants of this person over all valid time, by entitlement, then by time. The version that is active at a
 * valid time judges that time, so a policy change never rewrites what was wanted before it.
 */
export const timelineOf = (
  history: IdentityHistory,
  policies: readonly PolicyWindow[],
  adopted: readonly Adopted[] = [],
): readonly Assignment[] => {
  const starts = policies.slice(1).flatMap(({ activeFrom }) => (activeFrom === null ? [] : [activeFrom]))
  const turns = adopted.flatMap(({ interval: { from, to } }) => (to === null ? [from] : [from, to]))
  const cuts = [...new Set([...history.changePoints, ...starts, ...turns])].sort((a, b) => a - b)
  const givenBy = new Map<CompiledPolicy, (employment: EmploymentAt) => Givens>()
  // An adoption is over for good with a leave, and once a rule gives the same, or something implies it: from then on it
  // stands under that alone.
  let standing = adopted
  const done: Assignment[] = []
  const open = new Map<EntitlementId, Given & { readonly from: Instant }>()
  const close = (entitlement: EntitlementId, to: Instant | null): void => {
    const { from, target, reasons } = open.get(entitlement) as Given & { from: Instant }
    done.push({ entitlement, target, interval: { from, to }, reasons })
    open.delete(entitlement)
  }
  for (const at of cuts) {
    const policy = policyAt(policies, at)
    const given = givenBy.get(policy) ?? rememberGiven(policy)
    givenBy.set(policy, given)
    const employments = identityAt(history, at).employments.filter(givesAccess)
    const byRules = union(employments.map(given))
    const isOver = ({ entitlement, interval }: Adopted) =>
      interval.from <= at && (employments.length === 0 || byRules.has(entitlement))
    standing = standing.filter((one) => !isOver(one))
    const wanted = withImplied(withAdopted(byRules, standing, at, policy), policy)
    standing = standing.filter(
      ({ entitlement, interval }) => interval.from > at || !wanted.get(entitlement)?.reasons.some(isImplied),
    )
    for (const [entitlement, { target, reasons }] of open) {
      const now = wanted.get(entitlement)
      if (now === undefined || now.target !== target || !sameReasons(now.reasons, reasons)) close(entitlement, at)
    }
    for (const [entitlement, now] of wanted) if (!open.has(entitlement)) open.set(entitlement, { ...now, from: at })
  }
  for (const entitlement of [...open.keys()]) close(entitlement, null)
  return done.sort((a, b) => a.entitlement - b.entitlement || a.interval.from - b.interval.from)
}

/** While the catalogue has it. */
const withAdopted = (byRules: Givens, adopted: readonly Adopted[], at: Instant, { keyOf }: CompiledPolicy): Givens => {
  const rest = adopted.filter(({ entitlement, interval }) => contains(interval, at) && keyOf.has(entitlement))
  if (rest.length === 0) return byRules
  return new Map([
    ...byRules,
    ...rest.map(({ entitlement, target }) => [entitlement, { target, reasons: byAdoption }] as const),
  ])
}

const byAdoption: readonly Reason[] = [{ kind: 'adopted' }]

const policyAt = (policies: readonly PolicyWindow[], at: Instant): CompiledPolicy => {
  const window = policies.findLast(({ activeFrom }) => activeFrom === null || activeFrom <= at) ?? policies[0]
  if (window === undefined) throw new Error('no policy version is given: nothing can be decided without one')
  return window.policy
}

const givesAccess = (employment: EmploymentAt): boolean => employment.givesAccess

/** What one employment gives, computed once for each of its snapshots. */
const rememberGiven = (policy: CompiledPolicy) => {
  const remembered = new Map<Worker, Givens>()
  return (employment: EmploymentAt): Givens => {
    const facts = factsOf(employment)
    if (facts === null) return nothing
    const known = remembered.get(facts.worker)
    if (known !== undefined) return known
    const given = givenTo(policy, facts)
    remembered.set(facts.worker, given)
    return given
  }
}

/** What rules may look at, or null when the employment gives no access. */
export const factsOf = ({ worker, state }: EmploymentAt): Facts | null =>
  worker !== null && (state === 'active' || state === 'leave' || state === 'suspended')
    ? { worker, status: state }
    : null

const givenTo = (policy: CompiledPolicy, facts: Facts): Givens => {
  const given = new Map<EntitlementId, { target: TargetId; reasons: Reason[] }>()
  for (const { def, grants } of matchingRules(policy, facts)) {
    for (const { entitlement, target, path } of grants) {
      const entry = given.get(entitlement) ?? { target, reasons: [] }
      given.set(entitlement, entry)
      entry.reasons.push({ kind: 'rule', rule: def.key, employmentKey: facts.worker.employmentKey, path })
    }
  }
  return given
}

/** Access is the union over employments; reasons stay apart, by employment in the order of their keys. */
const union = (givens: readonly Givens[]): Givens => {
  if (givens.length <= 1) return givens[0] ?? nothing
  const all = new Map<EntitlementId, Given>()
  for (const given of givens)
    for (const [entitlement, { target, reasons }] of given)
      all.set(entitlement, { target, reasons: [...(all.get(entitlement)?.reasons ?? []), ...reasons] })
  return all
}

const sameReasons = (a: readonly Reason[], b: readonly Reason[]): boolean =>
  a === b || (a.length === b.length && a.every((reason, i) => sameReason(reason, b[i] as Reason)))

const sameReason = (a: Reason, b: Reason): boolean =>
  a.kind === 'rule' && b.kind === 'rule'
    ? a.rule === b.rule && a.employmentKey === b.employmentKey && samePath(a.path, b.path)
    : a.kind === 'implied' && b.kind === 'implied'
      ? a.implication === b.implication && a.holds === b.holds && samePath(a.path, b.path)
      : JSON.stringify(a) === JSON.stringify(b)

const samePath = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((role, i) => role === b[i])
