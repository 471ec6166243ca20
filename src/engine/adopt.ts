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
import { type AdoptionConflict, adoptionConflicts } from './adoption-conflicts.ts'
import type { Engine } from './engine.ts'
import type { PolicyBook } from './policy-book.ts'

type Context = Pick<Engine, 'db' | 'nudge' | 'policies'>

const peopleAtOnce = 200

/** Something that stands on a target, and what would become of it. */
export type Adoptable = Standing & {
  /** What it conflicts with, if it would be adopted: separation of duties takes nothing away for that, and gives nothing beside it. */
  readonly conflicts: readonly AdoptionConflict[]
}

/** What stands on a target that Muster never gave, and what would become of it. Changes nothing. */
export const planAdoption = async ({ db, policies }: Context, target: string): Promise<readonly Adoptable[]> => {
  const all = await standing(db, target, null)
  const people = [...new Set(all.flatMap(({ stands, identity }) => (stands === 'rest' ? [identity] : [])))]
  // Before anybody is locked: to compile all versions may take its time.
  if (people.length > 0) await policies.current(db)
  const conflicts = new Map<Standing, Adoptable['conflicts']>()
  for (let at = 0; at < people.length; at += peopleAtOnce) {
    const some = new Set(people.slice(at, at + peopleAtOnce))
    const rest = all.filter(({ stands, identity }) => stands === 'rest' && some.has(identity))
    const found = await db.transaction((tx) => adoptionConflicts(tx, policies, rest))
    for (const [index, one] of rest.entries()) conflicts.set(one, found[index] ?? [])
  }
  return all.map((one) => ({ ...one, conflicts: conflicts.get(one) ?? [] }))
}

/**
 * Takes over what no rule explains: it becomes wanted, as adopted, until a human ends it. What a rule gives, then or later,
 * stands under that rule alone, and goes with it; leavers keep nothing. Each is audited, with the conflicts that it stands in.
 * Answers what was adopted.
 */
export const applyAdoption = async (
  { db, nudge, policies }: Context,
  target: string,
  reason: string,
  actor: Actor,
): Promise<readonly Adoptable[]> => {
  const people = [
    ...new Set(
      (await standing(db, target, null)).flatMap(({ stands, identity }) => (stands === 'rest' ? [identity] : [])),
    ),
  ]
  if (people.length > 0) await policies.current(db)
  const adopted: Adoptable[] = []
  for (let at = 0; at < people.length; at += peopleAtOnce) {
    const some = people.slice(at, at + peopleAtOnce)
    adopted.push(...(await db.transaction((tx) => adoptOf(tx, policies, target, some, reason, actor))))
  }
  if (adopted.length > 0) nudge('evaluate', 'bulk')
  return adopted
}

const adoptOf = async (
  tx: Transaction,
  policies: PolicyBook,
  target: string,
  people: readonly number[],
  reason: string,
  actor: Actor,
): Promise<readonly Adoptable[]> => {
  await lockIdentities(tx, people)
  // What was planned may have changed: a rule, a leave, another hand.
  const found = (await standing(tx, target, people)).filter(({ stands }) => stands === 'rest')
  const conflicts = await adoptionConflicts(tx, policies, found)
  const rest = found.map((one, index) => ({ ...one, conflicts: conflicts[index] ?? [] }))
  const at = await databaseNow(tx)
  await saveAdopted(tx, at, actor.name, rest)
  await makeDue(tx, [...new Set(rest.map(({ identity }) => identity))])
  await tell(tx, at, 'adopted', rest, reason, actor, target)
  return rest
}

export type AdoptionEnded = 'ended' | 'unknown-person' | 'unknown-entitlement' | 'not-adopted'

/** Ends one adoption: what no rule gives by then is revoked. */
export const endAdoption = (
  { db, nudge }: Pick<Engine, 'db' | 'nudge'>,
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
  rows: readonly (Pick<Standing, 'subject_ref' | 'entitlement'> & Partial<Pick<Adoptable, 'conflicts'>>)[],
  reason: string,
  actor: Actor,
  target: string | null,
): Promise<void> => {
  const details = rows.map(({ subject_ref }) => personalDetail(subject_ref, { reason }))
  await savePersonalDetails(tx, at, details)
  await appendAudit(
    tx,
    at,
    rows.map(({ subject_ref, entitlement, conflicts = [] }, index) =>
      auditEntry(
        kind,
        at,
        { subjectRef: subject_ref, entitlementId: entitlement },
        {
          subject: subject_ref,
          entitlement,
          actor,
          ...(target === null ? {} : { target }),
          ...(conflicts.length === 0
            ? {}
            : { conflicts: conflicts.map(({ policy, entitlement: other, how }) => ({ policy, with: other, how })) }),
          detail: { ref: details[index]?.ref ?? null, hash: details[index]?.hash ?? null },
        },
      ),
    ),
  )
}
