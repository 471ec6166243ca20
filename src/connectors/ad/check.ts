import { AndFilter, PresenceFilter } from 'ldapts'
import { dnKey } from '../../domain/dn.ts'
import { allUses, type CheckReport, type Uses } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import { caProblems } from '../ldap-wire/authorities.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Entry, firstValue, valuesOf } from '../ldap-wire/entry.ts'
import type { Failure, Result } from '../ldap-wire/errors.ts'
import { schemaHidden } from '../ldap-wire/schema.ts'
import { missedByChanges } from '../missed-by-changes.ts'
import { readAccounts } from './account.ts'
import { accountRights } from './account-rights.ts'
import { seesDeleted } from './changes.ts'
import { type AdSettings, domainBase } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyGroup, anyObject } from './filters.ts'
import { firstEntry } from './first-entry.ts'
import { hiddenMemberOf } from './held-groups.ts'
import { ownPassword } from './own-password.ts'
import { pieceOf } from './ranges.ts'
import { schemaProblems } from './schema.ts'

/** GeneralizedTime as AD writes it, e.g. 20261121214217.0Z, in ms since 1970. */
const instantOf = (text: string): number => {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})/.exec(text) ?? []
  return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s))
}

/** LDAP_CAP_ACTIVE_DIRECTORY_OID (MS-ADTS §3.1.1.3.4.3.1). */
const activeDirectory = '1.2.840.113556.1.4.800'
const protocolError = 2

/** Reads what can be known without a change: AD tells what the service account may write. */
export const check = async (
  client: LdapClient,
  settings: AdSettings,
  now: () => number,
  uses: Uses = allUses,
): Promise<CheckReport> => {
  const me = await client.whoAmI()
  // Samba does not know the question; whoever is not bound fails at the reads below.
  if (!me.ok && me.failure.result !== protocolError)
    return {
      ok: false,
      problems: [
        `cannot bind to ${settings.urls.join(', ')} as ${settings.bindName}: ${failureText(me.failure)}`,
        ...(await caProblems(settings)),
      ],
    }
  const problems: string[] = []
  if (me.ok && me.value === '') problems.push('bound anonymously')
  const facts = [
    `as ${settings.bindName}, by password`,
    `people below ${settings.peopleBase}, groups below ${settings.groupsBase}`,
  ]
  const parts: Omit<CheckReport, 'ok'>[] = []
  const root = await read(client, '', ['supportedCapabilities', 'currentTime', 'schemaNamingContext'])
  if (!root.ok) problems.push(`the root DSE cannot be read: ${failureText(root.failure)}`)
  else {
    if (!valuesOf(root.value, 'supportedCapabilities').includes(activeDirectory))
      problems.push('the server does not say that it is Active Directory')
    parts.push(checkClock(root.value, settings, now()))
    const named = await schemaProblems(client, settings, root.value)
    if (named === null) facts.push(schemaHidden)
    else problems.push(...named)
  }
  const domain = domainBase(settings)
  const { moveTo } = settings.leaver
  const bases = [
    // Whoever was moved away for a leave comes back to it.
    uses.createAccounts || moveTo !== undefined
      ? ([settings.peopleBase, 'allowedChildClassesEffective', 'user', 'accounts cannot be created there'] as const)
      : ([settings.peopleBase, null, null, null] as const),
    ...(moveTo === undefined
      ? []
      : [[moveTo, 'allowedChildClassesEffective', 'user', 'accounts cannot be moved there'] as const]),
    [settings.groupsBase, null, null, null],
    [settings.searchBase, null, null, null],
    ...(dnKey(domain) === dnKey(settings.searchBase) ? [] : [[domain, null, null, null] as const]),
  ] as const
  for (const [base, attribute, needed, otherwise] of bases) {
    const entry = await read(client, base, ['objectClass', ...(attribute === null ? [] : [attribute])])
    if (!entry.ok) problems.push(`${base} cannot be read: ${failureText(entry.failure)}`)
    else if (attribute !== null && !valuesOf(entry.value, attribute).includes(needed))
      parts.push(missedByChanges(uses, [`${base}: ${otherwise}`]))
  }
  parts.push(await groupProblems(client, settings, uses))
  if (!(await seesDeleted(client, domain)))
    problems.push(`CN=Deleted Objects,${domain} cannot be read: changes are found by listing only`)
  parts.push(await accountRights(client, settings, uses), await ownPassword(client, settings, now()))
  problems.push(...parts.flatMap((part) => part.problems))
  facts.push(...parts.flatMap((part) => part.facts ?? []))
  return {
    ok: problems.length === 0,
    problems,
    facts,
    unknown: parts.flatMap((part) => part.unknown ?? []),
    beforeEnforce: parts.flatMap((part) => part.beforeEnforce ?? []),
  }
}

