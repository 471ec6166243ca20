import { AndFilter, EqualityFilter, GreaterThanEqualsFilter, OrFilter } from 'ldapts'
import type { NativeId } from '../../domain/ids.ts'
import type { Changes } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue, valuesOf } from '../ldap-wire/entry.ts'
import { type Failure, failed, ok, type Result } from '../ldap-wire/errors.ts'
import { type AdSettings, domainBase } from './config.ts'
import { showDeleted } from './controls.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyGroup, anyObject } from './filters.ts'
import { guidDn, isGuid } from './guid.ts'

/**
 * Update sequence numbers are a controller's own: where one stands means nothing to another, nor to the same one after it was
 * restored from a backup, which gives it a new invocationId (MS-ADTS §3.1.1.1.9).
 */
type Position = { readonly invocationId: string; readonly usn: bigint }

const cursorOf = ({ invocationId, usn }: Position): string => `usn ${invocationId} ${usn}`
const positionOf = (cursor: string): Position | null => {
  const [, invocationId, usn] = /^usn (\S+) (\d+)$/.exec(cursor) ?? []
  return invocationId === undefined || usn === undefined ? null : { invocationId, usn: BigInt(usn) }
}

const unnumbered: Failure = { code: '', result: null, word: 'no-update-sequence-number', sent: false }
const pageSize = 1_000

/**
 * Groups and accounts that changed on this controller since the cursor, deleted ones among them. A change of members changes
 * the group, not the account.
 */
export const changes = async (client: LdapClient, settings: AdSettings, cursor: string | null): Promise<Changes> => {
  // Before the search: what changes meanwhile is told again next time.
  const now = await position(client)
  if (!now.ok) return { kind: 'failed', cause: failureText(now.failure) }
  const next = cursorOf(now.value)
  const since = cursor === null ? null : positionOf(cursor)
  if (since === null || since.invocationId !== now.value.invocationId || since.usn > now.value.usn)
    return { kind: 'from-now', cursor: next }
  const domain = domainBase(settings)
  if (!(await seesDeleted(client, domain))) return { kind: 'failed', cause: 'deleted-objects-hidden' }
  const entitlements: NativeId[] = []
  const accounts: NativeId[] = []
  let unnamed = false
  const read = await client.searchPages(
    {
      // Deleted objects lie directly below the domain.
      base: domain,
      scope: 'sub',
      filter: changedSince(since.usn),
      attributes: ['objectClass'],
      controls: [showDeleted],
    },
    pageSize,
    (entries) => {
      for (const entry of entries) {
        const guid = parseExtendedDn(entry.dn)?.guid
        if (guid === undefined) unnamed = true
        else if (valuesOf(entry, 'objectClass').includes('group')) entitlements.push(guid)
        // Computers are users too, to AD.
        else if (!valuesOf(entry, 'objectClass').includes('computer')) accounts.push(guid)
      }
    },
  )
  if (!read.ok) return { kind: 'failed', cause: failureText(read.failure) }
  if (unnamed) return { kind: 'failed', cause: 'no-extended-dn' }
  return { kind: 'changes', entitlements, accounts, cursor: next }
}

/**
 * Only administrators see what was deleted, unless that is delegated (docs/connectors/ad.md). Whoever does not would be told
 * that a deleted account has not changed.
 */
export const seesDeleted = async (client: LdapClient, domain: string): Promise<boolean> => {
  const read = await client.search({
    base: `CN=Deleted Objects,${domain}`,
    scope: 'base',
    filter: anyObject,
    attributes: ['1.1'],
    controls: [showDeleted],
  })
  return read.ok && read.value.length === 1
}

const changedSince = (usn: bigint) =>
  new AndFilter({
    filters: [
      new GreaterThanEqualsFilter({ attribute: 'uSNChanged', value: String(usn + 1n) }),
      // By class: a deleted object has lost its category.
      new OrFilter({ filters: [anyGroup, new EqualityFilter({ attribute: 'objectClass', value: 'user' })] }),
    ],
  })

/** Where this controller stands. */
export const position = async (client: LdapClient): Promise<Result<Position>> => {
  const root = await client.search({
    base: '',
    scope: 'base',
    filter: anyObject,
    attributes: ['highestCommittedUSN', 'dsServiceName'],
  })
  if (!root.ok) return root
  const [entry] = root.value
  const usn = entry === undefined ? undefined : firstValue(entry, 'highestCommittedUSN')
  const service = entry === undefined ? null : parseExtendedDn(firstValue(entry, 'dsServiceName') ?? '')
  if (usn === undefined || !/^\d+$/.test(usn) || service === null) return failed(unnumbered)
  const settings = await client.search({
    base: guidDn(service.guid),
    scope: 'base',
    filter: anyObject,
    attributes: ['invocationId'],
  })
  if (!settings.ok) return settings
  const invocationId = settings.value[0] === undefined ? undefined : firstValue(settings.value[0], 'invocationId')
  return invocationId !== undefined && isGuid(invocationId)
    ? ok({ invocationId, usn: BigInt(usn) })
    : failed(unnumbered)
}
