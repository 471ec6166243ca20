import { dnKey } from '../../domain/dn.ts'
import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement, Outcome } from '../../domain/outcome.ts'
import {
  type AccountsSnapshot,
  type EnsureOperation,
  notSo as notSoWord,
  type Observing,
  type Operation,
  type Snapshot,
} from '../connector.ts'
import { failureText, inOrder, retry } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import type { Entry } from '../ldap-wire/entry.ts'
import { outcomeOfRead } from '../ldap-wire/errors.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import { accountAttributes, entryUuid, nativeIdOf, observedAccount } from './account.ts'
import { isOnAccount } from './apply.ts'
import type { LdapSettings } from './config.ts'
import { deletionsLast, observeDeletion } from './delete-account.ts'
import { find } from './find-accounts.ts'
import { type AccessOperation, attributesFor, findItems, type Item, readAccounts } from './items.ts'
import { judge, type Proof, readProof } from './proof.ts'
import { readHoldings } from './read-back.ts'
import { isOutOfSight } from './searched.ts'

const notSo = retry(notSoWord)

/** Reads only. Whatever a read that failed would be worth to `apply`, here it told nothing. */
export const observe = async (
  client: LdapClient,
  settings: LdapSettings,
  pace: Pace,
  operations: readonly Operation[],
  { linkRefusals }: Pick<Observing, 'linkRefusals'>,
): Promise<readonly Outcome[]> => {
  const outcomes = await inOrder(
    operations,
    isOnAccount,
    (ensures) => observeAccounts(client, settings, ensures, linkRefusals),
    (others) =>
      deletionsLast(
        others,
        (some) => observeAccess(client, settings, pace, some),
        (account) => observeDeletion(client, settings, account),
      ),
  )
  return outcomes.map((outcome) =>
    outcome.kind === 'retry' && outcome.cause.word !== notSoWord ? { kind: 'unknown', cause: outcome.cause } : outcome,
  )
}

const observeAccess = async (
  client: LdapClient,
  settings: LdapSettings,
  pace: Pace,
  operations: readonly AccessOperation[],
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const items = await findItems(client, settings, operations, outcomes, true)
  const proof = await readProof(client, settings, pace, items, attributesFor(settings, operations))
  for (const item of items) {
    outcomes[item.index] = proof.ok ? seen(settings, item, proof.value) : outcomeOfRead(proof.failure, 'account')
  }
  return operations.map((_, index) => outcomes[index] ?? notSo)
}

/** What was read under a name that was no longer the account's tells nothing. */
const seen = (settings: LdapSettings, item: Item, proof: Proof): Outcome => {
  if (!isStillNamed(proof.accounts.found.get(item.operation.account), item.account)) return retry('renamed-meanwhile')
  return judge(settings, item, proof, { changed: false, code: '' })
}

const isStillNamed = (now: Entry | undefined, before: Entry): boolean =>
  now !== undefined && dnKey(now.dn) === dnKey(before.dn)

/**
 * An account that is there is said, with the hash of the attributes that it has: whoever asks compares. One whose person
 * has changed since it was made must not be taken for none.
 */
const observeAccounts = async (
  client: LdapClient,
  settings: LdapSettings,
  operations: readonly EnsureOperation[],
  linkRefusals: Observing['linkRefusals'],
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const { matched } = await find(client, settings, operations, outcomes, linkRefusals)
  const holdings = await readHoldings(
    client,
    settings,
    matched.map(({ entry }) => entry.dn),
  )
  // Groups were found by name: they are the account's only if it had that name before and after.
  const ids = matched.map(({ entry }) => nativeIdOf(entry))
  const after = holdings.ok ? await readAccounts(client, settings, ids, [entryUuid]) : holdings
  for (const { index, operation, entry } of matched) {
    if (!holdings.ok) outcomes[index] = outcomeOfRead(holdings.failure, 'account')
    else if (!after.ok) outcomes[index] = outcomeOfRead(after.failure, 'account')
    else if (!isStillNamed(after.value.found.get(nativeIdOf(entry)), entry))
      outcomes[index] = retry('renamed-meanwhile')
    else {
      const account = observedAccount(settings, entry)
      outcomes[index] = {
        kind: 'done',
        changed: false,
        evidence: { read: 'account-entry', code: '', account: account.nativeId, entitlement: null },
        account: { ...account, origin: operation.account === null ? 'linked' : 'known' },
        grants: holdings.value.groupsOf(entry.dn),
      }
    }
  }
  return operations.map((_, index) => outcomes[index] ?? notSo)
}

/** Direct grants of these accounts; of a part of them where some could not be read. An account that does not exist any more holds nothing. */
export const grantsOf = async (
  client: LdapClient,
  settings: LdapSettings,
  ids: readonly NativeId[],
): Promise<Snapshot<{ readonly account: NativeId; readonly entitlement: ObservedEntitlement }>> => {
  const partial = (cause: string) => ({ kind: 'partial', items: [], cause }) as const
  const before = await readAccounts(client, settings, ids, [entryUuid])
  if (!before.ok) return partial(failureText(before.failure))
  const holdings = await readHoldings(
    client,
    settings,
    [...before.value.found.values()].map(({ dn }) => dn),
  )
  if (!holdings.ok) return partial(failureText(holdings.failure))
  // Groups were found by name: they are the account's only if it had that name before and after.
  const after = await readAccounts(client, settings, ids, [entryUuid])
  if (!after.ok) return partial(failureText(after.failure))
  const found = [...before.value.found]
  const steady = found.filter(([id, { dn }]) => after.value.found.get(id)?.dn === dn)
  const items = steady.flatMap(([account, { dn }]) =>
    holdings.value.groupsOf(dn).map((entitlement) => ({ account, entitlement })),
  )
  if (before.value.unread !== null) return { kind: 'partial', items, cause: failureText(before.value.unread) }
  return steady.length === found.length
    ? { kind: 'complete', items }
    : { kind: 'partial', items, cause: 'renamed-meanwhile' }
}

export const accounts = async (
  client: LdapClient,
  settings: LdapSettings,
  ids: readonly NativeId[],
): Promise<AccountsSnapshot> => {
  const read = await readAccounts(client, settings, ids, accountAttributes(settings))
  if (!read.ok) return { kind: 'partial', items: [], cause: failureText(read.failure) }
  const items = [...read.value.found.values()].map((entry) => ({ ...observedAccount(settings, entry), name: entry.dn }))
  const { unread } = read.value
  if (unread === null) return { kind: 'complete', items }
  const partial = { kind: 'partial', items, cause: failureText(unread) } as const
  return isOutOfSight(unread) ? { ...partial, outOfSight: true } : partial
}
