import { ListAccountAssignmentsCommand, ListAccountAssignmentsForPrincipalCommand } from '@aws-sdk/client-sso-admin'
import { isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import type { Aws } from './aws.ts'
import type { AssignmentTarget } from './identify.ts'

/** User ids that have this permission set on this AWS account directly; null when the permission set is gone. */
export const assignedUsers = async (
  aws: Aws,
  target: AssignmentTarget,
): Promise<Result<ReadonlySet<string> | null>> => {
  const { accountId, permissionSetArn } = target
  const at = aws.tools.now()
  const all = await readAllPages(async (token) => {
    const read = await aws.transport.read(aws.families.ssoAdmin, (options) =>
      aws.clients.ssoAdmin.send(
        new ListAccountAssignmentsCommand({
          InstanceArn: aws.settings.instanceArn,
          AccountId: accountId,
          PermissionSetArn: permissionSetArn,
          MaxResults: 100,
          NextToken: token,
        }),
        options,
      ),
    )
    return read.ok ? ok({ items: read.value.AccountAssignments ?? [], next: read.value.NextToken }) : read
  })
  if (!all.ok) {
    if (!isMissing(all.failure, 'something')) return all
    aws.permissionSetNames.delete(permissionSetArn)
    return ok(null)
  }
  const users = new Set(
    all.value.flatMap(({ PrincipalType, PrincipalId }) =>
      PrincipalType === 'USER' && PrincipalId ? [PrincipalId] : [],
    ),
  )
  for (const [key, { at: then }] of aws.lastAssigned) if (at - then > rememberedMs) aws.lastAssigned.delete(key)
  aws.lastAssigned.set(keyOf(target), { at, users })
  return ok(users)
}

/** So long it is remembered who has what: the proof of one change is what the next one begins with. */
const rememberedMs = 15_000
const keyOf = ({ accountId, permissionSetArn }: AssignmentTarget): string => `${accountId}/${permissionSetArn}`

/** Whether the user had it a moment ago; undefined: not known. Good enough to begin a change by, never to leave one out. */
export const hadLately = (aws: Aws, target: AssignmentTarget, user: string): boolean | undefined => {
  const last = aws.lastAssigned.get(keyOf(target))
  return last === undefined || aws.tools.now() - last.at > rememberedMs ? undefined : last.users.has(user)
}

export type Held = { readonly accountId: string; readonly permissionSetArn: string; readonly direct: boolean }

/** All that a principal has; of a user also what it has through groups, which AWS lists under the group's id. */
export const assignmentsOf = async (
  aws: Aws,
  principal: string,
  type: 'USER' | 'GROUP' = 'USER',
): Promise<Result<readonly Held[]>> => {
  const all = await readAllPages(async (token) => {
    const read = await aws.transport.read(aws.families.ssoAdmin, (options) =>
      aws.clients.ssoAdmin.send(
        new ListAccountAssignmentsForPrincipalCommand({
          InstanceArn: aws.settings.instanceArn,
          PrincipalId: principal,
          PrincipalType: type,
          MaxResults: 100,
          NextToken: token,
        }),
        options,
      ),
    )
    return read.ok ? ok({ items: read.value.AccountAssignments ?? [], next: read.value.NextToken }) : read
  })
  if (!all.ok) return all
  return ok(
    all.value.map(({ AccountId = '', PermissionSetArn = '', PrincipalId, PrincipalType }) => ({
      accountId: AccountId,
      permissionSetArn: PermissionSetArn,
      direct: PrincipalType === type && PrincipalId === principal,
    })),
  )
}
