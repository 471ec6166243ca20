import { setImmediate } from 'node:timers/promises'
import { PresenceFilter } from 'ldapts'
import { dnKey, hasOddSpace } from '../../domain/dn.ts'
import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement } from '../../domain/outcome.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue, valuesOf } from '../ldap-wire/entry.ts'
import { failed, ok, type Result } from '../ldap-wire/errors.ts'
import { anyOf, chunksOf } from '../ldap-wire/resolve.ts'
import { entryUuid } from './account.ts'
import type { LdapSettings } from './config.ts'

/** Up to so many accounts are asked for one by one, in one search each that names their groups and moves no member lists. */
export const accountsAskedSingly = 8
const dnsPerSearch = 50
/** DNs normalised between two turns of the event loop. */
const dnsPerTurn = 1_000

export const anyObject = new PresenceFilter({ attribute: 'objectClass' })

export type Members = {
  readonly nativeId: NativeId
  readonly dn: string
  /** Those of the DNs asked for that are members. */
  readonly present: ReadonlySet<string>
  /** How many members it has, placeholder included. */
  readonly size: number
}

const groupGone = { code: '32', result: 32, word: 'no-such-object', sent: true } as const

/** Which of `dns` are members of one group, from all its values. */
export const readMembers = async (
  client: LdapClient,
  settings: LdapSettings,
  groupDn: string,
  dns: readonly string[],
): Promise<Result<Members>> => {
  const { memberAttribute } = settings.group
  const read = await client.search({
    base: groupDn,
    scope: 'base',
    filter: anyObject,
    attributes: [entryUuid, memberAttribute],
  })
  if (!read.ok) return read
  const entry = read.value[0]
  const nativeId = entry === undefined ? undefined : firstValue(entry, entryUuid)
  if (entry === undefined || nativeId === undefined) return failed(groupGone)
  const values = valuesOf(entry, memberAttribute)
  const spelled = new Set(values)
  const present = new Set(dns.filter((dn) => spelled.has(dn)))
  const others = dns.filter((dn) => !spelled.has(dn))
  if (others.length > 0) {
    // A member may have been added under another spelling of its DN; what is spelled as one that is asked for is that one.
    const asked = new Set(dns)
    const byKey = Map.groupBy(others, dnKey)
    const doubtful = new Set<string>()
    for (const [at, value] of values.entries()) {
      const alike = asked.has(value) ? [] : (byKey.get(dnKey(value)) ?? [])
      for (const dn of alike) (alike.length > 1 || hasOddSpace(value) || hasOddSpace(dn) ? doubtful : present).add(dn)
      if (at % dnsPerTurn === dnsPerTurn - 1) await setImmediate()
    }
    for (const dn of doubtful) {
      const filter = anyOf(memberAttribute, [dn])
      const found = await client.search({ base: groupDn, scope: 'base', filter, attributes: [entryUuid] })
      if (!found.ok) return found
      if (found.value.length > 0) present.add(dn)
    }
  }
  return ok({ nativeId: nativeId as NativeId, dn: entry.dn, present, size: values.length })
}

/** Direct groups of accounts below `groupsBase`, from complete reads. */
export type Holdings = {
  readonly holds: (dn: string, group: NativeId) => boolean
  readonly groupsOf: (dn: string) => readonly ObservedEntitlement[]
}

/**
 * Which groups hold these DNs. Few are asked for one by one. For many, the groups that hold any of them are found first,
 * and only those give their members: after a wave of leavers mostly none is left, and no member list moves at all.
 */
export const readHoldings = async (
  client: LdapClient,
  settings: LdapSettings,
  dns: readonly string[],
): Promise<Result<Holdings>> => {
  const groupsHolding = (some: readonly string[]) =>
    client.search({
      base: settings.groupsBase,
      scope: 'sub',
      filter: anyOf(settings.group.memberAttribute, some),
      attributes: [entryUuid],
    })
  // Names that only fold alike, by a tab for a blank, may be two people's: whether they are one the server knows.
  const distinct = [...new Set(dns)]
  const groups = new Map<string, readonly ObservedEntitlement[]>(distinct.map((dn) => [dn, []]))

  if (distinct.length <= accountsAskedSingly) {
    const answers = await Promise.all(distinct.map((dn) => groupsHolding([dn])))
    for (const [at, answer] of answers.entries()) {
      if (!answer.ok) return answer
      groups.set(
        distinct[at] ?? '',
        answer.value.map((entry) => ({ nativeId: (firstValue(entry, entryUuid) ?? '') as NativeId, name: entry.dn })),
      )
    }
  } else {
    const answers = await Promise.all(chunksOf(distinct, dnsPerSearch).map((chunk) => groupsHolding(chunk)))
    const touched = new Map<string, string>()
    for (const answer of answers) {
      if (!answer.ok) return answer
      for (const entry of answer.value) touched.set(firstValue(entry, entryUuid) ?? '', entry.dn)
    }
    for (const groupDn of touched.values()) {
      const members = await readMembers(client, settings, groupDn, distinct)
      // A group deleted between the two reads holds nobody.
      if (!members.ok && members.failure.result === 32) continue
      if (!members.ok) return members
      for (const dn of distinct) {
        if (!members.value.present.has(dn)) continue
        groups.set(dn, [...(groups.get(dn) ?? []), { nativeId: members.value.nativeId, name: members.value.dn }])
      }
    }
  }
  const spelled = new Map(distinct.map((dn) => [dnKey(dn), dn]))
  const groupsOf = (dn: string) => groups.get(dn) ?? groups.get(spelled.get(dnKey(dn)) ?? '') ?? []
  return ok({ groupsOf, holds: (dn, group) => groupsOf(dn).some(({ nativeId }) => nativeId === group) })
}
