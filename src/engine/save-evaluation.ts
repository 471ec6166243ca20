import { auditEntry } from '../audit/entry.ts'
import type { NewAction } from '../domain/action.ts'
import type { TargetId } from '../domain/ids.ts'
import { isGuarded } from '../planning/guard.ts'
import { type ActionRow, insertActions, restamp, supersede } from '../store/actions.ts'
import { saveAdopted } from '../store/adoptions.ts'
import { appendAudit } from '../store/audit-log.ts'
import { keepersOf } from '../store/catalogue.ts'
import type { Transaction } from '../store/database.ts'
import { saveDesired } from '../store/desired.ts'
import { openFinding } from '../store/findings.ts'
import { adoptFound } from '../store/grants.ts'
import { closeHolds, openHolds } from '../store/holds.ts'
import { saveEvaluated } from '../store/work-queue.ts'
import { actionCause } from './action-cause.ts'
import { decisionEntry, isTold } from './decision-entry.ts'
import type { Engine } from './engine.ts'
import { placeOf } from './judge-found.ts'
import type { Judged } from './judged.ts'
import type { ActivePolicy } from './policy-book.ts'

/** Writes what a batch of evaluations answers, and its audit entries, in a handful of statements. */
export const saveEvaluation = async (
  engine: Engine,
  tx: Transaction,
  policy: ActivePolicy,
  judged: readonly Judged[],
  /** When mode or settings of a target were last changed, ms. */
  changedAt: ReadonlyMap<TargetId, number>,
): Promise<void> => {
  const first = judged[0]
  if (first === undefined) return
  const at = first.identity.now
  const told = judged.filter(isTold)
  const decisions = await engine.ids.decision.take(told.length)
  const actionIds = await engine.ids.action.take(told.reduce((sum, { plan }) => sum + plan.create.length, 0))
  let nextAction = 0
  const created = told.map(({ plan }) =>
    plan.create.map((action) => ({ ...action, id: actionIds[nextAction++] as number })),
  )

  const changed = judged.filter(({ planChanged }) => planChanged)
  tx.defer(
    supersede(
      tx,
      at,
      changed.flatMap(({ plan }) => plan.supersede),
    ),
  )
  tx.defer(
    restamp(
      tx,
      changed.flatMap((one) =>
        one.plan.keep.map((kept) => ({
          ...kept,
          id: kept.action,
          planVersion: one.planVersion,
          deadline: leaverDeadline(engine, one),
        })),
      ),
    ),
  )
  tx.defer(
    insertActions(
      tx,
      at,
      told.flatMap((one, index) =>
        (created[index] ?? []).map((action) => row(engine, policy, one, decisions[index] as number, action, changedAt)),
      ),
    ),
  )
  const desired = judged.filter((one) => one.desired !== null)
  tx.defer(
    saveDesired(
      tx,
      at,
      desired.map(({ identity, desired: next }) => ({
        identity: identity.id,
        assignments: next?.assignments ?? '[]',
        entitlements: next?.entitlements ?? [],
      })),
      desired.filter(({ hadDesired }) => hadDesired).map(({ identity }) => identity.id),
    ),
  )
  tx.defer(
    openHolds(
      tx,
      at,
      judged.flatMap(({ identity, holdsToOpen }) => holdsToOpen.map((hold) => ({ identity: identity.id, ...hold }))),
    ),
  )
  tx.defer(
    closeHolds(
      tx,
      at,
      judged.flatMap(({ holdsToClose }) => holdsToClose),
    ),
  )
  tx.defer(
    adoptFound(
      tx,
      judged.flatMap(({ identity, adopt }) => adopt.map((entitlement) => ({ identity: identity.id, entitlement }))),
    ),
  )
  const taken = judged.flatMap(({ identity, takeOver }) =>
    takeOver.map((entitlement) => ({ identity: identity.id, subject: identity.subject_ref, entitlement })),
  )
  tx.defer(saveAdopted(tx, at, adoptedBy, taken))
  tx.defer(saveEvaluated(tx, policy.version, judged.map(evaluatedRow)))
  // Seen after the evaluation is stamped: an older one is over (store/findings: closeResolved).
  for (const { identity, decision } of judged)
    for (const violation of decision.violations.filter(({ exception }) => exception === null))
      await openFinding(tx, {
        kind: 'sod-violation',
        key: `${identity.subject_ref}:${violation.policy}`,
        urgent: false,
        identityId: identity.id,
        detail: { policy: violation.policy, ...placeOf(violation, policy) },
      })
  for (const { identity, staysOpen } of judged)
    for (const target of staysOpen)
      await openFinding(tx, {
        kind: 'account-stays-open',
        key: `${identity.subject_ref}:${target}`,
        urgent: false,
        identityId: identity.id,
        detail: { target },
      })
  for (const { identity, at: person, indirect } of judged)
    for (const { entitlement, target, via, path } of indirect)
      await openFinding(tx, {
        kind: person.leaver ? 'leaver-holds-indirectly' : 'grant-indirect',
        key: `${identity.subject_ref}:${entitlement}`,
        urgent: false,
        identityId: identity.id,
        detail: { entitlement, target, via, path: path.join(' ') },
      })
  // Who keeps changing what is Muster's by its policy: what the target says of it is the best guess.
  const keepers = await keepersOf(
    tx,
    judged.flatMap(({ fought }) => fought),
  )
  for (const { identity, unexplained, missing, fought } of judged)
    for (const [kind, entitlements] of Object.entries({
      'grant-unexplained': unexplained,
      'grant-missing': missing,
      'grant-fought': fought,
    }))
      for (const entitlement of entitlements)
        await openFinding(tx, {
          kind,
          key: `${identity.subject_ref}:${entitlement}`,
          urgent: kind === 'grant-fought',
          identityId: identity.id,
          detail: {
            entitlement,
            ...(kind === 'grant-fought' ? { keptBy: keepers.get(entitlement) ?? null } : {}),
          },
        })
  tx.defer(
    appendAudit(tx, at, [
      ...told.map((one, index) => decisionEntry(one, decisions[index] as number, created[index] ?? [], policy)),
      ...taken.map(({ subject, entitlement }) =>
        auditEntry(
          'adopted',
          at,
          { subjectRef: subject, entitlementId: entitlement },
          {
            subject,
            entitlement,
            target: policy.entitlements.get(entitlement)?.target ?? null,
            by: adoptedBy,
            policy: { version: policy.version, hash: policy.hash },
            actor: { type: 'engine' },
          },
        ),
      ),
    ]),
  )
}

