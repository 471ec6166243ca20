import type { Connector } from '../connectors/connector.ts'
import type { Adopted } from '../domain/decision.ts'
import { foughtFrom } from '../domain/drift.ts'
import type { EntitlementId, TargetId } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import { isKept } from '../domain/outcome.ts'
import { isProtectedEntitlement } from '../domain/protection.ts'
import type { TargetRules } from '../domain/target.ts'
import type { PresentGrant } from '../planning/plan-input.ts'
import { type PresentAccess, presentAccess } from '../planning/present.ts'
import type { EvaluationFacts } from '../store/evaluation-facts.ts'
import type { ActivePolicy } from './policy-book.ts'
import type { Profile } from './profile.ts'

export const adoptedOf = ({ adopted }: Pick<EvaluationFacts, 'adopted'>): readonly Adopted[] =>
  adopted.map(({ entitlement, target, from, to }) => ({
    entitlement: entitlement as EntitlementId,
    target: target as TargetId,
    interval: { from: from as Instant, to: to as Instant | null },
  }))

/**
 * Targets that have shown since the leave that there is no account, or none but the one that is gone. What HR tells of a leaver later,
 * or what muster.yaml says later, may be what their account is found by: by that nobody has looked.
 */
export const absentOn = (
  profile: Profile | null,
  { absent, accounts }: Pick<EvaluationFacts, 'absent' | 'accounts'>,
  endedAt: Instant,
  connectors: ReadonlyMap<TargetId, Pick<Connector, 'creationHash'>>,
): ReadonlySet<TargetId> =>
  new Set(
    absent.flatMap((one) => {
      const target = one.target as TargetId
      const goneAt = accounts.find((account) => account.target === target)?.goneAt ?? 0
      const hash = one.soughtAs === null ? undefined : connectors.get(target)?.creationHash
      const isSame = hash === undefined || hash(profile ?? {}) === one.soughtAs
      return isSame && one.readAt >= Math.max(endedAt, goneAt) ? [target] : []
    }),
  )

/** What was verified as present and not since as gone, directly or not, with what the catalogue says of it. */
export const presentGrants = (
  facts: Pick<EvaluationFacts, 'grants' | 'indirect' | 'drift'>,
  policy: ActivePolicy,
  targets: readonly Pick<TargetRules, 'id' | 'protect'>[],
): readonly PresentGrant[] => {
  const standing = ({ entitlement, target }: { readonly entitlement: number; readonly target: string }) => {
    const known = policy.entitlements.get(entitlement as EntitlementId)
    return {
      entitlement: entitlement as EntitlementId,
      target: target as TargetId,
      managed: known?.managed ?? false,
      protected: known?.protected === true || isUntouchable(target, known?.lookup ?? '', targets),
    }
  }
  const seenAt = new Map(facts.grants.map(({ entitlement, readAt }) => [entitlement, readAt]))
  // Of a membership that is either a rule's or a grant, the newer read says which: a rule may come, and it may be lifted. Where one
  // read says both, what was a rule's is only carried over.
  const kept = new Set(
    facts.indirect
      .filter((held) => isKept(held) && held.readAt > (seenAt.get(held.entitlement) ?? Number.NEGATIVE_INFINITY))
      .map(({ entitlement }) => entitlement),
  )
  return [
    ...facts.grants
      .filter(({ entitlement }) => !kept.has(entitlement))
      .map((grant) => ({
        ...standing(grant),
        indirect: false,
        found: !grant.given,
        reverted: !grant.given && grant.appeared && isReverted(grant.entitlement, facts, policy),
      })),
    ...facts.indirect.map((held) => ({
      ...standing(held),
      indirect: true,
      kept: isKept(held) && kept.has(held.entitlement),
    })),
  ]
}

const isUntouchable = (
  target: string,
  name: string,
  targets: readonly Pick<TargetRules, 'id' | 'protect'>[],
): boolean => targets.some(({ id, protect }) => id === target && isProtectedEntitlement(protect, name))

/** Whoever changes the same grant again and again behind our back will not be won over by one more turn. */
const isReverted = (entitlement: number, { drift }: Pick<EvaluationFacts, 'drift'>, policy: ActivePolicy): boolean =>
  policy.entitlements.get(entitlement as EntitlementId)?.drift === 'revert' && !isFought(entitlement, drift)

export const isFought = (entitlement: number, drift: EvaluationFacts['drift']): boolean =>
  drift.some((one) => one.entitlement === entitlement && one.times >= foughtFrom)

/** Taken away behind our back, and not to be given again for it. */
export const onlyReported = (
  facts: Pick<EvaluationFacts, 'drift'>,
  policy: ActivePolicy,
): ReadonlyMap<EntitlementId, Instant> =>
  new Map(
    facts.drift.flatMap(({ entitlement, missingSince }) =>
      missingSince === null || isReverted(entitlement, facts, policy)
        ? []
        : [[entitlement as EntitlementId, missingSince as Instant] as const],
    ),
  )

/**
 * What an adoption keeps: what is there, what we took away ourselves and is wanted again (a leave was rescinded), and, where `drift`
 * says so, what another hand took; all of the account that is linked now.
 */
export const keptByAdoption = (
  facts: Pick<EvaluationFacts, 'grants' | 'drift' | 'adopted'>,
  policy: ActivePolicy,
): ReadonlySet<EntitlementId> =>
  new Set(
    [
      ...facts.grants,
      ...facts.adopted.filter(
        ({ entitlement, takenBy }) =>
          takenBy === 'us' || (takenBy === 'another' && isReverted(entitlement, facts, policy)),
      ),
    ].map(({ entitlement }) => entitlement as EntitlementId),
  )

/**
 * All that counts as held when separation of duties judges (DESIGN §4). What a late worker may have given counts, too, and no
 * revoke is proof against it before a read has told what became of it: nothing is given in its wake.
 */
export const presentOf = (
  targets: readonly Pick<TargetRules, 'id' | 'mode'>[],
  grants: readonly PresentGrant[],
  { open, late }: Pick<EvaluationFacts, 'open' | 'late'>,
): readonly PresentAccess[] => {
  const present = presentAccess(targets, grants, open)
  if (late.length === 0) return present
  const unread = new Set(late.map(({ entitlement }) => entitlement as EntitlementId))
  const held = new Set(present.flatMap(({ entitlement, state }) => (state === 'held' ? [entitlement] : [])))
  return [
    ...present.filter(({ entitlement, state }) => state === 'indirect' || !unread.has(entitlement)),
    ...[...unread].map(
      (entitlement): PresentAccess => ({
        entitlement,
        state: held.has(entitlement) ? 'held' : 'unknown',
        revocable: false,
      }),
    ),
  ].sort((a, b) => a.entitlement - b.entitlement)
}
