import type { NativeId } from '../../domain/ids.ts'
import type { Evidence, Outcome } from '../../domain/outcome.ts'
import { notSo } from '../connector.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { ok, type Result } from '../ldap-wire/errors.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import { isEnabled, observedAccount } from './account.ts'
import type { LdapSettings } from './config.ts'
import { type Accounts, type Item, readAccounts } from './items.ts'
import { accountsAskedSingly, type Holdings, readHoldings, readMembers } from './read-back.ts'

/** What was read after the changes. Valid for an account only while it still has the name that it was changed under. */
export type Proof = {
  readonly accounts: Accounts
  readonly holdings: Holdings
  /** DNs whose groups `holdings` tells; of any other it knows nothing. */
  readonly asked: ReadonlySet<string>
  /** Members among those asked for, of each group that was read whole. */
  readonly members: ReadonlyMap<NativeId, ReadonlySet<string>>
}

/** A group of so many members for each account in question is cheaper to ask by member than to read whole. */
const membersPerAccount = 8

/**
 * Reads accounts and memberships side by side: of few accounts their groups; of many, the members of the groups in question,
 * but of very large ones, and where all groups of an account are wanted, again the groups of the accounts.
 */
export const readProof = async (
  client: LdapClient,
  settings: LdapSettings,
  pace: Pace,
  items: readonly Item[],
  attributes: readonly string[],
): Promise<Result<Proof>> => {
  const ids = [...new Set(items.map(({ operation }) => operation.account))]
  const isFew = ids.length <= accountsAskedSingly
  const wholeGroups = new Map<NativeId, { groupDn: string; dns: string[] }>()
  const askBack: string[] = []
  for (const { operation, account, group } of items) {
    if (group === null || !('entitlement' in operation)) {
      if (operation.op === 'disable') askBack.push(account.dn)
    } else if (isFew || (operation.op === 'revoke' && pace.lastSize(group.id) > ids.length * membersPerAccount)) {
      askBack.push(account.dn)
    } else {
      const entry = wholeGroups.get(group.id) ?? { groupDn: group.dn, dns: [] }
      entry.dns.push(account.dn)
      wholeGroups.set(group.id, entry)
    }
  }
  const [accounts, holdings, ...groups] = await Promise.all([
    readAccounts(client, settings, ids, attributes),
    readHoldings(client, settings, askBack),
    ...[...wholeGroups.values()].map(({ groupDn, dns }) => readMembers(client, settings, groupDn, dns)),
  ])
  if (!accounts.ok) return accounts
  if (!holdings.ok) return holdings
  const members = new Map<NativeId, ReadonlySet<string>>()
  for (const read of groups) {
    if (read.ok) {
      members.set(read.value.nativeId, read.value.present)
      pace.saw(read.value.nativeId, read.value.size)
    }
    // A group that is gone has no members; any other failure leaves the batch unproved.
    else if (read.failure.result !== 32) return read
  }
  return ok({ accounts: accounts.value, holdings: holdings.value, asked: new Set(askBack), members })
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
    entitlement: group?.id ?? null,
  })
  const now = proof.accounts.found.get(operation.account) ?? account
  const isNotSo: Outcome = { kind: 'retry', cause: { code: write.code, word: notSo } }
  switch (operation.op) {
    case 'enable':
    case 'disable': {
      if (isEnabled(now) !== (operation.op === 'enable')) return isNotSo
      return {
        kind: 'done',
        changed: write.changed,
        evidence: evidence('account-entry'),
        account: {
          ...observedAccount(settings, now),
          origin: 'known',
          wasEnabled: write.changed !== (operation.op === 'enable'),
        },
        ...(operation.op === 'disable' ? { grants: proof.holdings.groupsOf(account.dn) } : {}),
      }
    }
    case 'grant':
    case 'revoke': {
      if (group === null) return isNotSo
      const members = proof.members.get(group.id)
      // Its group was gone, or another one, when it was to be read: that tells nothing of this membership.
      if (members === undefined && !proof.asked.has(account.dn)) {
        return { kind: 'retry', cause: { code: write.code, word: 'group-not-read' } }
      }
      const held = members === undefined ? proof.holdings.holds(account.dn, group.id) : members.has(account.dn)
      if (held !== (operation.op === 'grant')) return isNotSo
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
