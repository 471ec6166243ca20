import { auditEntry } from '../audit/entry.ts'
import { type PersonalDetail, personalDetail } from '../audit/personal.ts'
import type { ActionState } from '../domain/action.ts'
import type { Actor } from '../domain/actor.ts'
import { supersede } from '../store/actions.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Transaction } from '../store/database.ts'
import { savePersonalDetails } from '../store/personal-details.ts'
import { actionState, type ParkedAction, parkedOf, peopleParkedOn } from '../store/retry-actions.ts'
import { lockIdentities, lockOpenWork, makeDue } from '../store/work-queue.ts'
import type { Engine } from './engine.ts'

type Context = Pick<Engine, 'db' | 'nudge'>

export type Retried =
  | { readonly kind: 'retried'; readonly actions: number }
  | { readonly kind: 'unknown-action' }
  | { readonly kind: 'not-parked'; readonly state: ActionState }

/** People of one transaction: an evaluation of theirs waits so long. */
const together = 200

/**
 * A human has mended why it was parked. It is superseded and its person is due: evaluation makes a new action of what is
 * still wanted, with attempts, deadline, guard and fence of its own, and none of what is not.
 */
export const retryAction = async (
  { db, nudge }: Context,
  id: number,
  reason: string,
  actor: Actor,
): Promise<Retried> => {
  const seen = await actionState(db, id)
  if (seen === null) return { kind: 'unknown-action' }
  if (seen.state !== 'parked') return { kind: 'not-parked', state: seen.state }
  const actions = await db.transaction((tx) => retry(tx, [seen.identity_id], { action: id }, reason, actor))
  nudgeEvaluation(nudge)
  // Somebody, or an evaluation, was faster.
  if (actions === 0) return { kind: 'not-parked', state: (await actionState(db, id))?.state ?? 'superseded' }
  return { kind: 'retried', actions }
}

/** All that is parked on a target; how many. Some people at a time: what has committed stays when a later part fails. */
export const retryParkedOn = async (
  { db, nudge }: Context,
  target: string,
  reason: string,
  actor: Actor,
): Promise<number> => {
  let retried = 0
  for (let after = ''; ; ) {
    const people = await peopleParkedOn(db, target, after, together)
    const last = people.at(-1)
    if (last === undefined) break
    const ids = people.map(({ id }) => id)
    retried += await db.transaction((tx) => retry(tx, ids, { target }, reason, actor))
    nudgeEvaluation(nudge)
    after = last.person_key
  }
  return retried
}

const retry = async (
  tx: Transaction,
  identities: readonly number[],
  of: Parameters<typeof parkedOf>[2],
  reason: string,
  actor: Actor,
): Promise<number> => {
  await lockIdentities(tx, identities)
  await lockOpenWork(tx, identities)
  const parked = await parkedOf(tx, identities, of)
  if (parked.length === 0) return 0
  const at = await databaseNow(tx)
  await supersede(
    tx,
    at,
    parked.map(({ id }) => id),
  )
  await makeDue(tx, [...new Set(parked.map(({ identity_id }) => identity_id))])
  await tell(tx, at, parked, reason, actor)
  return parked.length
}

/** The reason is a human's text and may name people: it goes into the erasable table once for each, the entries bind it by its hash. */
const tell = async (
  tx: Transaction,
  at: number,
  parked: readonly ParkedAction[],
  reason: string,
  actor: Actor,
): Promise<void> => {
  const details = new Map<string, PersonalDetail>(
    parked.map(({ subject_ref }) => [subject_ref, personalDetail(subject_ref, { reason })]),
  )
  await savePersonalDetails(tx, at, [...details.values()])
  await appendAudit(
    tx,
    at,
    parked.map(({ id, subject_ref, target, kind, entitlement_id, decision_id }) => {
      const detail = details.get(subject_ref)
      return auditEntry(
        'action-retried',
        at,
        { subjectRef: subject_ref, actionId: id, decisionId: decision_id, entitlementId: entitlement_id },
        {
          subject: subject_ref,
          action: id,
          decision: decision_id,
          target,
          kind,
          entitlement: entitlement_id,
          ...(detail === undefined ? {} : { detail: { ref: detail.ref, hash: detail.hash } }),
          actor,
        },
      )
    }),
  )
}

const nudgeEvaluation = (nudge: Context['nudge']): void => {
  for (const lane of ['leaver', 'bulk'] as const) nudge('evaluate', lane)
}
