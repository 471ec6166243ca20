/**
 * Memberships: one of a pair at most, and errors where moto says yes to everything. moto is told every change and asked
 * nothing: the set of pairs is kept here, because moto has no index and no uniqueness.
 */
import { type Behind, page, type Rules } from './rules.ts'
import type { Membership } from './state.ts'
import { AwsError, type Json, notFound, record, text } from './wire.ts'

export const memberships: Rules = {
  CreateGroupMembership: async (body, behind) => {
    const { group, user } = pairOf(body)
    if (!behind.state.groups.has(group)) throw notFound('GROUP')
    if (!behind.state.users.has(user)) throw notFound('USER')
    if (behind.state.memberships.of(group, user) !== undefined)
      throw new AwsError('ConflictException', 'Member already exists', { Reason: 'UNIQUENESS_CONSTRAINT_VIOLATION' })
    const made = await behind.moto.ask('identitystore', 'CreateGroupMembership', body)
    const id = text(made, 'MembershipId')
    behind.state.memberships.add({ id, group, user })
    return { IdentityStoreId: body.IdentityStoreId, MembershipId: id, MembershipArn: membershipArn(id) }
  },
  DeleteGroupMembership: async (body, behind) => {
    const membership = behind.state.memberships.byId(text(body, 'MembershipId'))
    if (membership === undefined) throw notFound('GROUP_MEMBERSHIP')
    await behind.moto.ask('identitystore', 'DeleteGroupMembership', body)
    behind.state.memberships.remove(membership)
    return {}
  },
  DescribeGroupMembership: async (body, behind) => {
    const membership = behind.state.memberships.byId(text(body, 'MembershipId'))
    if (membership === undefined) throw notFound('GROUP_MEMBERSHIP')
    return shown(membership, behind)
  },
  GetGroupMembershipId: async (body, behind) => {
    const { group, user } = pairOf(body)
    if (!behind.state.groups.has(group)) throw notFound('GROUP')
    const membership = behind.state.memberships.of(group, user)
    if (membership === undefined) throw notFound('GROUP_MEMBERSHIP')
    const { IdentityStoreId, MembershipId, MembershipArn } = shown(membership, behind)
    return { IdentityStoreId, MembershipId, MembershipArn }
  },
  IsMemberInGroups: async (body, behind) => {
    const asked = Array.isArray(body.GroupIds) ? body.GroupIds : []
    if (asked.length === 0 || asked.length > 100)
      throw new AwsError('ValidationException', 'GroupIds must have 1 to 100 elements')
    const { user } = pairOf(body)
    if (!behind.state.users.has(user)) throw notFound('USER')
    return {
      Results: asked.map((group) => {
        if (!behind.state.groups.has(group)) throw notFound('GROUP')
        const MembershipExists = behind.state.memberships.of(group, user) !== undefined
        return { GroupId: group, MemberId: { UserId: user }, MembershipExists }
      }),
    }
  },
  ListGroupMemberships: async (body, behind) => {
    const { group } = pairOf(body)
    if (!behind.state.groups.has(group)) throw notFound('GROUP')
    return list(behind.state.memberships.ofGroup(group), body, behind)
  },
  ListGroupMembershipsForMember: async (body, behind) => {
    const { user } = pairOf(body)
    if (!behind.state.users.has(user)) throw notFound('USER')
    return list(behind.state.memberships.ofUser(user), body, behind)
  },
}

const list = (memberships: readonly Membership[], body: Json, behind: Behind): Json => {
  const { items, next } = page(memberships, body, behind)
  return { GroupMemberships: items.map((one) => shown(one, behind)), ...next }
}

const shown = ({ id, group, user }: Membership, { identityStoreId }: Behind): Json => ({
  IdentityStoreId: identityStoreId,
  MembershipId: id,
  MembershipArn: membershipArn(id),
  GroupId: group,
  MemberId: { UserId: user },
})

const pairOf = (body: Json) => ({ group: text(body, 'GroupId'), user: text(record(body.MemberId), 'UserId') })
const membershipArn = (id: string): string => `arn:aws:identitystore:::membership/${id}`
