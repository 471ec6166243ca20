import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement } from '../../domain/outcome.ts'
import { failureText } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Snapshot } from '../connector.ts'
import type { Aws } from './aws.ts'
import { parseNativeId } from './entitlement.ts'
import { groupNotShown, nameGroups } from './groups.ts'
import { namePermissionSet, permissionSetNotShown } from './permission-sets.ts'

/** As the target shows them: a catalogue may name a group by an external id, and protection goes by names. */
export const entitlementNames = async (aws: Aws, ids: readonly NativeId[]): Promise<Snapshot<ObservedEntitlement>> => {
  const pinned = ids.map((nativeId) => ({ nativeId, ...parseNativeId(nativeId) }))
  const groups = await nameGroups(
    aws,
    pinned.flatMap((one) => (one.kind === 'group' ? [one.groupId] : [])),
  )
  const named = await sideBySide(pinned, async (one) =>
    one.kind === 'group' ? (groups.get(one.groupId) ?? groupNotShown) : namePermissionSet(aws, one.permissionSetArn),
  )
  const items: ObservedEntitlement[] = []
  let cause: string | null = null
  for (const [at, { nativeId, ...one }] of pinned.entries()) {
    const told = named[at] ?? groupNotShown
    if (told.ok)
      items.push({
        nativeId,
        name: one.kind === 'group' ? `group/${told.value}` : `assignment/${one.accountId}/${told.value}`,
      })
    // What is not there has no name.
    else if (told !== groupNotShown && told !== permissionSetNotShown) cause = failureText(told.failure)
  }
  return cause === null ? { kind: 'complete', items } : { kind: 'partial', items, cause }
}
