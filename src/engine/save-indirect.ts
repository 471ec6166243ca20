import { auditEntry } from '../audit/entry.ts'
import type { AuditEntry } from '../domain/audit-entry.ts'
import type { TargetId } from '../domain/ids.ts'
import { lookupKey } from '../domain/lookup-key.ts'
import { isKept, type ObservedIndirect } from '../domain/outcome.ts'
import type { Queryable, Transaction } from '../store/database.ts'
import { contestSeen } from '../store/entitlement-questions.ts'
import { knownEntitlements } from '../store/grants.ts'
import { catalogued, grantedSinceIndirect, indirectLinks, managedOf, saveIndirect } from '../store/indirect.ts'
import { type AuditedBy, auditedAccount } from './audited-account.ts'

/** One account of somebody, and all that it holds indirectly. */
export type HeldIndirectly = {
  readonly identity: number
  readonly subject_ref: string
  readonly account: number
  readonly native_id: string
  readonly held: readonly ObservedIndirect[]
  /** What is known and not in this read stays: whether that is lost, only a reconciliation believes. */
  readonly addsOnly?: boolean
  /** What the same run shows as a grant of the account: no rule keeps it there any more. Nor where a later read has shown one. */
  readonly granted?: ReadonlySet<number>
}

export type SavedIndirect = {
  /** Whom it concerns: something of the catalogue came or went. Their evaluation belongs into the same transaction. */
  readonly identities: readonly number[]
  /** Of whom anything is known to be otherwise than before, of the catalogue or not. */
  readonly changed: readonly number[]
  /** Of the catalogue, held indirectly since this read. */
  readonly appeared: number
  readonly entries: readonly AuditEntry[]
}

/**
 * Writes down what complete reads told, begun at `readAt`. Whose identities are locked, by the caller. What no catalogue
 * has is stored and not audited: everybody holds the primary group and what it is nested in.
 */
export const saveIndirectAccess = async (
  tx: Transaction,
  target: TargetId,
  by: AuditedBy,
  at: number,
  readAt: number,
  people: readonly HeldIndirectly[],
): Promise<SavedIndirect> => {
  const seen = people.flatMap(({ held }) => held.map(({ entitlement }) => entitlement))
  const known = await knownEntitlements(tx, target, seen)
  const contested = seen.length === 0 ? [] : await contestSeen(tx, target, seen)
  const kept = await indirectLinks(
    tx,
    people.flatMap(({ account, addsOnly }) => (addsOnly === true ? [account] : [])),
  )
  const since = await grantedSinceIndirect(
    tx,
    [...kept].flatMap(([account, links]) => (links.some(isKept) ? [account] : [])),
  )
  const rows = people.map(({ account, held, granted }) => {
    const read = held.flatMap(({ entitlement, via, path }) => {
      const id = known.get(entitlement.nativeId)
      return id === undefined ? [] : [{ entitlement: id, via, path }]
    })
    const ids = new Set(read.map(({ entitlement }) => entitlement))
    const stays = (kept.get(account) ?? []).filter(
      (one) => !ids.has(one.entitlement) && !isGrantedNow(one, granted) && !isGrantedNow(one, since.get(account)),
    )
    return { account, held: [...read, ...stays], carried: stays.length > 0 }
  })
  const changes = await saveIndirect(tx, readAt, rows)
  const linksOf = new Map(rows.map(({ account, held }) => [account, held]))
  const managed = await managedOf(tx, [...new Set(changes.flatMap(({ now, before }) => [...now, ...before]))])
  const byAccount = new Map(people.map((one) => [one.account, one]))
  const concerned = changes.flatMap(({ account, now, before }) => {
    const one = byAccount.get(account)
    const [has, had] = [now.filter((id) => managed.has(id)), before.filter((id) => managed.has(id))]
    return one === undefined || (has.length === 0 && had.length === 0) ? [] : [{ one, has, had }]
  })
  return {
    identities: concerned.map(({ one }) => one.identity),
    changed: changes.flatMap(({ account }) => byAccount.get(account)?.identity ?? []),
    appeared: concerned.reduce((sum, { has, had }) => sum + has.filter((id) => !had.includes(id)).length, 0),
    entries: [
      ...contested.map(({ id, by }) =>
        auditEntry('entitlement-contested', at, { entitlementId: id }, { entitlement: id, target, by }),
      ),
      ...concerned.map(({ one, has, had }) =>
        auditEntry(
          'indirect-access',
          at,
          { subjectRef: one.subject_ref },
          {
            subject: one.subject_ref,
            target,
            account: auditedAccount(by, one),
            held: has,
            before: had,
            paths: (linksOf.get(one.account) ?? [])
              .filter(({ entitlement }) => has.includes(entitlement))
              .map(({ via, path }) => ({ via, path })),
            readAt: new Date(readAt).toISOString(),
            actor: { type: 'engine' },
          },
        ),
      ),
    ],
  }
}

/** A membership is a rule's or a grant, and never both: whoever is shown as a member has lost the one and not the access. */
export const isGrantedNow = (
  held: { readonly entitlement: number; readonly via: string },
  granted: ReadonlySet<number> | undefined,
): boolean => isKept(held) && granted?.has(held.entitlement) === true

/** Those who hold something of the catalogue by these reads. */
export const holdersOfCatalogued = async <T extends { readonly held: readonly ObservedIndirect[] }>(
  db: Queryable,
  target: TargetId,
  people: readonly T[],
): Promise<readonly T[]> => {
  const things = new Map(people.flatMap(({ held }) => held.map(({ entitlement: one }) => [one.nativeId, one.name])))
  const known = await catalogued(
    db,
    target,
    [...things].map(([nativeId, name]) => ({ nativeId, key: lookupKey(name) })),
  )
  return people.filter(({ held }) => held.some(({ entitlement }) => known.has(entitlement.nativeId)))
}
