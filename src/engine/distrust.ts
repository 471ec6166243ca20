import { patience, restOf } from '../planning/retry.ts'
import type { Claim } from './claim.ts'
import type { Verdict } from './verdict.ts'

/**
 * A revoke sent while its grant was still in flight proves nothing until that grant is known: again then, and until then
 * after pauses as long as the grant has been unknown. `unsettled`: for how long, ms.
 */
export const distrustInverses = (
  verdicts: readonly Verdict[],
  unsettled: ReadonlyMap<number, number>,
): readonly Verdict[] => {
  if (unsettled.size === 0) return verdicts
  return verdicts.map((one) => {
    const ms = unsettled.get(one.action.inverse_of ?? -1)
    if (one.next.kind !== 'done' || ms === undefined) return one
    const afterMs = Math.min(Math.max(ms, onceMoreMs), patience.leaver.capMs)
    return { ...one, next: { kind: 'readBack', afterMs, counts: false, finding: null } }
  })
}

/** A call that is out ends soon, as a rule. */
const onceMoreMs = 200

/** The native id is linked to somebody else: never a guess, a finding. */
export const distrustTakenAccounts = (
  claim: Claim,
  verdicts: readonly Verdict[],
  accounts: ReadonlyMap<number, number>,
): readonly Verdict[] =>
  verdicts.map((one) =>
    one.next.kind === 'done' &&
    one.outcome.kind === 'done' &&
    one.outcome.account !== undefined &&
    !accounts.has(one.action.identity_id)
      ? { ...one, next: takenNext(claim, one) }
      : one,
  )

/** A leaver's goes again: a human may have said by then whose it is. */
const takenNext = ({ lane }: Claim, { action }: Verdict): Verdict['next'] => ({
  kind: 'park',
  finding: 'account-ambiguous',
  ...(lane === 'leaver' ? { afterMs: restOf({ rests: action.rests, random: 0.5 }) } : {}),
})

/** Two entries of the catalogue are one thing: what was given stands under the first, and a human must look. */
export const distrustTwins = (verdicts: readonly Verdict[], twins: ReadonlyMap<number, number>): readonly Verdict[] =>
  twins.size === 0
    ? verdicts
    : verdicts.map((one) =>
        one.next.kind === 'done' && one.action.kind === 'grant' && twins.has(one.action.entitlement_id ?? 0)
          ? { ...one, next: { kind: 'park', finding: 'entitlement-changed-identity' } }
          : one,
      )
