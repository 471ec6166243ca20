import { auditEntry } from '../audit/entry.ts'
import type { ActionKind, Lane } from '../domain/action.ts'
import {
  type GuardLimitName,
  type GuardLimits,
  kindsOf,
  type Tripped,
  trippedLimits,
  urgentLeaversLeft,
} from '../planning/guard.ts'
import { appendAudit } from '../store/audit-log.ts'
import type { Counted, Held, Passing } from '../store/create-dispatches.ts'
import type { Transaction } from '../store/database.ts'
import { openFinding, openFindingOnce } from '../store/findings.ts'
import {
  guardedTargets,
  holdersOf,
  lockGuard,
  members,
  openGuardHold,
  openGuardHolds,
  tally,
  urgentPassed,
  urgentWaiting,
} from '../store/guard.ts'
import type { Engine } from './engine.ts'
import { guardCounts } from './guard-members.ts'

export type GuardAnswer = {
  readonly held: readonly Held[]
  /** Who passes although held: the bounded urgent leavers. */
  readonly passing: readonly Passing[]
  /** What takes away and was counted; no more of it may leave. */
  readonly counted: readonly Counted[]
}

/**
 * The one guard, at the door, over all causes together (DESIGN §5). Counts before a batch's first action leaves; holds
 * the lock of every target that it counted until the dispatches are committed.
 */
export const guard = async (engine: Engine, tx: Transaction, lane: Lane): Promise<GuardAnswer> => {
  const targets = await guardedTargets(tx, lane)
  // Sent together: whoever counts several targets, too, locks them in this order.
  const judged = await Promise.allSettled(
    [...targets]
      .sort((a, b) => (a.target < b.target ? -1 : 1))
      .flatMap(({ target }) => {
        const settings = engine.targets.find(({ id }) => id === target)
        return settings === undefined ? [] : [guardTarget(engine, tx, target, settings.guard)]
      }),
  )
  // All have ended by now: none writes on once the transaction is over.
  const answers = judged.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
  return {
    held: answers.flatMap(({ held }) => held),
    passing: answers.flatMap(({ passing }) => passing),
    counted: answers.flatMap(({ counted }) => counted),
  }
}

const guardTarget = async (
  engine: Engine,
  tx: Transaction,
  target: string,
  limits: GuardLimits,
): Promise<GuardAnswer> => {
  tx.defer(lockGuard(tx, target))
  const [rows, holds] = await Promise.all([tally(tx, target, limits.windowMs), openGuardHolds(tx, target)])
  const of = await engine.guardMembers.of(target, rows, limits, {
    all: () => members(tx, target, limits.windowMs),
    beside: () => members(engine.db, target, limits.windowMs),
    holders: (entitlements) => holdersOf(tx, entitlements, limits.windowMs),
  })
  const tripped = trippedLimits(limits, guardCounts(rows, of))
  for (const one of tripped) await openHold(engine, tx, target, one)
  const open = tripped.length === 0 ? holds : await openGuardHolds(tx, target)
  const counted = rows.map(({ kind, entitlement, undispatched }) => ({ target, kind, entitlement, undispatched }))
  if (open.length === 0) return { held: [], passing: [], counted }
  const held = open.flatMap(({ limit, entitlement }) =>
    (kindsOf[limit as GuardLimitName] ?? []).map((kind): Held => ({ target, kind, entitlement })),
  )
  // Urgent leavers are no business of a hold over what gives access.
  const ofLeavers = held.filter(({ kind }) => takenFromLeavers.has(kind))
  if (ofLeavers.length === 0) return { held, passing: [], counted }
  const passed = await urgentPassed(tx, target)
  const left = urgentLeaversLeft(limits, of.accounts, passed.length)
  const waiting = await urgentWaiting(
    tx,
    target,
    {
      kinds: ofLeavers.flatMap(({ kind, entitlement }) => (entitlement === null ? [kind] : [])),
      entitlements: ofLeavers.flatMap(({ entitlement }) => entitlement ?? []),
      actions: rows.reduce((sum, row) => sum + (ofLeavers.some((one) => isOf(one, row)) ? row.undispatched : 0), 0),
    },
    passed.map(({ id }) => id),
    left + 1,
  )
  if (waiting.length > left)
    await openFindingOnce(tx, {
      kind: 'urgent-leavers-held',
      key: target,
      urgent: true,
      identityId: null,
      detail: { target, passed: passed.length + left },
    })
  const passing = [...passed.flatMap(({ id, urgent }) => (urgent ? [id] : [])), ...waiting.slice(0, left)]
  return { held, passing: passing.map((identity) => ({ target, identity })), counted }
}

const isOf = (held: Held, { kind, entitlement }: Pick<Held, 'kind' | 'entitlement'>): boolean =>
  held.kind === kind && (held.entitlement === null || held.entitlement === entitlement)

const takenFromLeavers: ReadonlySet<ActionKind> = new Set(['revoke', 'disable', 'endSessions'])

const openHold = async (
  engine: Engine,
  tx: Transaction,
  target: string,
  { limit, entitlement, count, allowed }: Tripped,
): Promise<void> => {
  const [kind] = kindsOf[limit]
  if (kind === undefined) return
  if (!(await openGuardHold(tx, { target, kind, entitlement, limit, count, allowed }))) return
  engine.log.error(
    { target, limit, count, allowed },
    'the guard holds a mass change: look with `muster hold list`; `muster hold release ID` lets it go',
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
