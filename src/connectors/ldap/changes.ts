import { GreaterThanEqualsFilter } from 'ldapts'
import type { NativeId } from '../../domain/ids.ts'
import type { Changes } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue } from '../ldap-wire/entry.ts'
import { ok, type Result } from '../ldap-wire/errors.ts'
import { entryUuid, nativeIdOf } from './account.ts'
import type { LdapSettings } from './config.ts'
import { anyObject } from './read-back.ts'

/** When slapd last changed the entry, and in which order: time, count, server, modification. Greater is later. */
const entryCsn = 'entryCSN'
const csnForm = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.\d{6}Z#/

/** A change may become visible after a later one, and clocks of several servers differ: so much is read once more, ms. */
export const overlapMs = 60_000
const pageSize = 1_000

/**
 * Groups and accounts that were changed since, by their change sequence numbers. What was deleted has none: of groups, which
 * are few, all that are there are told; an account that is gone shows in its groups, or in a full read.
 */
export const changes = async (client: LdapClient, settings: LdapSettings, cursor: string | null): Promise<Changes> => {
  const from = cursor === null ? null : before(cursor)
  const groups = await entriesBelow(client, settings.groupsBase, null)
  if (!groups.ok) return { kind: 'failed', cause: failureText(groups.failure) }
  const accounts = await entriesBelow(client, settings.peopleBase, from)
  if (!accounts.ok) return { kind: 'failed', cause: failureText(accounts.failure) }
  // A cursor of nobody's is no reason to call every change old.
  let newest = from === null ? '' : (cursor ?? '')
  for (const read of [groups.value, accounts.value]) for (const csn of read.values()) if (csn > newest) newest = csn
  // An empty directory has no newest change: nothing to go on from.
  if (!csnForm.test(newest)) return { kind: 'failed', cause: 'no-entry-csn' }
  if (from === null) return { kind: 'from-now', cursor: newest }
  return {
    kind: 'changes',
    entitlements: [...groups.value].flatMap(([id, csn]) => (csn >= from ? [id] : [])),
    accounts: [...accounts.value.keys()],
    there: [...groups.value.keys()],
    cursor: newest,
  }
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

/** The cursor with the overlap; null: it is none of ours. */
const before = (cursor: string): string | null => {
  const [, ...parts] = csnForm.exec(cursor) ?? []
  const [year, month, day, hour, minute, second] = parts.map(Number)
  if (second === undefined) return null
  const at = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second) - overlapMs
  return `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)}.000000Z#000000#000#000000`
}
