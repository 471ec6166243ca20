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
    if (some.length === 1 || failures > mostFailures) {
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
 * What stands in the outcomes of accounts that are about to be linked, with what they hold indirectly: nothing is granted to
 * them before that is known (DESIGN §4). Where it could not be read, the account is not linked yet, unless a leaver's, for
 * whoever is to be shut out does not wait for it.
 */
export const withIndirect = async (
  connector: Pick<Connector, 'indirectGrantsOf'>,
  actions: readonly ClaimedAction[],
  outcomes: readonly Outcome[],
  lane: Lane,
  signal: AbortSignal,
): Promise<readonly Outcome[]> => {
  if (connector.indirectGrantsOf === undefined) return outcomes
  const linking = actions.map((action, index) => accountLinked(action, outcomes[index]))
  const ids = linking.filter((account) => account !== null)
  if (ids.length === 0) return outcomes
  const read = await readIndirect(connector, ids, signal)
  return outcomes.map((outcome, index) => {
    const account = linking[index] ?? null
    if (account === null || outcome.kind !== 'done') return outcome
    const indirect = read?.told.get(account)
    if (indirect !== undefined) return { ...outcome, indirect }
    return lane === 'leaver' ? outcome : { kind: outcome.changed ? 'unknown' : 'retry', cause: notRead }
  })
}

const notRead = { code: '', word: 'indirect-not-read' } as const

const accountLinked = ({ kind, account_id }: ClaimedAction, outcome: Outcome | undefined): NativeId | null =>
  kind === 'ensureAccount' && account_id === null && outcome?.kind === 'done'
    ? (outcome.account?.nativeId ?? null)
    : null
