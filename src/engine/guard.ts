import { auditEntry } from '../audit/entry.ts'
import { type GuardLimits, type Tripped, trippedLimits, urgentLeaversLeft } from '../planning/guard.ts'
import { appendAudit } from '../store/audit-log.ts'
import type { Transaction } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import {
  guardCounts,
  guardedTargets,
  lockGuard,
  type Members,
  members,
  openGuardHold,
  openGuardHolds,
  tally,
  urgentLeavers,
} from '../store/guard.ts'
import type { Held } from '../store/dispatches.ts'
import type { Lane } from '../domain/action.ts'
import type { Engine } from './engine.ts'

export type GuardAnswer = {
  readonly held: readonly Held[]
  /** Identities that pass although held: the bounded urgent leavers. */
  readonly passing: readonly number[]
}

/**
 * The one guard, at the door, over all causes together (DESIGN §5). Counts before a batch's first action leaves; holds
 * the lock of every target that it counted until the dispatches are committed.
 */
export const guard = async (engine: Engine, tx: Transaction, lane: Lane): Promise<GuardAnswer> => {
  const targets = await guardedTargets(tx, lane)
  const answers: GuardAnswer[] = []
  for (const { target } of [...targets].sort((a, b) => (a.target < b.target ? -1 : 1))) {
    const settings = engine.targets.find(({ id }) => id === target)
    if (settings !== undefined) answers.push(await guardTarget(engine, tx, target, settings.guard))
  }
  return { held: answers.flatMap(({ held }) => held), passing: answers.flatMap(({ passing }) => passing) }
}

const guardTarget = async (
  engine: Engine,
  tx: Transaction,
  target: string,
  limits: GuardLimits,
): Promise<GuardAnswer> => {
  tx.defer(lockGuard(tx, target))
  const [rows, holds] = await Promise.all([tally(tx, target, limits.windowMs), openGuardHolds(tx, target)])
  const of = await engine.guardMembers.of(target, rows, limits, () => members(tx, target, limits.windowMs))
  const tripped = trippedLimits(limits, guardCounts(rows, of))
  for (const one of tripped) await openHold(engine, tx, target, one)
  const open = tripped.length === 0 ? holds : await openGuardHolds(tx, target)
  if (open.length === 0) return { held: [], passing: [] }
  const held = open.map(({ kind, entitlement }): Held => ({ target, kind, entitlement }))
  const { passed, waiting } = await urgentLeavers(tx, target)
  const left = urgentLeaversLeft(limits, of.accounts, passed.length)
  return { held, passing: [...passed, ...waiting.slice(0, left)] }
}

const openHold = async (
  engine: Engine,
  tx: Transaction,
  target: string,
  { limit, entitlement, count, allowed }: Tripped,
): Promise<void> => {
  const kind = limit === 'disables' ? 'disable' : 'revoke'
  if (!(await openGuardHold(tx, { target, kind, entitlement, limit, count, allowed }))) return
  engine.log.error(
    { target, limit, count, allowed },
    'the guard holds a mass change: look with `muster hold list`, then release or reject it',
  )
  await openFinding(tx, {
    kind: 'guard-tripped',
    key: `${target}:${limit}:${entitlement ?? '*'}`,
    urgent: true,
    identityId: null,
    detail: { target, limit, count, allowed },
  })
  const [clock] = await tx.query<{ now: number }>({
    text: 'select (extract(epoch from muster.now()) * 1000)::bigint as now',
  })
  const at = clock?.now ?? 0
  await appendAudit(tx, at, [
    auditEntry(
      'guard-tripped',
      at,
      { entitlementId: entitlement },
      { target, limit, entitlement, count, allowed, actor: { type: 'engine' } },
    ),
  ])
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
