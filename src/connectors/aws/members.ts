import { ListGroupMembershipsCommand } from '@aws-sdk/client-identitystore'
import type { NativeId } from '../../domain/ids.ts'
import { failureText, isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { type Page, readAllPages } from '../aws-wire/pages.ts'
import type { MemberList, PinnedEntitlement, Snapshot } from '../connector.ts'
import { assignedUsers } from './assignment-list.ts'
import type { Aws } from './aws.ts'
import { parseNativeId } from './entitlement.ts'
import { describePermissionSet } from './permission-sets.ts'
import { readUsers } from './users.ts'

/** By the pinned id, whatever it is called by now. Members are user ids. */
export async function* membersOf(
  aws: Aws,
  refs: readonly PinnedEntitlement[],
  signal: AbortSignal,
): AsyncGenerator<MemberList> {
  for (const ref of refs) yield await listOf(aws, ref, signal)
}

const listOf = async (
  aws: Aws,
  { id: entitlement, nativeId }: PinnedEntitlement,
  signal: AbortSignal,
): Promise<MemberList> => {
  const pinned = parseNativeId(nativeId)
  if (pinned.kind === 'group') {
    const all = await groupMembers(aws, pinned.groupId, signal)
    if (all.ok) return { entitlement, kind: 'complete', members: all.value }
    return isMissing(all.failure, 'entitlement')
      ? { entitlement, kind: 'missing' }
      : { entitlement, kind: 'failed', cause: failureText(all.failure) }
  }
  const users = await assignedUsers(aws, pinned)
  if (!users.ok) return { entitlement, kind: 'failed', cause: failureText(users.failure) }
  if (users.value !== null) return { entitlement, kind: 'complete', members: [...users.value] }
  // sso-admin says «not found» without saying what.
  const set = await describePermissionSet(aws, pinned.permissionSetArn)
  if (set.ok && set.value === null) return { entitlement, kind: 'missing' }
  return { entitlement, kind: 'failed', cause: set.ok ? 'no-such-aws-account' : failureText(set.failure) }
}

const groupMembers = (aws: Aws, groupId: string, signal: AbortSignal) =>
  readAllPages((token) => groupPage(aws, groupId, token, signal))

/** User ids: a hundred at most. */
export const groupPage = async (
  aws: Aws,
  groupId: string,
  token: string | undefined,
  signal?: AbortSignal,
): Promise<Result<Page<string>>> => {
  const read = await aws.transport.read(
    aws.families.identityStore,
    (options) =>
      aws.clients.identityStore.send(
        new ListGroupMembershipsCommand({
          IdentityStoreId: aws.settings.identityStoreId,
          GroupId: groupId,
          MaxResults: 100,
          NextToken: token,
        }),
        options,
      ),
    signal,
  )
  if (!read.ok) return read
  const items = (read.value.GroupMemberships ?? []).flatMap(({ MemberId }) => MemberId?.UserId ?? [])
  return ok({ items, next: read.value.NextToken })
}

/** Members are listed by the user's id, which is the account's; a user that is gone is no account. */
export const whoIs = async (
  aws: Aws,
  members: readonly string[],
  signal: AbortSignal,
): Promise<Snapshot<{ readonly member: string; readonly account: NativeId }>> => {
  const ids = [...new Set(members)].map((member) => member as NativeId)
  const users = await readUsers(aws, ids, signal)
  if (!users.ok) return { kind: 'partial', items: [], cause: failureText(users.failure) }
  return {
    kind: 'complete',
    items: ids.flatMap((id) => (users.value.has(id) ? [{ member: id as string, account: id }] : [])),
  }
}
