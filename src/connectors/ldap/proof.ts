import type { NativeId } from '../../domain/ids.ts'
import type { Evidence, Outcome } from '../../domain/outcome.ts'
import { isEnabled, observedAccount } from './account.ts'
import type { LdapClient } from './client.ts'
import type { LdapSettings } from './config.ts'
import { ok, type Result } from './errors.ts'
import { type Accounts, type Item, readAccounts } from './items.ts'
import { accountsAskedSingly, type Holdings, readHoldings, readMembers } from './read-back.ts'

/** What was read after the changes. Valid for an account only while it still has the name that it was changed under. */
export type Proof = {
  readonly accounts: Accounts
  readonly holdings: Holdings
  /** Members among those asked for, of each group that a large batch granted. */
  readonly members: ReadonlyMap<NativeId, ReadonlySet<string>>
}

/** Reads accounts, their groups and, for large batches, the granted groups' members: all side by side. */
export const readProof = async (
  client: LdapClient,
  settings: LdapSettings,
  items: readonly Item[],
  attributes: readonly string[],
): Promise<Result<Proof>> => {
  const ids = [...new Set(items.map(({ operation }) => operation.account))]
  const isFew = ids.length <= accountsAskedSingly
  const askBack = items.filter(({ operation }) =>
    isFew ? operation.op !== 'enable' : operation.op === 'revoke' || operation.op === 'disable',
  )
  const granted = new Map<NativeId, { groupDn: string; dns: string[] }>()
  for (const { operation, account, group } of isFew ? [] : items) {
    if (!('entitlement' in operation) || operation.op !== 'grant' || group === null) continue
    const entry = granted.get(group) ?? { groupDn: operation.entitlement.lookup, dns: [] }
    entry.dns.push(account.dn)
    granted.set(group, entry)
  }
  const [accounts, holdings, ...groups] = await Promise.all([
    readAccounts(client, settings, ids, attributes),
    readHoldings(
      client,
      settings,
      askBack.map(({ account }) => account.dn),
    ),
    ...[...granted.values()].map(({ groupDn, dns }) => readMembers(client, settings, groupDn, dns)),
  ])
  if (!accounts.ok) return accounts
  if (!holdings.ok) return holdings
  const members = new Map<NativeId, ReadonlySet<string>>()
  for (const read of groups) {
    if (read.ok) members.set(read.value.nativeId, read.value.present)
    // A group that is gone has no members; any other failure leaves the batch unproved.
    else if (read.failure.result !== 32) return read
  }
  return ok({ accounts: accounts.value, holdings: holdings.value, members })
}

/** The outcome of one operation, from what was read and nothing else. */
export const judge = (
  settings: LdapSettings,
  item: Item,
  proof: Proof,
  write: { readonly changed: boolean; readonly code: string },
): Outcome => {
  const { operation, account, group } = item
  const evidence = (read: string): Evidence => ({
    read,
    code: write.code,
    account: operation.account,
    entitlement: group,
  })
  const now = proof.accounts.get(operation.account) ?? account
  const notSo: Outcome = { kind: 'retry', cause: { code: write.code, word: 'not-so-when-read-back' } }
  switch (operation.op) {
    case 'enable':
    case 'disable': {
      if (isEnabled(now) !== (operation.op === 'enable')) return notSo
      return {
        kind: 'done',
        changed: write.changed,
        evidence: evidence('account-entry'),
        account: { ...observedAccount(settings, now), origin: 'known' },
        ...(operation.op === 'disable' ? { grants: proof.holdings.groupsOf(account.dn) } : {}),
      }
    }
    case 'grant':
    case 'revoke': {
      if (group === null) return notSo
      const members = operation.op === 'grant' ? proof.members.get(group) : undefined
      const held = members === undefined ? proof.holdings.holds(account.dn, group) : members.has(account.dn)
      if (held !== (operation.op === 'grant')) return notSo
      return {
        kind: 'done',
        changed: write.changed,
        evidence: evidence(members === undefined ? 'groups-of-member' : 'member-values'),
      }
    }
    default:
      return operation satisfies never
  }
}
