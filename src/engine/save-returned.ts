import type { Connector } from '../connectors/connector.ts'
import type { NativeId, TargetId } from '../domain/ids.ts'
import type { LinkedState } from '../store/account-reconciliations.ts'
import { type Listable, linkedAccounts, pinned } from '../store/reconciliations.ts'
import { changesOf } from './changes-of.ts'
import { accountPatience, apartReader, inTurn } from './read-apart.ts'
import type { Change, Reconciler } from './reconciler.ts'
import { type Drift, type SavedDrift, saveDrift } from './save-drift.ts'

const accountsAtOnce = 200

export type Returned = {
  readonly counts: SavedDrift['counts']
  readonly changes: readonly Change[]
  /** Accounts of which it is not known what they hold. */
  readonly unread: ReadonlySet<number>
  /** Why not; null: all of it is known. */
  readonly cause: string | null
}

type Held = { readonly account: string; readonly entitlement: string }

/**
 * Who was out of sight may have been let in meanwhile, and no list showed it, nor does a change log tell it now. So what they hold is
 * read and written down before they count as seen: until then nothing is granted to them (store/claimable). Also what is contested just
 * now: when a human has decided it, nothing reads it again.
 */
export const saveReturned = async (
  engine: Reconciler,
  target: TargetId,
  connector: Pick<Connector, 'grantsOf'>,
  returned: readonly LinkedState[],
  { begun, signal }: { readonly begun: number; readonly signal: AbortSignal },
): Promise<Returned> => {
  const held: Held[] = []
  const read = apartReader(
    async (of, until) => {
      const told = await connector.grantsOf(
        of.map(({ native_id }) => native_id as NativeId),
        until,
      )
      held.push(...told.items.map(({ account, entitlement }) => ({ account, entitlement: entitlement.nativeId })))
      if (told.kind === 'complete') return { left: [], tells: true, cause: null }
      return { left: of, tells: told.items.length > 0, cause: told.cause }
    },
    signal,
    accountPatience,
  )
  const unread = new Set<string>()
  let cause: string | null = null
  for (const some of inTurn(returned, accountsAtOnce, begun)) {
    const told = await read(some)
    cause ??= told.cause
    for (const id of told.unread) unread.add(id)
  }
  const catalogue = held.length === 0 ? [] : await pinned(engine.db, target)
  const drift = await driftOfHeld(engine, target, catalogue, held)
  const saved = await saveDrift(engine, target, drift, { begun })
  return {
    counts: saved.counts,
    changes: changesOf(catalogue, saved.drift),
    cause,
    unread: new Set(returned.flatMap(({ native_id, account }) => (unread.has(native_id) ? [account] : []))),
  }
}

/** What is known already is none; saving it leaves that out. */
const driftOfHeld = async (
  { db }: Reconciler,
  target: TargetId,
  catalogue: readonly Listable[],
  held: readonly Held[],
): Promise<readonly Drift[]> => {
  if (held.length === 0) return []
  const listed = new Map(catalogue.map((one) => [one.native_id, one]))
  const links = await linkedAccounts(db, target, [...new Set(held.map(({ account }) => account))])
  const linkOf = new Map(links.map((link) => [link.native_id, link]))
  const drift = new Map<string, Drift>()
  for (const { account, entitlement } of held) {
    const [one, link] = [listed.get(entitlement), linkOf.get(account)]
    if (one !== undefined && link !== undefined)
      drift.set(`${account} ${entitlement}`, {
        // It may have stood there when the entitlement was listed for the first time, and no list of that time could show it.
        kind: 'found',
        entitlement: one.id,
        entitlementNative: one.native_id,
        link,
      })
  }
  return [...drift.values()]
}
