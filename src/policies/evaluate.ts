import type { Adopted, Decision } from '../domain/decision.ts'
import type { IdentityHistory } from '../domain/identity.ts'
import type { PersonKey } from '../domain/ids.ts'
import { contains, earlier, type Instant } from '../domain/instant.ts'
import type { CompiledPolicy } from './compile.ts'
import { followVerdicts } from './follow.ts'
import { judgeSod, type Present } from './separation-of-duties.ts'
import { type PolicyWindow, timelineOf } from './timeline.ts'

export type EvaluationInput = {
  readonly history: IdentityHistory
  readonly personKey: PersonKey
  /**
   * Ascending by `activeFrom`, at least one. The version active at a valid time judges that time; the first reaches
   * back for ever; the last is the active one, and alone judges separation of duties.
   */
  readonly policies: readonly PolicyWindow[]
  readonly now: Instant
  readonly present: readonly Present[]
  /** Taken over from before Muster; none by default. */
  readonly adopted?: readonly Adopted[]
}

/** What one person should hold, and what of it may be granted now. Pure: the same input gives the same answer. */
export const evaluate = ({ history, personKey, policies, now, present, adopted = [] }: EvaluationInput): Decision => {
  const windows = activeNow(policies, now)
  const active = (windows.at(-1) as PolicyWindow).policy
  const timeline = timelineOf(history, windows, adopted)
  const wanted = timeline.filter(({ interval }) => contains(interval, now))
  const { verdicts: judged, violations } = judgeSod(
    active,
    personKey,
    now,
    present,
    wanted.map(({ entitlement }) => entitlement),
  )
  const verdicts = followVerdicts(active, wanted, judged)
  return { timeline, wanted, verdicts, violations, nextChangeAt: nextChangeAfter(now, history, active, personKey) }
}

/** The active version judges this moment even if its row was stamped a tick ahead of the caller's clock reading. */
const activeNow = (policies: readonly PolicyWindow[], now: Instant): readonly PolicyWindow[] => {
  const last = policies.at(-1)
  if (last === undefined) throw new Error('no policy version is given: nothing can be decided without one')
  return last.activeFrom === null || last.activeFrom <= now
    ? policies
    : [...policies.slice(0, -1), { ...last, activeFrom: now }]
}

const nextChangeAfter = (
  now: Instant,
  history: IdentityHistory,
  policy: CompiledPolicy,
  personKey: PersonKey,
): Instant | null => {
  let next: Instant | null = history.changePoints.find((point) => point > now) ?? null
  for (const { from, expires } of policy.exceptionsOf.get(personKey) ?? [])
    for (const point of [from, expires]) if (point > now) next = earlier(next, point)
  return next
}
