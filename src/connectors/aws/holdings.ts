import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement } from '../../domain/outcome.ts'
import { isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import { assignmentsOf } from './assignment-list.ts'
import type { Aws } from './aws.ts'
import { assignmentNativeId, groupNativeId } from './entitlement.ts'
import { groupNotShown, nameGroups } from './groups.ts'
import { membershipsBefore } from './is-member.ts'
import { namePermissionSet } from './permission-sets.ts'

/** The user's direct grants: every membership and every assignment of its own, or none at all when a read failed. */
export type Holdings = readonly ObservedEntitlement[]

/** One for each account, in order, every name read anew: protection goes by it. Whoever does not exist holds nothing. */
export const readHoldings = async (aws: Aws, accounts: readonly NativeId[]): Promise<readonly Result<Holdings>[]> => {
  const read = await sideBySide(accounts, (account) => rawHoldings(aws, account))
  const groupIds = read.flatMap((one) => (one.ok ? one.value.groups : []))
  const names = await nameGroups(aws, groupIds)
  return sideBySide(read, async (one): Promise<Result<Holdings>> => {
    if (!one.ok) return one
    const grants: ObservedEntitlement[] = []
    for (const id of one.value.groups) {
      const name = names.get(id) ?? groupNotShown
      if (!name.ok) return name
      grants.push({ nativeId: groupNativeId(id), name: `group/${name.value}` })
    }
    for (const { accountId, permissionSetArn } of one.value.assignments) {
      const name = await namePermissionSet(aws, permissionSetArn)
      if (!name.ok) return name
      grants.push({
        nativeId: assignmentNativeId(accountId, permissionSetArn),
        name: `assignment/${accountId}/${name.value}`,
      })
    }
    return ok(grants)
  })
}

type Raw = {
  readonly groups: readonly string[]
  readonly assignments: readonly { readonly accountId: string; readonly permissionSetArn: string }[]
}

const rawHoldings = async (aws: Aws, account: NativeId): Promise<Result<Raw>> => {
  // AWS keeps the assignments of a user that is gone.
  const [memberships, assignments] = await Promise.all([
    membershipsBefore(aws, account),
    aws.settings.assignments === 'none' ? ok([]) : assignmentsOf(aws, account),
  ])
  if (!memberships.ok && !isMissing(memberships.failure, 'account')) return memberships
  const groups = memberships.ok ? [...memberships.value.keys()] : []
  // sso-admin does not say what is missing, and that may be the instance: only of a user that is gone it means «nothing».
  const isOfNobody = !memberships.ok && !assignments.ok && isMissing(assignments.failure, 'something')
  if (!assignments.ok && !isOfNobody) return assignments
  return ok({ groups, assignments: assignments.ok ? assignments.value.filter(({ direct }) => direct) : [] })
}
