import type { Assignment } from '../domain/decision.ts'
import type { EntitlementId } from '../domain/ids.ts'
import type { CompiledPolicy } from './compile.ts'

/**
 * What is wanted only because something was adopted that is not there any more, or not on the account that is theirs now, and
 * whatever follows from that alone: an adoption keeps what is there, and is no reason to give anything. `kept`: what is there, and what
 * is given back where another hand took it.
 */
export const lostAdoptions = (
  wanted: readonly Assignment[],
  kept: ReadonlySet<EntitlementId>,
  { idOf }: Pick<CompiledPolicy, 'idOf'>,
): ReadonlySet<EntitlementId> => {
  const lost = new Set<EntitlementId>()
  const isLost = ({ entitlement, reasons }: Assignment): boolean =>
    reasons.every((reason) => {
      if (reason.kind === 'adopted') return !kept.has(entitlement)
      if (reason.kind !== 'implied') return false
      const from = idOf.get(reason.holds)
      return from !== undefined && lost.has(from)
    })
  // From step to step of what follows; there are no circles.
  for (let before = -1; before < lost.size; ) {
    before = lost.size
    for (const one of wanted) if (isLost(one)) lost.add(one.entitlement)
  }
  return lost
}
