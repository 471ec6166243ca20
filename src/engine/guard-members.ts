import { type GuardCount, type GuardLimits, trippedLimits } from '../planning/guard.ts'
import type { GuardTally, Members } from '../store/guard.ts'

/** The tally and the members as the limits want them. */
export const guardCounts = (rows: readonly GuardTally[], of: Members): readonly GuardCount[] => {
  const sum = (kind: GuardTally['kind']) =>
    rows
      .filter((row) => row.kind === kind)
      .reduce(
        (total, row) => ({
          undispatched: total.undispatched + row.undispatched,
          dispatched: total.dispatched + row.dispatched,
        }),
        { undispatched: 0, dispatched: 0 },
      )
  return [
    { limit: 'revokes', entitlement: null, ...sum('revoke'), members: of.grants },
    { limit: 'disables', entitlement: null, ...sum('disable'), members: of.accounts },
    ...rows.flatMap((row) =>
      row.kind === 'revoke' && row.entitlement !== null
        ? [
            {
              limit: 'entitlementRevokes' as const,
              entitlement: row.entitlement,
              undispatched: row.undispatched,
              dispatched: row.dispatched,
              members: of.holders.get(row.entitlement) ?? 0,
            },
          ]
        : [],
    ),
  ]
}

export type GuardMembers = {
  readonly of: (
    target: string,
    rows: Parameters<typeof guardCounts>[0],
    limits: GuardLimits,
    count: () => Promise<Members>,
  ) => Promise<Members>
}

/**
 * Counting members reads every account and grant of a target: too slow for each leaver. The last count (at most
 * `maxAgeMs` old) is trusted only while the tally stays under a quarter of what it would allow; else it is counted anew.
 */
export const guardMembers = (now: () => number, maxAgeMs = 10_000): GuardMembers => {
  const last = new Map<string, { readonly at: number; readonly members: Members }>()
  return {
    of: async (target, rows, limits, count) => {
      const known = last.get(target)
      if (known !== undefined && now() - known.at < maxAgeMs) {
        const quadrupled = rows.map((row) => ({
          ...row,
          undispatched: row.undispatched * 4,
          dispatched: row.dispatched * 4,
        }))
        if (trippedLimits(limits, guardCounts(quadrupled, known.members)).length === 0) return known.members
      }
      const counted = await count()
      last.set(target, { at: now(), members: counted })
      return counted
    },
  }
}
