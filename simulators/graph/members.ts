/** Membership: who may be put into a group and taken out, and what the service says when not. */
import type { Answer } from './answer.ts'
import { noContent } from './answer.ts'
import { type Context, type Decision, may, refuse } from './context.ts'
import { groupBy, membersOf, userBy } from './directory.ts'
import type { Change, StoredGroup } from './entry.ts'
import {
  alreadyMember,
  badRequest,
  denied,
  dynamicMembership,
  mailEnabled,
  notFound,
  syncedFromOnPremises,
} from './errors.ts'
import { has } from './ordered.ts'
import { permissions } from './permissions.ts'
import { violationOf } from './schema/schema.ts'
import { deletion } from './users.ts'

export const bindName = 'members@odata.bind'
/** group-post-members: «up to 20 members can be added in a single request». */
export const mostBound = 20

export const addMember = (context: Context): Decision => {
  const group = groupOf(context)
  if ('answer' in group) return group
  if (violationOf('reference', context.body) !== null)
    return refuse(badRequest("Invalid value specified for property '@odata.id'."))
  const changes = addition(context, group, referencesOf(context, [context.body['@odata.id']]))
  return 'status' in changes ? refuse(changes) : { answer: noContent, changes }
}

/** All of them or none: «if an error condition exists in the request body, no members are added». */
export const addition = (
  context: Context,
  group: StoredGroup,
  references: readonly string[] | Answer,
): readonly Change[] | Answer => {
  const closed = closedBy(context, group)
  if (closed !== undefined) return closed
  if ('status' in references) return references
  const { primary } = context.store
  const lagging = context.store.lagging()
  const now = membersOf(primary, group.id)
  const added = new Set<string>()
  for (const id of references) {
    const entry = primary.entries.get(id)
    // The text names the group of the path, whichever of the two is not there.
    if (entry === undefined || !lagging.entries.has(id)) return notFound(group.id)
    if (has(now, id) || added.has(id)) return alreadyMember()
    if (entry.kind === 'group' && !mayNest(group, entry))
      return badRequest('Invalid object type as member of this group.')
    added.add(id)
  }
  return [...added].map((member): Change => ({ kind: 'join', group: group.id, member }))
}

/** groups-allowed-member-types: a Microsoft 365 or role-assignable group takes no groups, and no group takes itself. */
const mayNest = (group: StoredGroup, member: StoredGroup): boolean =>
  group.id !== member.id &&
  !(group.properties.groupTypes ?? []).includes('Unified') &&
  !(member.properties.groupTypes ?? []).includes('Unified') &&
  group.properties.isAssignableToRole !== true

export const removeMember = (context: Context): Decision => {
  const group = groupOf(context)
  if ('answer' in group) return group
  const closed = closedBy(context, group)
  if (closed !== undefined) return refuse(closed)
  const member = (context.path.member ?? '').toLowerCase()
  // Absent from the copy that this request came to: it cannot remove what it does not see.
  const isThere =
    has(membersOf(context.store.primary, group.id), member) && has(membersOf(context.store.lagging(), group.id), member)
  if (!isThere) return refuse(notFound(group.id))
  return { answer: noContent, changes: [{ kind: 'leave', group: group.id, member }] }
}

/**
 * DELETE /groups/{id}/members/{id} without /$ref. group-delete-members: «If /$ref is not appended to the request and the
 * calling app has permissions to manage the member object, the object is also deleted from Microsoft Entra ID».
 */
export const deleteMemberObject = (context: Context): Decision => {
  const group = groupOf(context)
  if ('answer' in group) return group
  const key = context.path.member ?? ''
  const user = userBy(context.store.primary, key)
  if (user === undefined || !has(membersOf(context.store.primary, group.id), user.id)) return refuse(notFound(key))
  if (!may(context.caller, ...permissions.deleteUsers)) return refuse(denied())
  if (user.hidden.privileged === true && !context.caller.mayWriteAdministrators) return refuse(denied())
  return { answer: noContent, changes: deletion(context, user) }
}

const groupOf = (context: Context): StoredGroup | Decision => {
  const id = context.path.id ?? ''
  const group = groupBy(context.store.primary, id)
  return group === undefined || !context.store.lagging().entries.has(group.id) ? refuse(notFound(id)) : group
}

/** Why nobody may write the members of this group, if so. */
const closedBy = (context: Context, { properties }: StoredGroup): Answer | undefined => {
  if (properties.isAssignableToRole === true && !may(context.caller, ...permissions.writeRoleGroups)) return denied()
  if (properties.onPremisesSyncEnabled === true) return syncedFromOnPremises()
  const types = properties.groupTypes ?? []
  if (types.includes('DynamicMembership')) return dynamicMembership()
  if (properties.mailEnabled === true && !types.includes('Unified')) return mailEnabled()
  return undefined
}

/** Ids of `@odata.id` or `@odata.bind`; they must be addresses of this service. */
export const referencesOf = (context: Context, values: unknown): readonly string[] | Answer => {
  const ids: string[] = []
  for (const value of Array.isArray(values) ? values : [values]) {
    const id = typeof value === 'string' ? idIn(context.origin, value) : undefined
    if (id === undefined) return badRequest('Invalid URL format specified in @odata.id or @odata.bind.')
    ids.push(id.toLowerCase())
  }
  return ids
}

const idIn = (origin: string, text: string): string | undefined => {
  const url = URL.parse(text)
  if (url === null || url.origin !== origin) return undefined
  return /^\/v1\.0\/(?:directoryObjects|users|groups)(?:\/|\(')([0-9a-fA-F-]{36})(?:'\))?$/.exec(url.pathname)?.[1]
}
