import type { ActionKind } from '../domain/action.ts'
import { type GuardCount, type GuardLimits, kindsOf, percentFromMembers, trippedLimits } from '../planning/guard.ts'
import type { GuardTally, Members } from '../store/guard.ts'

/** The tally and the members as the limits want them. */
export const guardCounts = (rows: readonly GuardTally[], of: Members): readonly GuardCount[] => {
  const sum = (kind: ActionKind) =>
    rows
      .filter((row) => row.kind === kind)
      .reduce(
        (total, row) => ({
          undispatched: total.undispatched + row.undispatched,
          dispatched: total.dispatched + row.dispatched,
        }),
        { undispatched: 0, dispatched: 0 },
      )
  /** Kinds of one limit are about the same people: the larger of them counts. */
  const most = (kinds: readonly ActionKind[]) =>
    kinds.map(sum).reduce((a, b) => (b.undispatched + b.dispatched > a.undispatched + a.dispatched ? b : a))
  const ofTarget = (limit: GuardCount['limit'], members: number): GuardCount => ({
    limit,
    entitlement: null,
    ...most(kindsOf[limit]),
    members,
  })
  return [
    ofTarget('revokes', of.grants),
    ofTarget('disables', of.accounts),
    ofTarget('enables', of.accounts),
    ofTarget('deletes', of.accounts),
    ofTarget('riskyGrants', of.grants),
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

/** Ways to count. */
export type Count = {
  /** Everything of the target, while the leaver waits. */
  readonly all: () => Promise<Members>
  /** The same on a connection of its own, while nobody waits. */
  readonly beside: () => Promise<Members>
  /** Holders of some entitlements only. */
  readonly holders: (entitlements: readonly number[]) => Promise<Members['holders']>
}

export type GuardMembers = {
  readonly of: (
    target: string,
    rows: Parameters<typeof guardCounts>[0],
    limits: GuardLimits,
    count: Count,
  ) => Promise<Members>
}

type Counted = { readonly at: number; readonly members: Members }

/**
 * Counting members reads every account and grant of a target: too slow for each leaver. The last count (at most
 * `maxAgeMs` old, and counted anew beside the work from a tenth of that age on) is trusted only while the tally stays under
 * a quarter of what it would allow; else it is counted on the spot.
 */
export const guardMembers = (now: () => number, maxAgeMs = 60_000): GuardMembers => {
  const last = new Map<string, Counted>()
  const counting = new Set<string>()
  /** Of two counts the one that began later stays. */
  const remember = (target: string, counted: Counted) => {
    const known = last.get(target)
    if (known === undefined || known.at <= counted.at) last.set(target, counted)
  }
  const refresh = async (target: string, count: () => Promise<Members>) => {
    if (counting.has(target)) return
    counting.add(target)
    const at = now()
    try {
      remember(target, { at, members: await count() })
    } catch {
      // The old count ages until it is trusted no more: then whoever waits for the new one is told.
    } finally {
      counting.delete(target)
    }
  }
  return {
    of: async (target, rows, limits, count) => {
      const known = last.get(target)
      if (known !== undefined && now() - known.at < maxAgeMs) {
        const members = await recount(rows, limits, known.members, count)
        if (isPlenty(rows, limits, members)) {
          if (now() - known.at > maxAgeMs / 10) void refresh(target, count.beside)
          return members
        }
      }
      const at = now()
      const members = await count.all()
      remember(target, { at, members })
      return members
    },
  }
}

/** Entitlements that few held are counted anew: that is quick, and they may have filled since. */
const recount = async (
  rows: readonly GuardTally[],
  limits: GuardLimits,
  members: Members,
  count: Count,
): Promise<Members> => {
  if (limits.entitlementRevokes.percent === null) return members
  const few = rows.flatMap(({ kind, entitlement }) =>
    kind === 'revoke' && entitlement !== null && (members.holders.get(entitlement) ?? 0) < percentFromMembers
      ? [entitlement]
      : [],
  )
  if (few.length === 0) return members
  return { ...members, holders: new Map([...members.holders, ...(await count.holders(few))]) }
}

/**
 * A quarter of what an old count allows is allowed by any later one, with one exception: below `percentFromMembers` no
 * percentage is judged at all, and a target that was that small may have filled since.
 */
const isPlenty = (rows: readonly GuardTally[], limits: GuardLimits, members: Members): boolean => {
  const quadrupled = guardCounts(
    rows.map((row) => ({ ...row, undispatched: row.undispatched * 4, dispatched: row.dispatched * 4 })),
    members,
  )
  const mayHaveFilled = quadrupled.some(
    ({ limit, undispatched, dispatched, members: of }) =>
      limit !== 'entitlementRevokes' &&
      undispatched + dispatched > 0 &&
      of < percentFromMembers &&
      limits[limit].percent !== null,
  )
  return !mayHaveFilled && trippedLimits(limits, quadrupled).length === 0
}
