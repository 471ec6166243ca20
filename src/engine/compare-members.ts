import type { NativeId, TargetId } from '../domain/ids.ts'
import { type Difference, differences, tooManyGone } from '../planning/differences.ts'
import { believedMembers, type HeldBy, type Linked, type Listable, linkedAccounts } from '../store/reconciliations.ts'
import type { Accounts, List, Who } from './list-members.ts'
import type { Reconciler, Reconciliation } from './reconciler.ts'
import type { Drift } from './save-drift.ts'

export type Compared = {
  readonly entitlement: Listable
  readonly members: number
  readonly believed: number
  readonly differences: readonly Difference[]
  /** Of those who were believed: whom the list does not name at all, neither as a member nor as kept. */
  readonly gone: number
  /** Of those who are there unexpectedly. */
  readonly linked: ReadonlyMap<string, Linked>
  /** Native ids of members who are nobody's account. */
  readonly strangers: readonly string[]
  readonly noAccounts: number
  /** Of those: members of whom nobody may see who they are. */
  readonly unseen: number
}

export type Believed = ReadonlyMap<number, readonly HeldBy[]>

/** Who is believed to be in each of these. */
export const believedOf = async ({ db }: Reconciler, lists: readonly List[]): Promise<Believed> => {
  const believed = new Map<number, readonly HeldBy[]>()
  for (const { id } of lists) believed.set(id, await believedMembers(db, id))
  return believed
}

/** Accounts that are believed to be in a list and that it does not show. */
export const notShown = (lists: readonly List[], accounts: Accounts, believed: Believed): readonly number[] => {
  const suspects = new Set<number>()
  for (const { id, members } of lists) {
    const seen = new Set(members.flatMap((member) => accounts.get(member) ?? []))
    for (const { account, native_id } of believed.get(id) ?? [])
      if (!seen.has(native_id as NativeId)) suspects.add(account)
  }
  return [...suspects]
}

/**
 * `absent`: accounts that are not there any more; what they held is told with them. `outOfSight`: whether one that the list does not
 * show is still in it, nobody may see: neither is said.
 */
export const compare = async (
  engine: Reconciler,
  target: TargetId,
  list: List,
  { accounts, unseen }: Extract<Who, { kind: 'read' }>,
  held: readonly HeldBy[],
  { absent, outOfSight }: { readonly absent: ReadonlySet<string>; readonly outOfSight: ReadonlySet<string> },
): Promise<Compared> => {
  const seen = new Set<string>(list.members.flatMap((member) => accounts.get(member) ?? []))
  const believed = held.filter(
    ({ native_id }) => !absent.has(native_id) && (seen.has(native_id) || !outOfSight.has(native_id)),
  )
  const found = differences(new Set(believed.map(({ native_id }) => native_id)), seen)
  const unknown = found.flatMap(({ account }) => account)
  const linked = new Map(
    (unknown.length === 0 ? [] : await linkedAccounts(engine.db, target, unknown)).map((one) => [one.native_id, one]),
  )
  const strangers = found.flatMap(({ kind, account }) => (kind === 'there' && !linked.has(account) ? [account] : []))
  const ofOurs = found.filter(({ account }) => linked.has(account))
  // Whom a rule keeps in it is no member any more, and shown: the list lacks nothing.
  const named = new Set<string>(list.kept)
  return {
    entitlement: list,
    members: seen.size - strangers.length,
    believed: believed.length,
    differences: ofOurs,
    gone: ofOurs.filter(({ kind, account }) => kind === 'gone' && !named.has(account)).length,
    linked,
    strangers,
    noAccounts: list.members.filter((member) => !accounts.has(member)).length,
    unseen: list.members.filter((member) => unseen.has(member)).length,
  }
}

/**
 * Each list for itself, and all together: a directory that shows a fifth less than was verified shows too little. `elsewhere`:
 * what is believed to be in lists that were not read, for nothing has changed in them.
 */
export const shrunkenOf = (compared: readonly Compared[], elsewhere: number): Reconciliation['shrunken'] => {
  const all = compared.map(({ entitlement: { key }, believed, gone }) => ({ key, believed, gone }))
  const whole = all.reduce(
    (sum, { believed, gone }) => ({ believed: sum.believed + believed, gone: sum.gone + gone }),
    {
      believed: elsewhere,
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
