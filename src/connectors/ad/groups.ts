import { dnKey } from '../../domain/dn.ts'
import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement, Outcome } from '../../domain/outcome.ts'
import type { EntitlementRef, Snapshot } from '../connector.ts'
import { failureText, refused } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Entry, valuesOf } from '../ldap-wire/entry.ts'
import { type Failure, failed, ok, outcomeOfRead, type Result } from '../ldap-wire/errors.ts'
import { isBelow } from './account.ts'
import type { AdSettings } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyObject } from './filters.ts'
import { guidDn, isGuid } from './guid.ts'
import { guidOf, lookupProblem } from './lookup.ts'
import { isCritical } from './protected.ts'

export type Group = {
  readonly guid: NativeId
  readonly dn: string
  readonly sid: string | undefined
  readonly critical: boolean
  readonly entry: Entry
}

const unnamed: Failure = { code: '', result: null, word: 'no-extended-dn', sent: false }

/** The group that a name (a DN, or `<GUID=…>`) means now; null: nothing that we may see, or no group. */
export const readGroup = async (
  client: LdapClient,
  name: string,
  more: readonly string[] = [],
): Promise<Result<Group | null>> => {
  const read = await client.search({
    base: name,
    scope: 'base',
    filter: anyObject,
    attributes: ['objectClass', 'isCriticalSystemObject', ...more],
  })
  // 34: no DN at all, which names nothing.
  if (!read.ok) return read.failure.result === 32 || read.failure.result === 34 ? ok(null) : read
  const entry = read.value[0]
  if (entry === undefined || !valuesOf(entry, 'objectClass').includes('group')) return ok(null)
  const extended = parseExtendedDn(entry.dn)
  if (extended === null) return failed(unnamed)
  return ok({ guid: extended.guid, dn: extended.dn, sid: extended.sid, critical: isCritical(entry), entry })
}

/** By native id, and only that. */
export const readGroupById = (client: LdapClient, id: NativeId, more: readonly string[] = []) =>
  isGuid(id) ? readGroup(client, guidDn(id), more) : Promise.resolve(ok(null))

export const entitlementNames = async (
  client: LdapClient,
  ids: readonly NativeId[],
): Promise<Snapshot<ObservedEntitlement>> => {
  const items: ObservedEntitlement[] = []
  let cause: string | null = null
  for (const read of await Promise.all(ids.map((id) => readGroupById(client, id)))) {
    if (!read.ok) cause = failureText(read.failure)
    else if (read.value !== null) items.push({ nativeId: read.value.guid, name: read.value.dn })
  }
  return cause === null ? { kind: 'complete', items } : { kind: 'partial', items, cause }
}

/** By the name in the catalogue. Every DN of AD ends in DC=; what does not parse names nothing. */
export const readGroupByName = (client: LdapClient, lookup: string, more: readonly string[] = []) =>
  lookupProblem(lookup) === null ? readGroup(client, lookup, more) : Promise.resolve(ok(null))

/**
 * The group that an operation is about. What is pinned is the object: it is taken away wherever it is by now, but granted
 * only under the name that the catalogue gives it.
 */
export const groupFor = async (
  client: LdapClient,
  settings: AdSettings,
  op: 'grant' | 'revoke',
  { lookup, nativeId }: EntitlementRef,
): Promise<Group | Outcome> => {
  const found = nativeId === null ? await readGroupByName(client, lookup) : await readGroupById(client, nativeId)
  if (!found.ok) return outcomeOfRead(found.failure, 'entitlement')
  const group = found.value
  const isNamed = group !== null && (dnKey(group.dn) === dnKey(lookup) || guidOf(lookup) === group.guid)
  if (nativeId !== null && (group === null || (op === 'grant' && !isNamed))) {
    const named = await readGroupByName(client, lookup)
    if (!named.ok) return outcomeOfRead(named.failure, 'entitlement')
    if (named.value !== null && named.value.guid !== nativeId)
      return refused('entitlement-changed-identity', 'another-entry')
    if (named.value === null) return refused('entitlement-missing', group === null ? 'no-such-group' : 'group-renamed')
  }
  if (group === null) return refused('entitlement-missing', 'no-such-group')
  if (group.critical) return refused('protected', 'critical-system-object')
  if (op === 'grant' && !isBelow(group.dn, settings.groupsBase)) return refused('configuration', 'outside-groups-base')
  return group
}

export const isOutcome = (one: Group | Outcome): one is Outcome => 'kind' in one