/** Stands where a human's name stands otherwise: the entitlement's own policy did it. */
const adoptedBy = 'drift: adopt'

const row = (
  engine: Engine,
  policy: ActivePolicy,
  judged: Judged,
  decision: number,
  action: Judged['plan']['create'][number] & { id: number },
  changedAt: ReadonlyMap<TargetId, number>,
): ActionRow => {
  const { identity, planVersion, endedAt } = judged
  const { entitlement, kind, lane, reason } = action
  const guarded = isGuarded(kind, entitlement === null ? null : (policy.entitlements.get(entitlement)?.risk ?? null))
  return {
    ...action,
    identity: identity.id,
    planVersion,
    decision,
    state: action.afterRevokeOf.length > 0 ? 'waiting' : 'ready',
    deadline:
      lane === 'leaver' ? leaverDeadline(engine, { identity, endedAt }) : identity.now + patienceMs(engine, action),
    guarded,
    // Nobody asks it of what no limit can hold: a mass of joiners pays nothing for it.
    cause: guarded ? actionCause(action, judged, policy, changedAt) : null,
    inverseOf: reason.kind === 'inverse-of-claimed' ? reason.action : null,
  }
}

const leaverDeadline = ({ settings }: Engine, { identity, endedAt }: Pick<Judged, 'identity' | 'endedAt'>): number =>
  Math.max(endedAt ?? identity.now, identity.last_appended_at ?? 0) + settings.leaverSloMs

/** What needs an account that something else makes has the time that its maker has. */
const patienceMs = ({ targets, settings }: Engine, { target, account }: NewAction): number => {
  const rules = targets.find(({ id }) => id === target)
  return account === null && rules?.accounts === 'expect' ? rules.expectWithinMs : settings.bulkDeadlineMs
}

const evaluatedRow = (one: Judged) => ({
  id: one.identity.id,
  workDueAt: one.workDueAt,
  lane: one.lane,
  eventsFolded: one.identity.events_seen,
  planVersion: one.planVersion,
  lifecycle: one.at.lifecycle,
  leaver: one.at.leaver,
  endedAt: one.endedAt,
  leaveHeardAt: one.leaveHeardAt,
  urgent: one.urgent,
  profile: one.profile,
})
