import { auditEntry } from '../audit/entry.ts'
import { personalDetail } from '../audit/personal.ts'
import type { Actor } from '../domain/actor.ts'
import { endAdopted, lockAdopted, type Standing, saveAdopted, standing, unknownOf } from '../store/adoptions.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Transaction } from '../store/database.ts'
import { adoptFound } from '../store/grants.ts'
import { savePersonalDetails } from '../store/personal-details.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import type { Engine } from './engine.ts'

type Context = Pick<Engine, 'db' | 'nudge'>

const peopleAtOnce = 200

/** Something that stands on a target, and what would become of it. */
export type Adoptable = Standing

/** What stands on a target that Muster never gave, and what would become of it. Changes nothing. */
export const planAdoption = ({ db }: Context, target: string): Promise<readonly Adoptable[]> =>
  standing(db, target, null)

/**
 * Takes over what no rule explains: it becomes wanted, as adopted, until a human ends it. What a rule gives, then or later,
 * stands under that rule alone, and goes with it; leavers keep nothing. Each is audited. Answers what was adopted.
 */
export const applyAdoption = async (
  { db, nudge }: Context,
  target: string,
  reason: string,
  actor: Actor,
): Promise<readonly Standing[]> => {
  const people = [
    ...new Set(
      (await standing(db, target, null)).flatMap(({ stands, identity }) => (stands === 'rest' ? [identity] : [])),
    ),
  ]
  const adopted: Standing[] = []
  for (let at = 0; at < people.length; at += peopleAtOnce) {
    const some = people.slice(at, at + peopleAtOnce)
    adopted.push(...(await db.transaction((tx) => adoptOf(tx, target, some, reason, actor))))
  }
  if (adopted.length > 0) nudge('evaluate', 'bulk')
  return adopted
}

const adoptOf = async (
  tx: Transaction,
  target: string,
  people: readonly number[],
  reason: string,
  actor: Actor,
): Promise<readonly Standing[]> => {
  await lockIdentities(tx, people)
  // What was planned may have changed: a rule, a leave, another hand.
  const rest = (await standing(tx, target, people)).filter(({ stands }) => stands === 'rest')
  const at = await databaseNow(tx)
  await saveAdopted(tx, at, actor.name, rest)
  await makeDue(tx, [...new Set(rest.map(({ identity }) => identity))])
  await tell(tx, at, 'adopted', rest, reason, actor, target)
  return rest
}

export type AdoptionEnded = 'ended' | 'unknown-person' | 'unknown-entitlement' | 'not-adopted'

/** Ends one adoption: what no rule gives by then is revoked. */
export const endAdoption = (
  { db, nudge }: Context,
  person: string,
  entitlement: string,
  reason: string,
  actor: Actor,
): Promise<AdoptionEnded> =>
  db
    .transaction(async (tx): Promise<AdoptionEnded> => {
      const row = await lockAdopted(tx, person, entitlement)
      if (row === null) return (await unknownOf(tx, person, entitlement)) ?? 'not-adopted'
      const at = await databaseNow(tx)
      await endAdopted(tx, row, at, actor.name)
      // Evaluation may not have seen the adoption yet: what a human has ended is not merely found.
      await adoptFound(tx, [row])
      await makeDue(tx, [row.identity])
      await tell(tx, at, 'adoption-ended', [row], reason, actor, null)
      return 'ended'
    })
    .then((ended) => {
      if (ended === 'ended') nudge('evaluate', 'bulk')
      return ended
    })

/** The reason is a human's text and may name people: it goes into the erasable table, the entries bind it by its hash. */
const tell = async (
  tx: Transaction,
  at: number,
  kind: string,
  rows: readonly { readonly subject_ref: string; readonly entitlement: number }[],
  reason: string,
  actor: Actor,
  target: string | null,
): Promise<void> => {
  const details = rows.map(({ subject_ref }) => personalDetail(subject_ref, { reason }))
  await savePersonalDetails(tx, at, details)
  await appendAudit(
    tx,
    at,
    rows.map(({ subject_ref, entitlement }, index) =>
      auditEntry(
        kind,
        at,
        { subjectRef: subject_ref, entitlementId: entitlement },
        {
          subject: subject_ref,
          entitlement,
          actor,
          ...(target === null ? {} : { target }),
          detail: { ref: details[index]?.ref ?? null, hash: details[index]?.hash ?? null },
        },
      ),
    ),
  )
}
