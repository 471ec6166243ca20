import type { OpenAction } from '../domain/action.ts'
import { fold } from '../domain/fold.ts'
import type { EntitlementId, PersonKey, TargetId } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import { nothingProtected } from '../domain/protection.ts'
import type { TargetMode } from '../domain/target.ts'
import { type Explanation, explain } from '../policies/explain.ts'
import { didYouMean } from '../policies/problem.ts'
import { databaseNow } from '../store/clock.ts'
import type { Database, Transaction } from '../store/database.ts'
import { type IndirectFact, loadFacts } from '../store/evaluation-facts.ts'
import { linkedTo } from '../store/links.ts'
import {
  grantsAt,
  guardHoldsOf,
  type HoldOfPerson,
  holdsOn,
  identityByKey,
  indirectAt,
  namesOf,
} from '../store/person-at.ts'
import { targetModes } from '../store/targets.ts'
import { adoptedOf, presentGrants, presentOf } from './judge-observed.ts'
import type { ActivePolicy, PolicyBook } from './policy-book.ts'

export type AccessExplained =
  | {
      readonly kind: 'explained'
      readonly explanation: Explanation
      readonly holds: readonly HoldOfPerson[]
      /** Of the entitlement's target: how much of this is acted on, and whether an account there is known to be theirs. */
      readonly target: { readonly id: string; readonly mode: TargetMode; readonly linked: boolean }
      /** When somebody was taken out of it behind our back, ms; null: never, or it is there. */
      readonly missingSince: number | null
      /** This, and what conflicts with it, where it is held by other ways than a grant: from the account's own group to it. */
      readonly indirect: readonly {
        readonly entitlement: string
        readonly via: string
        readonly path: readonly string[]
      }[]
      /** What is not done yet about this entitlement. */
      readonly open: readonly (Pick<OpenAction, 'id' | 'kind' | 'state'> & { readonly guardHold: number | null })[]
    }
  | { readonly kind: 'unknown-person' }
  | { readonly kind: 'unknown-entitlement'; readonly nearest: string | null }

/**
 * What policy says of one person and one entitlement, derived as an evaluation would derive it. `at` (valid time, ms):
 * with the events and versions known today, and the grants that stood at that time; null = now.
 */
export const explainAccess = (
  db: Database,
  policies: PolicyBook,
  personKey: string,
  entitlement: string,
  at: Instant | null,
): Promise<AccessExplained> =>
  db.transaction(async (tx) => {
    const identity = await identityByKey(tx, personKey)
    if (identity === null) return { kind: 'unknown-person' }
    const policy = await policies.current(tx)
    const id = entitlementOf(policy, entitlement)
    if (id === null) return { kind: 'unknown-entitlement', nearest: didYouMean(entitlement, keysOf(policy)) }
    const [facts] = await loadFacts(tx, [identity.id])
    if (facts === undefined) return { kind: 'unknown-person' }
    const modes = await targetModes(tx)
    const target = policy.entitlements.get(id)?.target as TargetId
    const then =
      at === null
        ? facts
        : {
            ...facts,
            grants: await grantsAt(tx, identity.id, at),
            indirect: await indirectAt(tx, identity.id, at),
            drift: [],
            open: [],
            late: [],
          }
    const targets = [...modes].map(([one, mode]) => ({ id: one, mode, protect: nothingProtected }))
    const explanation = explain(
      {
        history: fold(facts.events),
        personKey: personKey as PersonKey,
        policies: policy.policies,
        now: at ?? ((await databaseNow(tx)) as Instant),
        present: presentOf(targets, presentGrants(then, policy, targets), then),
        adopted: adoptedOf(then),
      },
      id,
    )
    const open = then.open.filter((action) => action.entitlement === id)
    const guardHolds = await guardHoldsOf(
      tx,
      open.map((action) => action.id),
    )
    return {
      kind: 'explained',
      explanation,
      target: {
        id: target,
        mode: modes.get(target) ?? 'observe',
        linked: (await linkedTo(tx, target, identity.id)) !== null,
      },
      missingSince: then.grants.some((grant) => grant.entitlement === id)
        ? null
        : (then.drift.find((drift) => drift.entitlement === id)?.missingSince ?? null),
      indirect: await heldIndirectly(tx, then.indirect, policy, [
        explanation.entitlement,
        ...explanation.conflicts.flatMap(({ others }) => others.map((other) => other.entitlement)),
      ]),
      holds: at === null ? await holdsOn(tx, identity.id, id) : [],
      open: open.map(({ id: action, kind, state }) => ({
        id: action,
        kind,
        state,
        guardHold: guardHolds.get(action) ?? null,
      })),
    }
  })

const heldIndirectly = async (
  tx: Transaction,
  indirect: readonly IndirectFact[],
  { entitlements }: ActivePolicy,
  keys: readonly string[],
): Promise<Extract<AccessExplained, { kind: 'explained' }>['indirect']> => {
  const told = indirect.flatMap((one) => {
    const key = entitlements.get(one.entitlement as EntitlementId)?.key ?? null
    return key !== null && keys.includes(key) ? [{ ...one, key }] : []
  })
  const names = new Map<string, ReadonlyMap<string, string>>()
  for (const [target, some] of Map.groupBy(told, (one) => one.target))
    names.set(target, await namesOf(tx, target, [...new Set(some.flatMap(({ path }) => path))]))
  return told.map(({ key, target, via, path }) => ({
    entitlement: key,
    via,
    path: path.map((id) => names.get(target)?.get(id) ?? id),
  }))
}

const keysOf = (policy: ActivePolicy): readonly string[] =>
  [...policy.entitlements.values()].flatMap(({ key }) => (key === null ? [] : [key]))

/** By catalogue key, else by how a target names it. */
const entitlementOf = (policy: ActivePolicy, text: string): EntitlementId | null => {
  const all = [...policy.entitlements.values()]
  const found =
    all.find(({ key, managed }) => managed && key === text) ??
    all.find(({ key }) => key === text) ??
    all.find(({ lookup }) => lookup === text)
  return found?.id ?? null
}
