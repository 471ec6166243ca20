import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement } from '../../domain/outcome.ts'
import type { IndirectGrant, Snapshot } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Failure, failed, ok, type Result } from '../ldap-wire/errors.ts'
import { findByKeys } from '../ldap-wire/resolve.ts'
import { readAccounts, unreadGroups } from './account.ts'
import { type AdSettings, domainBase, isOfDomain } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyGroup, anyObject } from './filters.ts'
import { guidBytes, guidDn } from './guid.ts'
import { unreadable } from './held-groups.ts'
import { nestedGroups } from './nested.ts'
import { allValues } from './ranges.ts'

type Group = { readonly seen: ObservedEntitlement; readonly parents: readonly ObservedEntitlement[] }

/** What these accounts hold by nested groups and by their primary group, from complete reads of this domain. */
export const indirectGrantsOf = async (
  client: LdapClient,
  settings: AdSettings,
  ids: readonly NativeId[],
): Promise<Snapshot<IndirectGrant>> => {
  const partial = (cause: string) => ({ kind: 'partial', items: [], cause }) as const
  const accounts = await readAccounts(client, settings, ids)
  if (!accounts.ok) return partial(failureText(accounts.failure))
  const unread = unreadGroups(accounts.value)
  if (unread !== undefined) return partial(failureText(unread))

  const primaries = new Map<string, ObservedEntitlement>()
  for (const { primaryGroup } of accounts.value.values()) {
    if (primaryGroup === undefined || primaries.has(primaryGroup)) continue
    const found = await bySid(client, primaryGroup)
    if (!found.ok) return partial(failureText(found.failure))
    primaries.set(primaryGroup, found.value)
  }
  const first = new Map<NativeId, ObservedEntitlement>(
    [...accounts.value.values()].flatMap(({ groups }) => (groups.ok ? [...groups.value] : [])),
  )
  for (const group of primaries.values()) first.set(group.nativeId, group)
  const closure = await above(client, settings, first)
  if (!closure.ok) return partial(failureText(closure.failure))
  const known = closure.value
  const parents = new Map([...known].map(([id, group]) => [id, group.parents.map(({ nativeId }) => nativeId)]))

  const items: IndirectGrant[] = []
  for (const { guid: account, groups, primaryGroup } of accounts.value.values()) {
    const primary = primaryGroup === undefined ? undefined : primaries.get(primaryGroup)
    if (primary !== undefined) items.push({ account, entitlement: primary, via: 'primary', path: [primary.nativeId] })
    const own = new Set([
      ...(groups.ok ? groups.value.keys() : []),
      ...(primary === undefined ? [] : [primary.nativeId]),
    ])
    for (const [id, path] of nestedGroups(own, parents)) {
      const entitlement = known.get(id)?.seen
      if (entitlement !== undefined) items.push({ account, entitlement, via: 'nested', path })
    }
  }
  return { kind: 'complete', items }
}

/** It was named a moment ago: it has gone since, or it is hidden from us, and with it what it is in. */
const hiddenGroup: Failure = { code: '', result: null, word: 'group-hidden', sent: false }

/** These groups and all above them, level by level; each is read once, so a circle ends. */
const above = async (
  client: LdapClient,
  settings: AdSettings,
  first: ReadonlyMap<NativeId, ObservedEntitlement>,
): Promise<Result<ReadonlyMap<NativeId, Group>>> => {
  const known = new Map<NativeId, Group>()
  for (let level = first; level.size > 0; ) {
    const found = await findByKeys(client, {
      base: domainBase(settings),
      attribute: 'objectGUID',
      keys: [...level.keys()],
      attributes: ['objectGUID', 'memberOf'],
      encode: guidBytes,
      only: anyGroup,
    })
    if (!found.ok) return found
    const next = new Map<NativeId, ObservedEntitlement>()
    for (const [id, seen] of level) {
      const entry = found.value.get(id)?.[0]
      if (entry === undefined && isOfDomain(settings, seen.name)) return failed(hiddenGroup)
      const read = entry === undefined ? ok([]) : await allValues(client, guidDn(id), entry, 'memberOf')
      if (!read.ok) return read
      const parents: ObservedEntitlement[] = []
      for (const value of read.value) {
        const parent = parseExtendedDn(value)
        if (parent === null) return failed(unreadable)
        parents.push({ nativeId: parent.guid, name: parent.dn })
      }
      known.set(id, { seen, parents })
      for (const parent of parents) next.set(parent.nativeId, parent)
    }
    for (const id of known.keys()) next.delete(id)
    level = next
  }
  return ok(known)
}

const bySid = async (client: LdapClient, sid: string): Promise<Result<ObservedEntitlement>> => {
  const read = await client.search({ base: `<SID=${sid}>`, scope: 'base', filter: anyObject, attributes: ['1.1'] })
  if (!read.ok) return read
  const name = parseExtendedDn(read.value[0]?.dn ?? '')
  return name === null ? failed(unreadable) : ok({ nativeId: name.guid, name: name.dn })
}
