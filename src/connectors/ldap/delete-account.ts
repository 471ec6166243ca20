import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { notSo } from '../connector.ts'
import { refused, retry } from '../ldap-wire/answers.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import { causeOf, type Failure, outcomeOfRead, outcomeOfWrite } from '../ldap-wire/errors.ts'
import { entryUuid, isEnabled, lockAttribute } from './account.ts'
import type { LdapSettings } from './config.ts'
import { whileShut } from './controls.ts'
import { type AccessOperation, type Accounts, outcomeOfAbsent, readAccounts } from './items.ts'
import { readHoldings } from './read-back.ts'

export type DeleteOperation = { readonly op: 'deleteAccount'; readonly account: NativeId }

/** Answers deletions after everything else, and puts the outcomes back into order. */
export const deletionsLast = async (
  operations: readonly (AccessOperation | DeleteOperation)[],
  access: (operations: readonly AccessOperation[]) => Promise<readonly Outcome[]>,
  deletion: (account: NativeId) => Promise<Outcome>,
): Promise<readonly Outcome[]> => {
  const others = operations.filter((operation) => operation.op !== 'deleteAccount')
  const ofOthers = (others.length === 0 ? [] : await access(others)).values()
  const outcomes: Outcome[] = []
  for (const { op, account } of operations)
    outcomes.push(op === 'deleteAccount' ? await deletion(account) : (ofOthers.next().value ?? retry('not-begun')))
  return outcomes
}

/**
 * Deletes an account that is locked for good and in no group. The server itself compares the lock as it deletes: whoever was
 * opened meanwhile stays. A group's member is a name: one that stayed behind would let in whoever gets that name next.
 */
export const deleteAccount = async (
  client: LdapClient,
  settings: LdapSettings,
  account: NativeId,
  gate: Gate,
): Promise<Outcome> => {
  const found = await readAccounts(client, settings, [account], [entryUuid, lockAttribute])
  if (!found.ok) return outcomeOfRead(found.failure, 'account')
  const entry = found.value.found.get(account)
  if (entry === undefined) return absent(account, found.value)
  if (isEnabled(entry)) return refused('protected', 'account-enabled')
  const held = await readHoldings(client, settings, [entry.dn])
  if (!held.ok) return outcomeOfRead(held.failure, 'account')
  if (held.value.groupsOf(entry.dn).length > 0) return refused('protected', 'has-grants')
  const removed = await client.remove(entry.dn, whileShut(account), gate)
  if (!removed.ok) return outcomeOfWrite(removed.failure, 'account')
  const [after, left] = await Promise.all([
    readAccounts(client, settings, [account], [entryUuid]),
    readHoldings(client, settings, [entry.dn]),
  ])
  if (!after.ok) return unverified(after.failure)
  if (!left.ok) return unverified(left.failure)
  // The server deleted the entry with this id: that nobody may look beyond `peopleBase` takes nothing from that.
  if (after.value.found.has(account)) return { kind: 'retry', cause: { code: '0', word: notSo } }
  const outcome = gone(account, { changed: true, code: '0' })
  return left.value.groupsOf(entry.dn).length === 0
    ? outcome
    : { ...outcome, unfinished: [{ code: '', word: 'member-left-behind' }] }
}

/** Reads only. */
export const observeDeletion = async (
  client: LdapClient,
  settings: LdapSettings,
  account: NativeId,
): Promise<Outcome> => {
  const found = await readAccounts(client, settings, [account], [entryUuid])
  if (!found.ok) return outcomeOfRead(found.failure, 'account')
  return found.value.found.has(account) ? retry(notSo) : absent(account, found.value)
}

const absent = (account: NativeId, read: Accounts): Outcome =>
  read.unread === null ? gone(account, { changed: false, code: '' }) : outcomeOfAbsent(read)

const unverified = (failure: Failure): Outcome => ({
  kind: 'unknown',
  cause: { ...causeOf(failure), word: `unverified-${failure.word}` },
})

const gone = (account: NativeId, { changed, code }: { readonly changed: boolean; readonly code: string }) =>
  ({ kind: 'done', changed, evidence: { read: 'account-absent', code, account, entitlement: null } }) as const
