/** Groups and who is in them. */
import { type Behind, limited, type Rules } from './rules.ts'
import type { GroupRecord } from './state.ts'
import { AwsError, type Json, notFound, record, text } from './wire.ts'

export const groups: Rules = {
  CreateGroup: async (body, behind) => {
    refuseTaken(behind, body.DisplayName, null)
    const made = await behind.moto.ask('identitystore', 'CreateGroup', body)
    const id = text(made, 'GroupId')
    const { IdentityStoreId, ...attributes } = body
    behind.state.groups.set(id, { attributes, externalIds: [], revision: 1 })
    return { IdentityStoreId, GroupId: id, GroupArn: groupArn(id), Revision: '1' }
  },
  UpdateGroup: async (body, behind) => {
    const group = need(behind, text(body, 'GroupId'))
    for (const operation of Array.isArray(body.Operations) ? body.Operations.map(record) : []) {
      const path = text(operation, 'AttributePath')
      const name = path === 'displayName' ? 'DisplayName' : path === 'description' ? 'Description' : null
      if (name === null) throw new AwsError('ValidationException', `${path} cannot be updated`)
      if (name === 'DisplayName') refuseTaken(behind, operation.AttributeValue, text(body, 'GroupId'))
      group.attributes = { ...group.attributes, [name]: operation.AttributeValue }
    }
    group.revision += 1
    const id = text(body, 'GroupId')
    return {
      IdentityStoreId: behind.identityStoreId,
      GroupId: id,
      GroupArn: groupArn(id),
      Revision: String(group.revision),
    }
  },
  DeleteGroup: async (body, behind) => {
    const id = text(body, 'GroupId')
    need(behind, id)
    for (const membership of behind.state.memberships.ofGroup(id)) {
      await behind.moto.ask('identitystore', 'DeleteGroupMembership', {
        IdentityStoreId: body.IdentityStoreId,
        MembershipId: membership.id,
      })
      behind.state.memberships.remove(membership)
    }
    await behind.moto.ask('identitystore', 'DeleteGroup', body)
    behind.state.groups.delete(id)
    return {}
  },
  DescribeGroup: async (body, behind) => {
    const id = text(body, 'GroupId')
    const group = need(behind, id)
    await behind.moto.ask('identitystore', 'DescribeGroup', body)
    return shown(id, group, behind)
  },
  ListGroups: async (body, behind) => {
    const list = await behind.moto.ask('identitystore', 'ListGroups', limited(body, behind))
    const items = Array.isArray(list.Groups) ? list.Groups.map(record) : []
    return {
      ...list,
      Groups: items.flatMap((item) => {
        const group = behind.state.groups.get(text(item, 'GroupId'))
        return group === undefined ? [] : [shown(text(item, 'GroupId'), group, behind)]
      }),
    }
  },
  GetGroupId: async (body, behind) => {
    const wanted = record(body.AlternateIdentifier)
    const external = record(wanted.ExternalId)
    const name = record(wanted.UniqueAttribute).AttributeValue
    for (const [id, group] of behind.state.groups) {
      const isIt =
        wanted.ExternalId !== undefined
          ? group.externalIds.some(({ Issuer, Id }) => Issuer === external.Issuer && Id === external.Id)
          : group.attributes.DisplayName === name
      if (isIt) return { IdentityStoreId: behind.identityStoreId, GroupId: id, GroupArn: groupArn(id) }
    }
    throw notFound('GROUP')
  },
}

const need = (behind: Behind, id: string): GroupRecord => {
  const group = behind.state.groups.get(id)
  if (group === undefined) throw notFound('GROUP')
  return group
}

const groupArn = (id: string): string => `arn:aws:identitystore:::group/${id}`

const shown = (id: string, { attributes, externalIds, revision }: GroupRecord, { identityStoreId }: Behind): Json => ({
  ...attributes,
  IdentityStoreId: identityStoreId,
  GroupId: id,
  GroupArn: groupArn(id),
  Revision: String(revision),
  ...(externalIds.length > 0 ? { ExternalIds: externalIds } : {}),
})

const refuseTaken = ({ state }: Behind, name: unknown, self: string | null): void => {
  for (const [id, { attributes }] of state.groups) {
    if (id !== self && attributes.DisplayName === name)
      throw new AwsError('ConflictException', 'Duplicate GroupDisplayName', {
        Reason: 'UNIQUENESS_CONSTRAINT_VIOLATION',
      })
  }
}
