import { type Failure, ok, type Result } from '../aws-wire/errors.ts'
import type { EntitlementRef } from '../connector.ts'
import type { Aws } from './aws.ts'
import type { GroupShown } from './before.ts'
import {
  assignmentNativeId,
  type GroupBy,
  groupNativeId,
  type Named,
  parseLookup,
  parseNativeId,
} from './entitlement.ts'
import { describeGroup, findGroup, groupBefore } from './groups.ts'
import { type Ownership, ownerOf } from './ownership.ts'
import { describeOnce, listPermissionSets } from './permission-sets.ts'

export type GroupTarget = {
  readonly kind: 'group'
  readonly groupId: string
  readonly ownership: Ownership
  /** What the identity provider calls the group that feeds it; empty: not told. */
  readonly fedBy: readonly string[]
  /** The catalogue's name is not (or no longer) this group's: what is there may be taken away, nothing is given. */
  readonly strayed: null | 'missing' | 'changed'
}
export type AssignmentTarget = {
  readonly kind: 'assignment'
  readonly accountId: string
  readonly permissionSetArn: string
}
export type Identity =
  | GroupTarget
  | AssignmentTarget
  | { readonly kind: 'missing' | 'changed' | 'bad-lookup' | 'assignments-off' }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** Permission sets by name, read when first asked and then kept for one call of the connector. */
export type ListedSets = () => ReturnType<typeof listPermissionSets>
export const listOnce = (aws: Aws): ListedSets => {
  let listed: ReturnType<typeof listPermissionSets> | undefined
  return () => (listed ??= listPermissionSets(aws))
}

/** What an entitlement is on AWS now, and whether that is what was pinned. */
export const identify = async (
  aws: Aws,
  ref: Pick<EntitlementRef, 'lookup' | 'nativeId'>,
  sets: ListedSets,
): Promise<Identity> => {
  const named = parseLookup(ref.lookup)
  if (named === null) return { kind: 'bad-lookup' }
  if (named.kind === 'assignment' && aws.settings.assignments === 'none') return { kind: 'assignments-off' }
  const found = named.kind === 'group' ? await group(aws, named, ref) : await assignment(aws, named, ref, sets)
  return found.ok ? found.value : { kind: 'failed', failure: found.failure }
}

const group = async (
  aws: Aws,
  { by }: Extract<Named, { kind: 'group' }>,
  { nativeId }: Pick<EntitlementRef, 'nativeId'>,
): Promise<Result<Identity>> => {
  const pinned = nativeId === null ? null : parseNativeId(nativeId)
  if (pinned !== null && pinned.kind !== 'group') return ok({ kind: 'changed' })
  const known = pinned === null ? ok(null) : await groupBefore(aws, pinned.groupId)
  if (!known.ok) return known
  if (known.value !== null && isCalled(known.value, by)) return ok(target(aws, known.value, null))
  const holder = await findGroup(aws, by)
  if (!holder.ok) return holder
  if (known.value !== null) {
    // AWS may find a name in another case than it shows it.
    const strayed = holder.value === known.value.id ? null : holder.value === null ? 'missing' : 'changed'
    return ok(target(aws, known.value, strayed))
  }
  if (holder.value === null) return ok({ kind: 'missing' })
  if (pinned !== null) return ok({ kind: 'changed' })
  const fresh = await describeGroup(aws, holder.value)
  if (!fresh.ok) return fresh
  return ok(fresh.value === null ? { kind: 'missing' } : target(aws, fresh.value, null))
}

const isCalled = ({ name, externalIds }: GroupShown, by: GroupBy): boolean =>
  'name' in by ? name === by.name : externalIds.some(({ issuer, id }) => issuer === by.issuer && id === by.id)

const target = ({ settings }: Aws, shown: GroupShown, strayed: GroupTarget['strayed']): GroupTarget => ({
  kind: 'group',
  groupId: shown.id,
  ownership: ownerOf(settings, { name: shown.name, fromScim: shown.externalIds.length > 0 }),
  fedBy: shown.externalIds.map(({ id }) => id),
  strayed,
})

const assignment = async (
  aws: Aws,
  { accountId, permissionSet }: Extract<Named, { kind: 'assignment' }>,
  { nativeId }: Pick<EntitlementRef, 'nativeId'>,
  sets: ListedSets,
): Promise<Result<Identity>> => {
  const pinned = nativeId === null ? null : parseNativeId(nativeId)
  if (pinned !== null) {
    if (pinned.kind !== 'assignment' || pinned.accountId !== accountId) return ok({ kind: 'changed' })
    // Whether it is still there is what every read and change of it says by itself.
    const known = aws.permissionSetNames.get(pinned.permissionSetArn)
    const name = known === undefined ? await describeOnce(aws, pinned.permissionSetArn) : ok(known)
    if (!name.ok) return name
    if (name.value !== null)
      return ok(
        name.value === permissionSet
          ? { kind: 'assignment', accountId, permissionSetArn: pinned.permissionSetArn }
          : { kind: 'changed' },
      )
  }
  const all = await sets()
  if (!all.ok) return all
  const permissionSetArn = all.value.get(permissionSet)
  if (permissionSetArn === undefined) return ok({ kind: 'missing' })
  return ok(pinned === null ? { kind: 'assignment', accountId, permissionSetArn } : { kind: 'changed' })
}

export const nativeIdOf = (found: GroupTarget | AssignmentTarget) =>
  found.kind === 'group' ? groupNativeId(found.groupId) : assignmentNativeId(found.accountId, found.permissionSetArn)

/** Whose push says who is in it, if anybody's but ours. */
export const keeperOf = (found: GroupTarget | AssignmentTarget): { readonly keptBy?: string } =>
  found.kind === 'group' && found.ownership.owner === 'scim-idp' ? { keptBy: found.ownership.word } : {}
