import type { TargetId } from '../domain/ids.ts'
import { type Difference, differences, tooManyGone } from '../planning/differences.ts'
import { believedMembers, type Linked, type Listable, linkedAccounts } from '../store/reconciliations.ts'
import type { Accounts, List } from './list-members.ts'
import type { Reconciler, Reconciliation } from './reconciler.ts'
import type { Drift } from './save-drift.ts'

export type Compared = {
  readonly entitlement: Listable
  readonly members: number
  readonly believed: number
  readonly differences: readonly Difference[]
  /** Of those who are there unexpectedly. */
  readonly linked: ReadonlyMap<string, Linked>
  /** Native ids of members who are nobody's account. */
  readonly strangers: readonly string[]
  readonly noAccounts: number
}

/** `absent`: accounts that are not there any more; what they held is told with them. */
export const compare = async (
  engine: Reconciler,
  target: TargetId,
  list: List,
  accounts: Accounts,
  absent: ReadonlySet<string>,
): Promise<Compared> => {
  const believed = (await believedMembers(engine.db, list.id)).filter(({ native_id }) => !absent.has(native_id))
  const seen = new Set(list.members.flatMap((member) => accounts.get(member) ?? []))
  const found = differences(new Set(believed.map(({ native_id }) => native_id)), seen)
  const unknown = found.flatMap(({ account }) => account)
  const linked = new Map(
    (unknown.length === 0 ? [] : await linkedAccounts(engine.db, target, unknown)).map((one) => [one.native_id, one]),
  )
  const strangers = found.flatMap(({ kind, account }) => (kind === 'there' && !linked.has(account) ? [account] : []))
  return {
    entitlement: list,
    members: seen.size - strangers.length,
    believed: believed.length,
    differences: found.filter(({ account }) => linked.has(account)),
    linked,
    strangers,
    noAccounts: list.members.filter((member) => !accounts.has(member)).length,
  }
}

const goneOf = ({ differences: all }: Compared): number => all.filter(({ kind }) => kind === 'gone').length

/** Each list for itself, and all together: a directory that shows a fifth less than was verified shows too little. */
export const shrunkenOf = (compared: readonly Compared[]): Reconciliation['shrunken'] => {
  const told = (one: Compared) => ({ key: one.entitlement.key, believed: one.believed, gone: goneOf(one) })
  const all = compared.map(told)
  const whole = all.reduce(
    (sum, { believed, gone }) => ({ believed: sum.believed + believed, gone: sum.gone + gone }),
    {
      believed: 0,
      gone: 0,
    },
  )
  if (tooManyGone(whole, 'target')) return all.filter(({ gone }) => gone > 0)
  return all.filter((one) => tooManyGone(one, 'entitlement'))
}

export const driftOf = ({ entitlement, differences: all, linked }: Compared): readonly Drift[] =>
  all.flatMap(({ kind, account }) => {
    const link = linked.get(account)
    if (link === undefined) return []
    const drift = kind === 'gone' ? 'missing' : entitlement.members_read_at === null ? 'found' : 'appeared'
    return [{ kind: drift, entitlement: entitlement.id, entitlementNative: entitlement.native_id, link } as const]
  })
