import { AndFilter, EqualityFilter } from 'ldapts'
import type { NativeId } from '../../domain/ids.ts'
import type { MemberList, PinnedEntitlement, Snapshot } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import type { Failure } from '../ldap-wire/errors.ts'
import { findByKeys, foldKey } from '../ldap-wire/resolve.ts'
import type { AdSettings } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyPerson } from './filters.ts'
import { type Group, readGroupById } from './groups.ts'
import { guidBytes, guidDn, isGuid } from './guid.ts'
import { allValues } from './ranges.ts'

const pageSize = 1_000

/** The direct members of each group under their GUIDs, wherever group and members are by now. */
export async function* membersOf(
  client: LdapClient,
  settings: AdSettings,
  refs: readonly PinnedEntitlement[],
): AsyncGenerator<MemberList> {
  for (const { id: entitlement, nativeId } of refs) {
    const failed = (failure: Failure): MemberList => ({ kind: 'failed', entitlement, cause: failureText(failure) })
    const group = await readGroupById(client, nativeId, ['member'])
    if (!group.ok) yield failed(group.failure)
    else if (group.value === null) yield { kind: 'missing', entitlement }
    else {
      const values = await allValues(client, guidDn(nativeId), group.value.entry, 'member')
      const primary = await primaryMembers(client, settings, group.value)
      if (!values.ok) yield failed(values.failure)
      else if (!primary.ok) yield failed(primary.failure)
      else if (values.value.length === 0 && (await isHeld(client, settings, group.value)))
        yield { kind: 'failed', entitlement, cause: 'members-hidden' }
      else {
        const listed = values.value.map((value) => parseExtendedDn(value)?.guid)
        yield listed.includes(undefined)
          ? { kind: 'failed', entitlement, cause: 'no-extended-dn' }
          : { kind: 'complete', entitlement, members: [...new Set([...(listed as string[]), ...primary.value])] }
      }
    }
  }
}

/** Whether somebody shows this group in memberOf: then its empty `member` is one that we may not read. */
const isHeld = async (client: LdapClient, settings: AdSettings, { dn }: Group): Promise<boolean> => {
  const filter = new AndFilter({ filters: [anyPerson, new EqualityFilter({ attribute: 'memberOf', value: dn })] })
  let held = false
  const read = await client.searchPages(
    { base: settings.searchBase, scope: 'sub', filter, attributes: ['1.1'] },
    1,
    (found) => {
      held ||= found.length > 0
      return held ? 'enough' : undefined
    },
  )
  return held || !read.ok
}

/** Accounts whose primary group this is: members that `member` never shows. */
const primaryMembers = async (client: LdapClient, settings: AdSettings, { sid }: Group) => {
  const members: NativeId[] = []
  const rid = sid?.slice(sid.lastIndexOf('-') + 1)
  if (rid === undefined) return { ok: true, value: members } as const
  const read = await client.searchPages(
    {
      base: settings.searchBase,
      scope: 'sub',
      filter: new EqualityFilter({ attribute: 'primaryGroupID', value: rid }),
      attributes: ['1.1'],
    },
    pageSize,
    (entries) => {
      for (const { dn } of entries) {
        const guid = parseExtendedDn(dn)?.guid
        if (guid !== undefined) members.push(guid)
      }
    },
  )
  return read.ok ? ({ ok: true, value: members } as const) : read
}

/** Which of these GUIDs are people's accounts: groups, computers and contacts are members too. */
export const whoIs = async (
  client: LdapClient,
  settings: AdSettings,
  members: readonly string[],
): Promise<Snapshot<{ readonly member: string; readonly account: NativeId }>> => {
  const distinct = [...new Set(members)]
  const found = await findByKeys(client, {
    base: settings.searchBase,
    attribute: 'objectGUID',
    keys: distinct.filter(isGuid),
    attributes: ['objectGUID'],
    encode: guidBytes,
    only: anyPerson,
  })
  if (!found.ok) return { kind: 'partial', items: [], cause: failureText(found.failure) }
  return {
    kind: 'complete',
    items: distinct
      .filter((member) => found.value.has(foldKey(member)))
      .map((member) => ({ member, account: member as NativeId })),
  }
}
