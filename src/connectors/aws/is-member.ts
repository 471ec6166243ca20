import {
  GetGroupMembershipIdCommand,
  IsMemberInGroupsCommand,
  ListGroupMembershipsForMemberCommand,
} from '@aws-sdk/client-identitystore'
import { type Failure, isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import type { Aws } from './aws.ts'
import { once } from './before.ts'

/** IsMemberInGroups takes so many (service model: GroupIds). */
const groupsAtOnce = 100

/** Which of these groups the user is in: one call for one group, one for a hundred. */
export const groupsOfThese = async (
  aws: Aws,
  userId: string,
  groupIds: readonly string[],
): Promise<Result<ReadonlySet<string>>> => {
  const [first] = groupIds
  if (groupIds.length === 1 && first !== undefined) {
    const one = await membershipId(aws, userId, first)
    if (one.ok) return ok(new Set(one.value === null ? [] : [first]))
    return isNotOffered(one.failure) ? fromList(aws, userId, groupIds) : one
  }
  const inside = new Set<string>()
  for (let at = 0; at < groupIds.length; at += groupsAtOnce) {
    const some = groupIds.slice(at, at + groupsAtOnce)
    const read = await aws.transport.read(aws.families.identityStore, (options) =>
      aws.clients.identityStore.send(
        new IsMemberInGroupsCommand({
          IdentityStoreId: aws.settings.identityStoreId,
          MemberId: { UserId: userId },
          GroupIds: [...some],
        }),
        options,
      ),
    )
    if (!read.ok) return isNotOffered(read.failure) ? fromList(aws, userId, groupIds) : read
    const answered = new Set<string>()
    for (const { GroupId = '', MembershipExists } of read.value.Results ?? []) {
      answered.add(GroupId)
      if (MembershipExists === true) inside.add(GroupId)
    }
    // No word about a group is no proof.
    if (some.some((id) => !answered.has(id))) return fromList(aws, userId, groupIds)
  }
  return ok(inside)
}

/** null: not a member. */
export const membershipId = async (aws: Aws, userId: string, groupId: string): Promise<Result<string | null>> => {
  const read = await aws.transport.read(aws.families.identityStore, (options) =>
    aws.clients.identityStore.send(
      new GetGroupMembershipIdCommand({
        IdentityStoreId: aws.settings.identityStoreId,
        GroupId: groupId,
        MemberId: { UserId: userId },
      }),
      options,
    ),
  )
  if (!read.ok) return isMissing(read.failure, 'membership') ? ok(null) : read
  return ok(read.value.MembershipId ?? null)
}

/**
 * Whether it is gone, for good: one read that does not show a membership may come from a replica that has not heard of it,
 * so every page of the user's groups must say the same.
 */
export const isOutOf = async (aws: Aws, userId: string, groupId: string): Promise<Result<boolean>> => {
  const one = await membershipId(aws, userId, groupId)
  if (one.ok && one.value !== null) return ok(false)
  if (!one.ok && !isNotOffered(one.failure)) return one
  const all = await membershipsOf(aws, userId)
  return all.ok ? ok(!all.value.has(groupId)) : all
}

/** Group id → membership id, of every group that the user is in. */
export const membershipsOf = async (aws: Aws, userId: string): Promise<Result<ReadonlyMap<string, string>>> => {
  const all = await readAllPages(async (token) => {
    const read = await aws.transport.read(aws.families.identityStore, (options) =>
      aws.clients.identityStore.send(
        new ListGroupMembershipsForMemberCommand({
          IdentityStoreId: aws.settings.identityStoreId,
          MemberId: { UserId: userId },
          MaxResults: 100,
          NextToken: token,
        }),
        options,
      ),
    )
    return read.ok ? ok({ items: read.value.GroupMemberships ?? [], next: read.value.NextToken }) : read
  })
  return all.ok ? ok(new Map(all.value.map(({ GroupId = '', MembershipId = '' }) => [GroupId, MembershipId]))) : all
}

/** As they were before the call that asks changed anything. */
export const membershipsBefore = (aws: Aws, userId: string): Promise<Result<ReadonlyMap<string, string>>> =>
  once(aws.before?.memberships, userId, () => membershipsOf(aws, userId))

/** The role may not (or a stand-in cannot) ask the short way; the long way costs pages. */
const isNotOffered = ({ verdict, word }: Failure): boolean =>
  (verdict.kind === 'refused' && verdict.reason === 'not-allowed') || word === 'no-such-operation'

const fromList = async (
  aws: Aws,
  userId: string,
  groupIds: readonly string[],
): Promise<Result<ReadonlySet<string>>> => {
  const all = await membershipsOf(aws, userId)
  return all.ok ? ok(new Set(groupIds.filter((id) => all.value.has(id)))) : all
}
