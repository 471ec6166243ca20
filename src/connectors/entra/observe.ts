import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement, Outcome } from '../../domain/outcome.ts'
import {
  type EnsureOperation,
  notSo as notSoWord,
  type Observing,
  type Operation,
  type SeenAccount,
  type Snapshot,
} from '../connector.ts'
import { openItems } from './access.ts'
import { refused, retry } from './answers.ts'
import { done } from './conclude.ts'
import { confirm } from './confirm.ts'
import { type Directory, lowPriority } from './directory.ts'
import { failureText, outcomeOfRead } from './errors.ts'
import { find } from './find-accounts.ts'
import { createGroupMemory } from './groups.ts'
import { grantsAmong, readHoldings } from './holdings.ts'
import { type AccessOperation, inOrder, isKeptElsewhere, obstacleOf } from './operations.ts'
import { told } from './prove-accounts.ts'
import { accountProperties, idOf, observedAccount } from './user.ts'
import { usersById } from './users.ts'

const notSo = retry(notSoWord)

/** Reads only. Whatever a read that failed would be worth to `apply`, here it told nothing. */
export const observe = async (
  directory: Directory,
  operations: readonly Operation[],
  { linkRefusals }: Pick<Observing, 'linkRefusals'>,
): Promise<readonly Outcome[]> => {
  const outcomes = await inOrder(
    operations,
    (ensures) => observeAccounts(directory, ensures, linkRefusals),
    (others) => observeAccess(directory, others),
  )
  return outcomes.map((outcome) => {
    if (outcome.kind === 'throttled')
      return { kind: 'unknown', cause: { code: '', word: 'throttled', elsewhere: true } }
    return outcome.kind === 'retry' && outcome.cause.word !== notSoWord
      ? { kind: 'unknown', cause: outcome.cause }
      : outcome
  })
}

const observeAccess = async (
  directory: Directory,
  operations: readonly AccessOperation[],
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  // What is remembered of a group is not an observation of it.
  const afresh = { ...directory, memory: createGroupMemory(directory.client.now) }
  const items = await openItems(afresh, operations, outcomes, 'observe')
  const looks = await confirm(directory, items, { withAccounts: true })
  for (const item of items) {
    const seen = looks.get(item.index)
    const word = obstacleOf(item, directory.settings)
    // Who is in it by a rule was given nothing.
    if (item.operation.op === 'grant' && isKeptElsewhere(item))
      outcomes[item.index] = refused('not-allowed', word ?? '')
    else if (seen?.kind === 'so') outcomes[item.index] = done(directory, item, seen, { changed: false, code: '' })
    else if (seen?.kind === 'told') outcomes[item.index] = seen.outcome
    else if (seen?.kind === 'wavering') outcomes[item.index] = retry('reads-disagree')
    else if (word !== null) outcomes[item.index] = refused('not-allowed', word)
  }
  return operations.map((_, index) => outcomes[index] ?? notSo)
}

/**
 * An account that is there is said, with the hash of the attributes that it has: whoever asks compares. One whose person
 * has changed since it was made must not be taken for none.
 */
const observeAccounts = async (
  directory: Directory,
  operations: readonly EnsureOperation[],
  linkRefusals: Observing['linkRefusals'],
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const { matched } = await find(directory, operations, outcomes, linkRefusals)
  const linked = matched.filter(({ operation }) => operation.account === null)
  const holdings = await readHoldings(
    directory.client,
    linked.map(({ user }) => idOf(user)),
  )
  for (const { index, operation, user } of matched) {
    const origin = operation.account === null ? 'linked' : 'known'
    outcomes[index] = holdings.ok
      ? told(directory, { operation, origin, changed: false, code: '' }, user, holdings.value)
      : outcomeOfRead(holdings.failure, 'account')
  }
  return operations.map((_, index) => outcomes[index] ?? notSo)
}

/** Direct grants of these accounts. An account that does not exist any more holds nothing. */
export const grantsOf = async (
  { client }: Directory,
  ids: readonly NativeId[],
  signal: AbortSignal,
): Promise<Snapshot<{ readonly account: NativeId; readonly entitlement: ObservedEntitlement }>> => {
  const holdings = await readHoldings(client, ids, { signal })
  if (!holdings.ok) return { kind: 'partial', items: [], cause: failureText(holdings.failure) }
  return {
    kind: 'complete',
    items: [...holdings.value].flatMap(([account, groups]) =>
      grantsAmong(groups).map((entitlement) => ({ account, entitlement })),
    ),
  }
}

export const accounts = async (
  { client, settings }: Directory,
  ids: readonly NativeId[],
  signal: AbortSignal,
): Promise<Snapshot<SeenAccount>> => {
  const read = await usersById(client, ids, [...accountProperties(settings), 'userPrincipalName'], lowPriority(signal))
  if (!read.ok) return { kind: 'partial', items: [], cause: failureText(read.failure) }
  const items = [...read.value.values()].map((user) => ({
    ...observedAccount(settings, user),
    name: user.userPrincipalName ?? idOf(user),
  }))
  return { kind: 'complete', items }
}
