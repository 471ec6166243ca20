import { DescribeGroupCommand, GetGroupIdCommand, ListGroupsCommand } from '@aws-sdk/client-identitystore'
import { isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { readPages } from '../aws-wire/pages.ts'
import type { Aws } from './aws.ts'

export type GroupShown = { readonly id: string; readonly name: string; readonly fromScim: boolean }

/** null: there is none. */
export const describeGroup = async (aws: Aws, groupId: string): Promise<Result<GroupShown | null>> => {
  const { identityStoreId } = aws.settings
  const read = await aws.transport.read(aws.families.identityStore, (options) =>
    aws.clients.identityStore.send(
      new DescribeGroupCommand({ IdentityStoreId: identityStoreId, GroupId: groupId }),
      options,
    ),
  )
  if (!read.ok) return isMissing(read.failure, 'entitlement') ? ok(null) : read
  const { DisplayName: name = '', ExternalIds } = read.value
  aws.groupNames.set(groupId, name)
  return ok({ id: groupId, name, fromScim: (ExternalIds ?? []).length > 0 })
}

/** null: nothing has this name. */
export const findGroup = async (aws: Aws, name: string): Promise<Result<string | null>> => {
  const { identityStoreId } = aws.settings
  const read = await aws.transport.read(aws.families.identityStore, (options) =>
    aws.clients.identityStore.send(
      new GetGroupIdCommand({
        IdentityStoreId: identityStoreId,
        AlternateIdentifier: { UniqueAttribute: { AttributePath: 'displayName', AttributeValue: name } },
      }),
      options,
    ),
  )
  if (!read.ok) return isMissing(read.failure, 'entitlement') ? ok(null) : read
  return ok(read.value.GroupId ?? null)
}

/** So many groups are described one by one; more are listed. */
const describedAtMost = 20

/** Display names to show beside native ids. One that cannot be read is shown by its id. */
export const nameGroups = async (aws: Aws, ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const unknown = [...new Set(ids)].filter((id) => !aws.groupNames.has(id))
  if (unknown.length > describedAtMost) {
    await readPages(
      async (token) => {
        const read = await aws.transport.read(aws.families.identityStore, (options) =>
          aws.clients.identityStore.send(
            new ListGroupsCommand({ IdentityStoreId: aws.settings.identityStoreId, MaxResults: 100, NextToken: token }),
            options,
          ),
        )
        if (!read.ok) return read
        const items = read.value.Groups ?? []
        for (const { GroupId = '', DisplayName = '' } of items) aws.groupNames.set(GroupId, DisplayName)
        return ok({ items, next: read.value.NextToken })
      },
      (_, pages) => pages < unknown.length,
    )
  }
  for (const id of unknown) if (!aws.groupNames.has(id)) await describeGroup(aws, id)
  return new Map(ids.map((id) => [id, aws.groupNames.get(id) ?? id]))
}
