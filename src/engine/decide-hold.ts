import { auditEntry } from '../audit/entry.ts'
import { personalDetail } from '../audit/personal.ts'
import type { Actor } from '../domain/actor.ts'
import { type GuardLimitName, kindsOf } from '../planning/guard.ts'
import { appendAudit } from '../store/audit-log.ts'
import type { Transaction } from '../store/database.ts'
import { lockGuard } from '../store/guard.ts'
import { addHoldReason, closeHoldAs, type HoldRow, lockHold, releaseHeldActions } from '../store/hold-acts.ts'
import { savePersonalDetails } from '../store/personal-details.ts'
import type { Engine } from './engine.ts'

export type HoldDecided =
  | { readonly kind: 'rejected' }
  /** `actions`: how many may go out now. */
  | { readonly kind: 'released'; readonly actions: number }
  /** Of some people only: the hold stays open for the others. */
  | { readonly kind: 'released-in-part'; readonly actions: number }
  | { readonly kind: 'unknown-hold' }
  | { readonly kind: 'already-closed'; readonly as: string }
  /** An SoD hold is released by an exception in the policies only; a guard hold is not rejected, its cause is corrected. */
  | { readonly kind: 'refused'; readonly because: 'sod-needs-exception' | 'guard-is-not-rejected' }

type Context = Pick<Engine, 'db' | 'nudge'>

/** Denied: stays so until what is wanted or held changes. */
export const rejectHold = ({ db }: Context, id: number, reason: string, actor: Actor): Promise<HoldDecided> =>
  db.transaction((tx) =>
    onOpenHold(tx, id, async (hold) => {
      if (hold.kind === 'guard') return { kind: 'refused', because: 'guard-is-not-rejected' }
      await closeHoldAs(tx, id, 'rejected', actor.name)
      await tell(tx, 'hold-rejected', hold, { actor, reason })
      return { kind: 'rejected' }
    }),
  )

/**
 * Lets a mass change go that the guard held: all that is held by this limit now, not what comes later. `people`: theirs
 * only, by person key; the hold stays for the others.
 */
export const releaseHold = async (
  { db, nudge }: Context,
  id: number,
  reason: string,
  actor: Actor,
  people: readonly string[] | null = null,
): Promise<HoldDecided> => {
  const decided = await db.transaction((tx) =>
    onOpenHold(tx, id, async (hold) => {
      if (hold.kind === 'sod') return { kind: 'refused', because: 'sod-needs-exception' }
      await lockGuard(tx, hold.target ?? '')
      const kinds = kindsOf[hold.policies[0] as GuardLimitName] ?? []
      const released = await releaseHeldActions(tx, hold, kinds, people)
      const actions = released.length
      if (people === null) await closeHoldAs(tx, id, 'released', actor.name)
      if (people === null || actions > 0)
        await tell(tx, people === null ? 'guard-released' : 'guard-released-in-part', hold, {
          actor,
          reason,
          actions,
          released,
        })
      return { kind: people === null ? 'released' : 'released-in-part', actions }
    }),
  )
  if (decided.kind === 'released' || decided.kind === 'released-in-part')
    for (const lane of ['leaver', 'bulk'] as const) nudge('dispatch', lane)
  return decided
}

const onOpenHold = async (
  tx: Transaction,
  id: number,
  decide: (hold: HoldRow) => Promise<HoldDecided>,
): Promise<HoldDecided> => {
  const hold = await lockHold(tx, id)
  if (hold === null) return { kind: 'unknown-hold' }
  return hold.closed_as === null ? decide(hold) : { kind: 'already-closed', as: hold.closed_as }
}

/** The reason is a human's text and may name people: it goes into the erasable table, the entry binds it by its hash. */
const tell = async (
  tx: Transaction,
  kind: string,
  hold: HoldRow,
  {
    reason,
    ...body
  }: {
    readonly actor: Actor
    readonly reason: string
    readonly actions?: number
    /** Ids of these actions, ascending: by them an auditor finds whose changes they were, and what became of them. */
    readonly released?: readonly number[]
  },
): Promise<void> => {
  const detail = personalDetail(hold.subject_ref, { reason })
  await savePersonalDetails(tx, hold.now, [detail])
  await addHoldReason(tx, hold.id, detail.ref)
  const { id, subject_ref, target, entitlement_id, policies, now } = hold
  const told = {
    hold: id,
    target,
    entitlement: entitlement_id,
    policies: [...policies],
    detail: { ref: detail.ref, hash: detail.hash },
    ...body,
  }
  await appendAudit(tx, now, [auditEntry(kind, now, { subjectRef: subject_ref, entitlementId: entitlement_id }, told)])
}