const checkClock = (root: Entry, settings: AdSettings, now: number): Omit<CheckReport, 'ok'> => {
  const told = firstValue(root, 'currentTime')
  if (told === undefined) return { problems: [], unknown: ['its clock (the root DSE does not tell it)'] }
  const skew = Math.abs(instantOf(told) - now) / 1_000
  return skew <= settings.clockSkewSeconds
    ? { problems: [], facts: [`clocks ${Math.round(skew)} s apart`] }
    : { problems: [`its clock and ours differ by ${Math.round(skew)} s: ends of access are judged by ours`] }
}

/** Members of one group that are looked up to find a person among them. */
const membersTried = 50

/**
 * One group of the base stands for all: whether its members may be written, and whether a member shows it in memberOf. An
 * attribute that we may not read looks as if it had no values, and every membership as if it were gone.
 */
const groupProblems = async (
  client: LdapClient,
  settings: AdSettings,
  uses: Uses,
): Promise<Omit<CheckReport, 'ok'>> => {
  const { groupsBase } = settings
  const unread = (failure: Failure) => `groups below ${groupsBase} cannot be read: ${failureText(failure)}`
  const any = await firstEntry(client, groupsBase, anyGroup, 'allowedAttributesEffective')
  if (!any.ok) return { problems: [unread(any.failure)] }
  const mayWrite = any.value === null || valuesOf(any.value, 'allowedAttributesEffective').includes('member')
  const written = missedByChanges(
    uses,
    mayWrite ? [] : [`${groupsBase}: the members of a group there cannot be written`],
  )
  const also = (problem: string) => ({ ...written, problems: [...written.problems, problem] })
  const filled = new AndFilter({ filters: [anyGroup, new PresenceFilter({ attribute: 'member' })] })
  const found = await firstEntry(client, groupsBase, filled, 'member')
  if (!found.ok) return also(unread(found.failure))
  const group = found.value
  const guid = parseExtendedDn(group?.dn ?? '')?.guid
  if (group === null || guid === undefined) return written
  const members = pieceOf(group, 'member').values.flatMap((value) => parseExtendedDn(value)?.guid ?? [])
  const people = await readAccounts(client, settings, members.slice(0, membersTried))
  if (!people.ok) return also(`members of groups there cannot be read: ${failureText(people.failure)}`)
  const isHidden = [...people.value.values()].some(({ groups }) =>
    groups.ok ? !groups.value.has(guid) : groups.failure === hiddenMemberOf,
  )
  return isHidden ? also('memberOf cannot be read of everybody: memberships would seem to be gone') : written
}

const read = async (client: LdapClient, base: string, attributes: readonly string[]): Promise<Result<Entry>> => {
  const found = await client.search({ base, scope: 'base', filter: anyObject, attributes })
  if (!found.ok) return found
  const entry = found.value[0]
  return entry === undefined
    ? { ok: false, failure: { code: '32', result: 32, word: 'no-such-object', sent: true } }
    : { ok: true, value: entry }
}
