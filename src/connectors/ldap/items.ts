import { dnKey, parseDn } from '../../domain/dn.ts'
import type { NativeId } from '../../domain/ids.ts'
import { accountOutOfSight, type Outcome } from '../../domain/outcome.ts'
import type { Operation } from '../connector.ts'
import { missingAccount, refused } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import type { Entry } from '../ldap-wire/entry.ts'
import { causeOf, type Failure, ok, outcomeOfRead, type Result } from '../ldap-wire/errors.ts'
import { findByKeys, foldKey } from '../ldap-wire/resolve.ts'
import { accountAttributes, entryUuid } from './account.ts'
import type { LdapSettings } from './config.ts'
import { type GroupIdentity, groupIdentities, groupNames, isBelow } from './groups.ts'
import { isOutOfSight, searchedBase } from './searched.ts'

export type AccessOperation = Extract<Operation, { op: 'enable' | 'disable' | 'grant' | 'revoke' }>

/** One operation on an account and a group that were found. */
export type Item = {
  readonly index: number
  readonly operation: AccessOperation
  readonly account: Entry
  /** null for enable and disable. */
  readonly group: Group | null
}

/** `dn`: its name now, which need not be the one that the catalogue or an earlier read gave it. */
export type Group = { readonly id: NativeId; readonly dn: string }

export type Accounts = {
  readonly found: ReadonlyMap<NativeId, Entry>
  /** Why nothing is known of whoever was not found; null: they do not exist. */
  readonly unread: Failure | null
}

/** Of an account that was not found. Where Muster may not look, asking again soon tells no more: a human widens that, or says that it is all. */
export const outcomeOfAbsent = ({ unread }: Pick<Accounts, 'unread'>): Outcome => {
  if (unread === null) return missingAccount
  if (!isOutOfSight(unread)) return outcomeOfRead(unread, 'account')
  return { kind: 'refused', reason: 'configuration', cause: { ...causeOf(unread), word: accountOutOfSight } }
}

/**
 * Accounts by native id, wherever they were moved. Looked for below `peopleBase`, and beyond it only whoever is not there: where
 * that cannot be read, nothing changes for the others.
 */
export const readAccounts = async (
  client: LdapClient,
  settings: LdapSettings,
  ids: readonly NativeId[],
  attributes: readonly string[],
): Promise<Result<Accounts>> => {
  const accounts = new Map<NativeId, Entry>()
  const look = async (base: string): Promise<Result<readonly NativeId[]>> => {
    const keys = ids.filter((id) => !accounts.has(id))
    const found = await findByKeys(client, { base, attribute: entryUuid, keys, attributes })
    if (!found.ok) return found
    for (const id of keys) {
      const entry = found.value.get(foldKey(id))?.[0]
      if (entry !== undefined) accounts.set(id, entry)
    }
    return ok(ids.filter((id) => !accounts.has(id)))
  }
  const away = await look(settings.peopleBase)
  if (!away.ok) return away
  if (away.value.length === 0) return ok({ found: accounts, unread: null })
  const base = await searchedBase(client, settings)
  if (!base.ok) return ok({ found: accounts, unread: base.failure })
  const gone = dnKey(base.value) === dnKey(settings.peopleBase) ? away : await look(base.value)
  return ok({ found: accounts, unread: gone.ok ? null : gone.failure })
}

/** What is read of the accounts of these operations: their lock and attributes only where an outcome tells them. */
export const attributesFor = (settings: LdapSettings, operations: readonly AccessOperation[]): readonly string[] =>
  operations.some(({ op }) => op === 'enable' || op === 'disable') ? accountAttributes(settings) : [entryUuid]

/**
 * Finds account and group of each operation. What cannot be found is answered in `outcomes`; the rest is returned.
 * A pinned group is not read here: the assertion that goes with the write proves its identity.
 */
export const findItems = async (
  client: LdapClient,
  settings: LdapSettings,
  operations: readonly AccessOperation[],
  outcomes: (Outcome | undefined)[],
  checkPins: boolean,
): Promise<readonly Item[]> => {
  const memberships = operations.filter((operation) => 'entitlement' in operation)
  const unpinned = memberships.filter(({ entitlement }) => checkPins || entitlement.nativeId === null)
  const ids = [...new Set(operations.map(({ account }) => account))]
  const [accounts, groups] = await Promise.all([
    readAccounts(client, settings, ids, attributesFor(settings, operations)),
    groupIdentities(
      client,
      settings,
      unpinned.map(({ entitlement }) => entitlement.lookup),
    ),
  ])
  // What is there is read wherever it is; only a grant is bound to the name that the catalogue gives.
  const strays = memberships.flatMap(({ entitlement: { lookup, nativeId } }) =>
    nativeId !== null && isStray(groups.get(lookup), nativeId) ? [nativeId] : [],
  )
  const names = await groupNames(client, settings, [...new Set(strays)])
  const items: Item[] = []
  const belowBase = new Map<string, boolean>()
  for (const [index, operation] of operations.entries()) {
    if (!accounts.ok) {
      outcomes[index] = outcomeOfRead(accounts.failure, 'account')
      continue
    }
    const account = accounts.value.found.get(operation.account)
    if (account === undefined) {
      outcomes[index] = outcomeOfAbsent(accounts.value)
      continue
    }
    if (!('entitlement' in operation)) {
      items.push({ index, operation, account, group: null })
      continue
    }
    const { lookup, nativeId } = operation.entitlement
    if (!belowBase.has(lookup)) belowBase.set(lookup, parseDn(lookup) !== null && isBelow(lookup, settings.groupsBase))
    const identity: GroupIdentity =
      groups.get(lookup) ??
      (nativeId !== null && belowBase.get(lookup) ? { kind: 'found', nativeId } : { kind: 'outside' })
    if (nativeId !== null && isStray(identity, nativeId)) {
      const dn = names.ok ? names.value.get(nativeId) : undefined
      if (dn !== undefined) {
        items.push({ index, operation, account, group: { id: nativeId, dn } })
        continue
      }
      if (!names.ok) {
        outcomes[index] = outcomeOfRead(names.failure, 'entitlement')
        continue
      }
    }
    const outcome = outcomeOfIdentity(identity, nativeId)
    if (outcome !== undefined) outcomes[index] = outcome
    else if (identity.kind === 'found')
      items.push({ index, operation, account, group: { id: identity.nativeId, dn: lookup } })
  }
  return items
}

/** The name of a pinned group names nothing, or something else. */
const isStray = (identity: GroupIdentity | undefined, pinned: NativeId): boolean =>
  identity?.kind === 'missing' || (identity?.kind === 'found' && foldKey(identity.nativeId) !== foldKey(pinned))

const outcomeOfIdentity = (identity: GroupIdentity, pinned: NativeId | null): Outcome | undefined => {
  switch (identity.kind) {
    case 'missing':
      return refused('entitlement-missing', 'no-such-group')
    case 'outside':
      return refused('configuration', 'outside-groups-base')
    case 'failed':
      return outcomeOfRead(identity.failure, 'entitlement')
    case 'found':
      return pinned !== null && foldKey(pinned) !== foldKey(identity.nativeId)
        ? refused('entitlement-changed-identity', 'another-entry')
        : undefined
    default:
      return identity satisfies never
  }
}
