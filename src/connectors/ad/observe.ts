import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement, Outcome } from '../../domain/outcome.ts'
import {
  type EnsureOperation,
  notSo,
  type Observing,
  type Operation,
  type SeenAccount,
  type Snapshot,
} from '../connector.ts'
import { failureText, inOrder, retry } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { failed, outcomeOfRead } from '../ldap-wire/errors.ts'
import { type AccessOperation, findItems, isOnAccess, judge } from './access.ts'
import { accountsOf, observedAccount, readAccounts, unreadGroups } from './account.ts'
import type { AdSettings } from './config.ts'
import type { Pinned } from './domain-controllers.ts'
import { presentAccount } from './ensure-accounts.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { find } from './find-accounts.ts'
import { unreadable } from './held-groups.ts'
import { whileSettling } from './settling.ts'

/** Reads only. Whatever a read that failed would be worth to `apply`, here it told nothing. */
export const observe = async (
  { client, settling }: Pinned,
  settings: AdSettings,
  operations: readonly Operation[],
  { linkRefusals }: Pick<Observing, 'linkRefusals'>,
): Promise<readonly Outcome[]> => {
  const outcomes = await inOrder(
    operations,
    isOnAccess,
    (ensures) => observeAccounts(client, settings, ensures, linkRefusals),
    (others) => observeAccess(client, settings, others),
  )
  const believed = outcomes.map((outcome, index) => {
    const op = operations[index]?.op
    return settling && op !== undefined ? whileSettling(op, outcome) : outcome
  })
  return believed.map((outcome) =>
    outcome.kind === 'retry' && outcome.cause.word !== notSo ? { kind: 'unknown', cause: outcome.cause } : outcome,
  )
}

const observeAccess = async (
  client: LdapClient,
  settings: AdSettings,
  operations: readonly AccessOperation[],
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  for (const item of await findItems(client, settings, operations, outcomes)) {
    const { account, index } = item
    const read = new Map([[account.guid, account]])
    outcomes[index] = judge(settings, item, read, { kind: 'written', changed: false, code: '' })
  }
  return operations.map((_, index) => outcomes[index] ?? retry(notSo))
}

/**
 * An account that is there is said, with the hash of the attributes that it has: whoever asks compares. One whose person
 * has changed since it was made must not be taken for none.
 */
const observeAccounts = async (
  client: LdapClient,
  settings: AdSettings,
  operations: readonly EnsureOperation[],
  linkRefusals: Observing['linkRefusals'],
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const { matched } = await find(client, settings, operations, outcomes, linkRefusals)
  const read = await accountsOf(
    client,
    settings,
    matched.map(({ entry }) => entry),
  )
  for (const [at, { index, operation }] of matched.entries()) {
    const account = read[at] ?? failed(unreadable)
    outcomes[index] = account.ok
      ? presentAccount(settings, account.value, operation.account === null ? 'linked' : 'known', '')
      : outcomeOfRead(account.failure, 'account')
  }
  return operations.map((_, index) => outcomes[index] ?? retry(notSo))
}

/**
 * Direct grants of these accounts, as their memberOf tells. The primary group is none: it is a property of the account, and
 * everybody has one. An account that does not exist any more holds nothing.
 */
export const grantsOf = async (
  client: LdapClient,
  settings: AdSettings,
  ids: readonly NativeId[],
): Promise<Snapshot<{ readonly account: NativeId; readonly entitlement: ObservedEntitlement }>> => {
  const read = await readAccounts(client, settings, ids)
  if (!read.ok) return { kind: 'partial', items: [], cause: failureText(read.failure) }
  const items = [...read.value.values()].flatMap(({ guid, groups }) =>
    groups.ok ? [...groups.value.values()].map((entitlement) => ({ account: guid, entitlement })) : [],
  )
  const unread = unreadGroups(read.value)
  return unread === undefined ? { kind: 'complete', items } : { kind: 'partial', items, cause: failureText(unread) }
}

export const accounts = async (
  client: LdapClient,
  settings: AdSettings,
  ids: readonly NativeId[],
): Promise<Snapshot<SeenAccount>> => {
  const read = await readAccounts(client, settings, ids, 'asShown')
  if (!read.ok) return { kind: 'partial', items: [], cause: failureText(read.failure) }
  const seen = [...read.value.values()].map((account) => {
    const observed = observedAccount(settings, account)
    const name = parseExtendedDn(account.entry.dn)?.dn ?? account.entry.dn
    return observed === null ? null : { ...observed, name }
  })
  const items = seen.filter((account) => account !== null)
  return items.length === seen.length
    ? { kind: 'complete', items }
    : { kind: 'partial', items, cause: 'user-account-control-hidden' }
}
