import { GreaterThanEqualsFilter } from 'ldapts'
import { dnKey } from '../../domain/dn.ts'
import type { NativeId } from '../../domain/ids.ts'
import type { Changes } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue } from '../ldap-wire/entry.ts'
import { ok, type Result } from '../ldap-wire/errors.ts'
import { anyOf } from '../ldap-wire/resolve.ts'
import { entryUuid, nativeIdOf } from './account.ts'
import type { LdapSettings } from './config.ts'
import { anyObject } from './read-back.ts'
import { isOutOfSight, searchedBase } from './searched.ts'

/** When slapd last changed the entry, and in which order: time, count, server, modification. Greater is later. */
const entryCsn = 'entryCSN'
const csnForm = /^\d{14}\.\d{6}Z#/

/** A change may become visible after a later one, and the server's clock is not ours: so much is read once more, ms. */
const overlapMs = 600_000
const pageSize = 1_000

/**
 * Groups and accounts that were changed since, by their change sequence numbers. What was deleted has none: of groups, which
 * are few, all that are there are told; an account that is gone shows in its groups, or in a full read.
 */
export const changes = async (
  client: LdapClient,
  settings: LdapSettings,
  cursor: string | null,
  now: number,
): Promise<Changes> => {
  const from = cursor !== null && csnForm.test(cursor) ? cursor : null
  const sees = await seesChanges(client, settings)
  if (!sees.ok) return { kind: 'failed', cause: failureText(sees.failure) }
  if (!sees.value) return { kind: 'failed', cause: 'entry-csn-hidden' }
  const groups = await entriesBelow(client, settings.groupsBase, null)
  if (!groups.ok) return { kind: 'failed', cause: failureText(groups.failure) }
  // Everything is read after a first word anyway.
  const accounts = from === null ? ok(new Map<NativeId, string>()) : await changedAccounts(client, settings, from)
  if (!accounts.ok) return { kind: 'failed', cause: failureText(accounts.failure) }
  // By our clock: one entry with a number of the future must not hide all that come after it.
  const next = csnAt(now - overlapMs)
  if (from === null) return { kind: 'from-now', cursor: next }
  return {
    kind: 'changes',
    entitlements: [...groups.value].flatMap(([id, csn]) => (csn >= from || !csnForm.test(csn) ? [id] : [])),
    accounts: [...accounts.value.keys()].filter((id) => !groups.value.has(id)),
    there: [...groups.value.keys()],
    cursor: next,
  }
}

/** Wherever accounts are followed to; where Muster may not look beyond `peopleBase`, below that. */
const changedAccounts = async (
  client: LdapClient,
  settings: LdapSettings,
  from: string,
): Promise<Result<ReadonlyMap<NativeId, string>>> => {
  const base = await searchedBase(client, settings)
  if (!base.ok && !isOutOfSight(base.failure)) return base
  const everywhere = base.ok ? await entriesBelow(client, base.value, from) : base
  if (everywhere.ok || !isOutOfSight(everywhere.failure)) return everywhere
  return entriesBelow(client, settings.peopleBase, from)
}

/**
 * Whether an account shows its change sequence number, and beyond `peopleBase` the entry that accounts are followed below: a
 * search by a number that is hidden finds nobody, without a word.
 */
export const seesChanges = async (client: LdapClient, settings: LdapSettings): Promise<Result<boolean>> => {
  const { peopleBase } = settings
  let isHidden = false
  const classes = anyOf('objectClass', settings.account.objectClasses)
  const one = { base: peopleBase, scope: 'sub', filter: classes, attributes: [entryCsn] } as const
  const read = await client.searchPages(one, 1, ([entry]) => {
    if (entry === undefined) return
    isHidden = firstValue(entry, entryCsn) === undefined
    return 'enough'
  })
  if (!read.ok) return read
  const base = await searchedBase(client, settings)
  if (!base.ok) return isOutOfSight(base.failure) ? ok(!isHidden) : base
  if (isHidden || dnKey(base.value) === dnKey(peopleBase)) return ok(!isHidden)
  const top = await client.search({ base: base.value, scope: 'base', filter: anyObject, attributes: [entryCsn] })
  if (!top.ok) return isOutOfSight(top.failure) ? ok(true) : top
  return ok(top.value.every((entry) => firstValue(entry, entryCsn) !== undefined))
}

/** Change sequence numbers by native id, of those changed from there on or of all. */
const entriesBelow = async (
  client: LdapClient,
  base: string,
  from: string | null,
): Promise<Result<ReadonlyMap<NativeId, string>>> => {
  const csns = new Map<NativeId, string>()
  const filter = from === null ? anyObject : new GreaterThanEqualsFilter({ attribute: entryCsn, value: from })
  const read = await client.searchPages(
    { base, scope: 'sub', filter, attributes: [entryUuid, entryCsn] },
    pageSize,
    (entries) => {
      for (const entry of entries) csns.set(nativeIdOf(entry), firstValue(entry, entryCsn) ?? '')
    },
  )
  return read.ok ? ok(csns) : read
}

const csnAt = (ms: number): string =>
  `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}.000000Z#000000#000#000000`
