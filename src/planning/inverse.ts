import type { ActionReason } from '../domain/action.ts'
import { keyOf, type Lookups, opposite, type Subject } from './lookups.ts'
import type { PlanInput } from './plan-input.ts'

/**
 * For a leaver: why the inverse of `subject` (a grant or an enable) must go out now, or null. A call in flight counts as
 * applied, and its inverse is sent once without waiting for the outcome; as long as that inverse is open it stays wanted.
 */
export const inverseWanted = (subject: Subject, { inverseSent }: PlanInput, lookups: Lookups): ActionReason | null => {
  const calling = lookups.inFlight(subject)
  const kind = opposite[subject.kind]
  if (calling === undefined || kind === null) return null
  if (inverseSent.has(calling.id) && !lookups.open.has(keyOf({ ...subject, kind }))) return null
  return { kind: 'inverse-of-claimed', action: calling.id }
}
