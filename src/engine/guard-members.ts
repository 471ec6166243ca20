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
  /** `count` waits with the leaver; `beside` counts the same on a connection of its own, while nobody waits. */
  readonly of: (
    target: string,
    rows: Parameters<typeof guardCounts>[0],
    limits: GuardLimits,
    count: () => Promise<Members>,
    beside: () => Promise<Members>,
  ) => Promise<Members>
}

/**
 * Counting members reads every account and grant of a target: too slow for each leaver. The last count (at most
 * `maxAgeMs` old, and counted anew beside the work from a tenth of that age on) is trusted only while the tally stays under
 * a quarter of what it would allow; else it is counted on the spot.
 */
export const guardMembers = (now: () => number, maxAgeMs = 60_000): GuardMembers => {
  const last = new Map<string, { readonly at: number; readonly members: Members }>()
  const counting = new Set<string>()
  const refresh = async (target: string, count: () => Promise<Members>) => {
    if (counting.has(target)) return
    counting.add(target)
    const at = now()
    try {
      last.set(target, { at, members: await count() })
    } catch {
      // The old count ages until it is trusted no more: then whoever waits for the new one is told.
    } finally {
      counting.delete(target)
    }
  }
  return {
    of: async (target, rows, limits, count, beside) => {
      const known = last.get(target)
      if (known !== undefined && now() - known.at < maxAgeMs) {
        const quadrupled = rows.map((row) => ({
          ...row,
          undispatched: row.undispatched * 4,
          dispatched: row.dispatched * 4,
        }))
        if (trippedLimits(limits, guardCounts(quadrupled, known.members)).length === 0) {
          if (now() - known.at > maxAgeMs / 10) void refresh(target, beside)
          return known.members
        }
      }
      const counted = await count()
      last.set(target, { at: now(), members: counted })
      return counted
    },
  }
}
