import { DescribeGroupCommand, GetGroupIdCommand, ListGroupsCommand } from '@aws-sdk/client-identitystore'
import { failed, isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { readPages } from '../aws-wire/pages.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Aws } from './aws.ts'
import { type GroupShown, once } from './before.ts'
import type { GroupBy } from './entitlement.ts'

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
  const externalIds = (ExternalIds ?? []).map(({ Issuer = '', Id = '' }) => ({ issuer: Issuer, id: Id }))
  return ok({ id: groupId, name, externalIds })
}

/** As it was before the call that asks changed anything. */
export const groupBefore = (aws: Aws, groupId: string): Promise<Result<GroupShown | null>> =>
  once(aws.before?.groups, groupId, () => describeGroup(aws, groupId))

/** null: nothing is called so. */
export const findGroup = async (aws: Aws, by: GroupBy): Promise<Result<string | null>> => {
  const { identityStoreId } = aws.settings
  const read = await aws.transport.read(aws.families.identityStore, (options) =>
    aws.clients.identityStore.send(
      new GetGroupIdCommand({
        IdentityStoreId: identityStoreId,
        AlternateIdentifier:
          'name' in by
            ? { UniqueAttribute: { AttributePath: 'displayName', AttributeValue: by.name } }
            : { ExternalId: { Issuer: by.issuer, Id: by.id } },
      }),
      options,
    ),
  )
  if (!read.ok) return isMissing(read.failure, 'entitlement') ? ok(null) : read
  return ok(read.value.GroupId ?? null)
}

/** So many groups are described one by one; more are listed. */
const describedAtMost = 20

/** It has a member, and nothing says what it is called. */
export const groupNotShown = failed({ code: '', word: 'group-not-shown', verdict: { kind: 'retry' }, sent: 'answered' })

/** Display names as they are now, or why one could not be read. */
export const nameGroups = async (aws: Aws, ids: readonly string[]): Promise<ReadonlyMap<string, Result<string>>> => {
  const wanted = [...new Set(ids)]
  const names = new Map<string, Result<string>>()
  if (wanted.length > describedAtMost) {
    const isWanted = new Set(wanted)
    // A list that ends early is no loss: whoever was not on it is described, and says why when that fails too.
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
        for (const { GroupId = '', DisplayName } of items)
          if (isWanted.has(GroupId) && DisplayName) names.set(GroupId, ok(DisplayName))
        return ok({ items, next: read.value.NextToken })
      },
      (_, pages) => pages < wanted.length - names.size,
    )
  }
  const rest = wanted.filter((id) => !names.has(id))
  const described = await sideBySide(rest, (id) => groupBefore(aws, id))
  for (const [at, id] of rest.entries()) {
    const one = described[at]
    names.set(id, one?.ok === false ? one : one?.value?.name ? ok(one.value.name) : groupNotShown)
  }
  return names
}
