import { dnKey } from '../../domain/dn.ts'
import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement } from '../../domain/outcome.ts'
import type { Snapshot } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue } from '../ldap-wire/entry.ts'
import { type Failure, ok, type Result } from '../ldap-wire/errors.ts'
import { findByKeys, foldKey } from '../ldap-wire/resolve.ts'
import { entryUuid } from './account.ts'
import type { LdapSettings } from './config.ts'
import { lookupProblem } from './lookup.ts'
import { anyObject } from './read-back.ts'

export type GroupIdentity =
  | { readonly kind: 'found'; readonly nativeId: NativeId }
  | { readonly kind: 'missing' }
  /** Outside `groupsBase`: the reverse reads that prove a revoke would never see it. */
  | { readonly kind: 'outside' }
  | { readonly kind: 'failed'; readonly failure: Failure }

export const isBelow = (dn: string, base: string): boolean => dnKey(dn).endsWith(`,${dnKey(base)}`)

/** The entry that each DN names now. */
export const groupIdentities = async (
  client: LdapClient,
  settings: LdapSettings,
  lookups: readonly string[],
): Promise<ReadonlyMap<string, GroupIdentity>> => {
  const identify = async (lookup: string): Promise<GroupIdentity> => {
    if (lookupProblem(lookup) !== null) return { kind: 'missing' }
    if (!isBelow(lookup, settings.groupsBase)) return { kind: 'outside' }
    const read = await client.search({ base: lookup, scope: 'base', filter: anyObject, attributes: [entryUuid] })
    if (!read.ok) return read.failure.result === 32 ? { kind: 'missing' } : { kind: 'failed', failure: read.failure }
    const nativeId = read.value[0] === undefined ? undefined : firstValue(read.value[0], entryUuid)
    return nativeId === undefined ? { kind: 'missing' } : { kind: 'found', nativeId: nativeId as NativeId }
  }
  const distinct = [...new Set(lookups)]
  const identities = await Promise.all(distinct.map(identify))
  return new Map(distinct.map((lookup, at) => [lookup, identities[at] ?? { kind: 'missing' }]))
}

/** Where pinned groups are now, whatever they are called; one that is not in the map is not below `groupsBase`. */
export const groupNames = async (
  client: LdapClient,
  settings: LdapSettings,
  ids: readonly NativeId[],
): Promise<Result<ReadonlyMap<NativeId, string>>> => {
  if (ids.length === 0) return ok(new Map())
  const found = await findByKeys(client, {
    base: settings.groupsBase,
    attribute: entryUuid,
    keys: ids,
    attributes: [entryUuid],
  })
  if (!found.ok) return found
  return ok(
    new Map(
      ids.flatMap((id) => {
        const dn = found.value.get(foldKey(id))?.[0]?.dn
        return dn === undefined ? [] : [[id, dn] as const]
      }),
    ),
  )
}

export const entitlementNames = async (
  client: LdapClient,
  settings: LdapSettings,
  ids: readonly NativeId[],
): Promise<Snapshot<ObservedEntitlement>> => {
  const names = await groupNames(client, settings, ids)
  if (!names.ok) return { kind: 'partial', items: [], cause: failureText(names.failure) }
  return { kind: 'complete', items: [...names.value].map(([nativeId, name]) => ({ nativeId, name })) }
}
