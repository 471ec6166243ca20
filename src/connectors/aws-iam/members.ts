import type { NativeId } from '../../domain/ids.ts'
import { failureText, ok, type Result } from '../aws-wire/errors.ts'
import type { MemberList, PinnedEntitlement, Snapshot } from '../connector.ts'
import type { Iam } from './iam.ts'
import { roleNameOf } from './lookup.ts'
import { getRole, listAllRoles, type Role } from './roles.ts'
import { isSessionName } from './session-name.ts'
import { readTrust } from './trust.ts'

/**
 * By the pinned id, whatever the catalogue calls it by now. Members are session names; what else stands in our statements
 * is listed too (`principal:AROA…`, `statement:MusterPeople`), and is nobody's account.
 */
export async function* membersOf(
  iam: Iam,
  refs: readonly PinnedEntitlement[],
  signal: AbortSignal,
): AsyncIterable<MemberList> {
  let listed: Promise<Result<readonly Role[]>> | null = null
  const byId = async ({ lookup, nativeId }: PinnedEntitlement): Promise<Result<Role | null>> => {
    const name = roleNameOf(lookup)
    const named = name === null ? ok(null) : await getRole(iam, name, signal)
    if (!named.ok || named.value?.id === nativeId) return named
    listed ??= listAllRoles(iam, signal)
    const all = await listed
    return all.ok ? ok(all.value.find(({ id }) => id === nativeId) ?? null) : all
  }
  for (const ref of refs) {
    const entitlement = ref.id
    const role = await byId(ref)
    if (!role.ok) yield { entitlement, kind: 'failed', cause: failureText(role.failure) }
    else if (role.value === null) yield { entitlement, kind: 'missing' }
    else {
      const trust = readTrust(iam.settings, role.value.trust)
      if (trust === null) yield { entitlement, kind: 'failed', cause: 'trust-policy-unreadable' }
      else yield { entitlement, kind: 'complete', members: [...trust.people, ...trust.strangers] }
    }
  }
}

/** A session name is the account itself; the rest has a colon. */
export const whoIs = (
  members: readonly string[],
): Snapshot<{ readonly member: string; readonly account: NativeId }> => ({
  kind: 'complete',
  items: members.filter(isSessionName).map((member) => ({ member, account: member as NativeId })),
})
