import type { Connector } from '../connectors/connector.ts'
import type { Lane } from '../domain/action.ts'
import type { NativeId } from '../domain/ids.ts'
import type { ObservedIndirect, Outcome } from '../domain/outcome.ts'
import type { ClaimedAction } from './claim.ts'

/** Reads that told nothing and were halved before it is the target that tells nothing. */
const mostFailures = 8

export type IndirectRead = {
  /** Of whom a complete read told, by native id; nothing held is an empty list. */
  readonly told: ReadonlyMap<NativeId, readonly ObservedIndirect[]>
  /** Why of the others nothing is known; null: there are none. */
  readonly unread: string | null
}

/** null: there is no connector to ask. */
export const readsIndirect = (connector: Pick<Connector, 'indirectGrantsOf'> | undefined): boolean | null =>
  connector === undefined ? null : connector.indirectGrantsOf !== undefined

/** null: the target has no such thing. What is too much for one read, or has one in it that cannot be read, may be said of fewer. */
export const readIndirect = async (
  { indirectGrantsOf }: Pick<Connector, 'indirectGrantsOf'>,
  accounts: readonly NativeId[],
  signal: AbortSignal,
): Promise<IndirectRead | null> => {
  if (indirectGrantsOf === undefined) return null
  const told = new Map<NativeId, readonly ObservedIndirect[]>()
  let unread: string | null = null
  let failures = 0
  const read = async (some: readonly NativeId[]): Promise<void> => {
    if (some.length === 0) return
    const seen = await indirectGrantsOf(some, signal)
    if (seen.kind === 'complete') {
      const byAccount = Map.groupBy(seen.items, ({ account }) => account)
      for (const account of some)
        told.set(
          account,
          (byAccount.get(account) ?? []).map(({ entitlement, via, path }) => ({ entitlement, via, path })),
        )
      return
    }
    failures += 1
    // After its time everything else would tell nothing either, each a moment later.
    if (some.length === 1 || failures > mostFailures || signal.aborted) {
      unread = seen.cause
      return
    }
    const middle = Math.ceil(some.length / 2)
    await read(some.slice(0, middle))
    await read(some.slice(middle))
  }
  await read([...new Set(accounts)])
  return { told, unread }
}

/**
 * What stands in the outcomes of accounts that are about to be linked, or were linked unread, with what they hold indirectly.
 * Where it could not be read, nothing is said of it: the account is linked all the same, for its person may have to be shut out
 * now or later, and no grant goes out to it before it is read (store/claimable). Nobody reads it for a leaver: whoever is shut
 * by the same call would wait for it.
 */
export const withIndirect = async (
  connector: Pick<Connector, 'indirectGrantsOf'>,
  actions: readonly ClaimedAction[],
  outcomes: readonly Outcome[],
  lane: Lane,
  signal: AbortSignal,
): Promise<readonly Outcome[]> => {
  if (connector.indirectGrantsOf === undefined || lane === 'leaver') return outcomes
  const unread = actions.map((action, index) => accountUnread(action, outcomes[index]))
  const ids = unread.filter((account) => account !== null)
  if (ids.length === 0) return outcomes
  const read = await readIndirect(connector, ids, signal)
  return outcomes.map((outcome, index) => {
    const account = unread[index] ?? null
    const indirect = account === null ? undefined : read?.told.get(account)
    return indirect === undefined || outcome.kind !== 'done' ? outcome : { ...outcome, indirect }
  })
}

/** Its account is linked by then, and what it holds indirectly is still to be read. */
export const leavesUnread = (
  connector: Pick<Connector, 'indirectGrantsOf'> | undefined,
  action: ClaimedAction,
  outcome: Outcome,
): boolean =>
  accountUnread(action, outcome) !== null &&
  outcome.kind === 'done' &&
  outcome.indirect === undefined &&
  readsIndirect(connector) === true

const accountUnread = (
  { kind, account_id, indirect_unread }: ClaimedAction,
  outcome: Outcome | undefined,
): NativeId | null =>
  kind === 'ensureAccount' && (account_id === null || indirect_unread) && outcome?.kind === 'done'
    ? (outcome.account?.nativeId ?? null)
    : null
