import type { Assignment, GrantVerdict } from '../domain/decision.ts'
import type { EntitlementId } from '../domain/ids.ts'
import { assertNever } from '../domain/never.ts'
import type { CompiledPolicy } from './compile.ts'
import { isImplied } from './implied.ts'

type Verdicts = ReadonlyMap<EntitlementId, GrantVerdict>

const go: GrantVerdict = { kind: 'go' }

/**
 * Priority 1: what is wanted only because something else is wanted is given no earlier than that may be held. Where several
 * things imply it, the one that stands best is enough; any reason that is no implication is. What is there already stands
 * by itself, but lends nothing that it does not have: what follows from it follows from where the way begins.
 */
export const followVerdicts = (
  { implied, idOf }: Pick<CompiledPolicy, 'implied' | 'idOf'>,
  wanted: readonly Assignment[],
  judged: Verdicts,
): Verdicts => {
  if (implied.size === 0) return judged
  const reasonsOf = new Map(wanted.map(({ entitlement, reasons }) => [entitlement, reasons]))
  const known = new Map<EntitlementId, GrantVerdict>()
  // No way of implications leads back to where it began: the parser refuses those.
  const standing = (entitlement: EntitlementId): GrantVerdict => {
    const before = known.get(entitlement)
    if (before !== undefined) return before
    const reasons = reasonsOf.get(entitlement)
    if (reasons === undefined) throw new Error(`entitlement ${entitlement} implies something, and nothing wants it`)
    const own = judged.get(entitlement) ?? go
    const followed = reasons.every(isImplied)
      ? reasons.map(({ holds }) => standing(idOf.get(holds) as EntitlementId)).reduce(better)
      : go
    const verdict = together(own, followed)
    known.set(entitlement, verdict)
    return verdict
  }
  return new Map([...judged.keys()].map((entitlement) => [entitlement, standing(entitlement)]))
}

const better = (a: GrantVerdict, b: GrantVerdict): GrantVerdict => (rank(a) <= rank(b) ? a : b)

/** The less is asked of a human or of time, the better. */
const rank = (verdict: GrantVerdict): number => {
  switch (verdict.kind) {
    case 'go':
      return (verdict.exceptions ?? []).length === 0 ? 0 : 1
    case 'wait':
      return 2
    case 'held':
      return 3
    default:
      return assertNever(verdict)
  }
}

/** Both must let it go. */
const together = (own: GrantVerdict, followed: GrantVerdict): GrantVerdict => {
  if (own.kind === 'held' || followed.kind === 'held') {
    const holding = [own, followed].filter((one) => one.kind === 'held')
    return {
      kind: 'held',
      policies: distinct(holding.flatMap(({ policies }) => policies)),
      conflictsWith: ascending(holding.flatMap(({ conflictsWith }) => conflictsWith)),
    }
  }
  if (own.kind === 'wait' || followed.kind === 'wait') {
    const waiting = [own, followed].filter((one) => one.kind === 'wait')
    return {
      kind: 'wait',
      policies: distinct(waiting.flatMap(({ policies }) => policies)),
      after: ascending(waiting.flatMap(({ after }) => after)),
    }
  }
  const exceptions = distinct([...(own.exceptions ?? []), ...(followed.exceptions ?? [])])
  return exceptions.length === 0 ? own : { kind: 'go', exceptions }
}

const distinct = (keys: readonly string[]): readonly string[] => [...new Set(keys)]
const ascending = (ids: readonly EntitlementId[]): readonly EntitlementId[] => [...new Set(ids)].sort((a, b) => a - b)
