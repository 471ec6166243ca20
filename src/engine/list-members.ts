import type { Connector, PinnedEntitlement } from '../connectors/connector.ts'
import type { EntitlementId, NativeId } from '../domain/ids.ts'
import type { Queryable } from '../store/database.ts'
import { type Listable, unresolved } from '../store/reconciliations.ts'
import type { Reconciliation } from './reconciler.ts'

/** A complete list of who is in an entitlement, by the target's own names. */
export type List = Listable & {
  readonly members: readonly string[]
  /** Accounts that a rule or another directory keeps in it. */
  readonly kept: readonly NativeId[]
}

export const readLists = async (
  connector: Connector,
  catalogue: readonly Listable[],
  signal: AbortSignal,
): Promise<{ readonly lists: readonly List[]; readonly unread: Reconciliation['unread'] }> => {
  const byId = new Map(catalogue.map((one) => [one.id as EntitlementId, one]))
  const refs = catalogue.map(
    ({ id, lookup, native_id }): PinnedEntitlement => ({
      id: id as EntitlementId,
      lookup,
      nativeId: native_id as NativeId,
    }),
  )
  const lists: List[] = []
  const unread: { key: string; cause: string }[] = []
  for await (const list of connector.membersOf(refs, signal)) {
    signal.throwIfAborted()
    const entitlement = byId.get(list.entitlement)
    if (entitlement === undefined) continue
    byId.delete(list.entitlement)
    if (list.kind === 'complete') lists.push({ ...entitlement, members: list.members, kept: list.kept ?? [] })
    else unread.push({ key: entitlement.key, cause: causeOf(list) })
  }
  // A connector that forgets one has not read it.
  for (const { key } of byId.values()) unread.push({ key, cause: 'not-listed' })
  return { lists, unread }
}

/**
 * What is no list because nobody knows what it is of: without it a target that tells nothing would seem to have nothing to tell. What
 * the target does know is pinned by the sweep (resolve-entitlements), and listed then.
 */
export const readUnresolved = async (
  db: Queryable,
  connector: Connector,
  signal: AbortSignal,
): Promise<Reconciliation['unread']> => {
  const some = await unresolved(db, connector.target)
  if (some.length === 0) return []
  const told = await connector.resolveEntitlements(
    some.map(({ id, lookup }) => ({ id: id as EntitlementId, lookup, nativeId: null })),
    signal,
  )
  return some.flatMap(({ key }, at) => {
    const one = told[at]
    if (one?.kind === 'found') return []
    return [{ key, cause: one === undefined ? 'not-told' : causeOf(one) }]
  })
}

type Untold = { readonly kind: 'missing' } | { readonly kind: 'failed'; readonly cause: string }

const causeOf = (list: Untold): string => (list.kind === 'missing' ? 'entitlement-missing' : list.cause)

/** Name of a member → its account. */
export type Accounts = ReadonlyMap<string, NativeId>

export type Who =
  | { readonly kind: 'read'; readonly accounts: Accounts; readonly unseen: ReadonlySet<string> }
  | { readonly kind: 'unread'; readonly cause: string }

/** Who they all are, each name asked once. `unseen`: names of which nobody may see whose they are. */
export const accountsOf = async (connector: Connector, lists: readonly List[], signal: AbortSignal): Promise<Who> => {
  const names = new Set<string>()
  for (const { members } of lists) for (const member of members) names.add(member)
  const read = await connector.whoIs([...names], signal)
  if (read.kind === 'partial') return { kind: 'unread', cause: read.cause }
  const accounts = new Map(read.items.map(({ member, account }) => [member, account]))
  return { kind: 'read', accounts, unseen: new Set(read.unseen) }
}
