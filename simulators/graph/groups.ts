/** What may become of groups. */
import type { Group } from '@microsoft/microsoft-graph-types'
import { noContent } from './answer.ts'
import { instantOf } from './clock.ts'
import { type Context, type Decision, may, refuse } from './context.ts'
import { groupBy, groupsOf, lookUp, membersOf } from './directory.ts'
import type { Change, StoredGroup } from './entry.ts'
import { badRequest, denied, notFound, syncedFromOnPremises, taken } from './errors.ts'
import { addition, bindName, mostBound, referencesOf } from './members.ts'
import { permissions } from './permissions.ts'
import { entityBody, metadataOf, project } from './projection.ts'
import { spellingOf, violationOf } from './schema/schema.ts'

/** group-post-groups: required. */
const required = ['displayName', 'mailEnabled', 'mailNickname', 'securityEnabled'] as const
const readOnly = new Set([
  'id',
  'createdDateTime',
  'deletedDateTime',
  'mail',
  'onPremisesDomainName',
  'onPremisesLastSyncDateTime',
  'onPremisesNetBiosName',
  'onPremisesSamAccountName',
  'onPremisesSecurityIdentifier',
  'onPremisesSyncEnabled',
  'proxyAddresses',
  'renewedDateTime',
  'securityIdentifier',
])

export const isUnified = ({ properties }: StoredGroup): boolean => (properties.groupTypes ?? []).includes('Unified')

export const createGroup = (context: Context): Decision => {
  const body: Group = context.body
  const wrong = wrongGroup(context)
  if (wrong !== undefined) return refuse(wrong)
  const missing = required.find((name) => body[name] === undefined || body[name] === null || body[name] === '')
  if (missing !== undefined)
    return refuse(badRequest(`A value is required for property '${missing}' of resource 'Group'.`))
  const types = body.groupTypes ?? []
  const isDynamic = types.includes('DynamicMembership')
  const mayNot = impossible(context, body, types)
  if (mayNot !== undefined) return refuse(mayNot)
  const id = context.newId()
  const { [bindName]: bound, ...kept } = context.body
  const entry: StoredGroup = {
    kind: 'group',
    id,
    hidden: {},
    serial: 0,
    properties: {
      ...kept,
      id,
      groupTypes: types,
      createdDateTime: instantOf(context.epochMs),
      renewedDateTime: instantOf(context.epochMs),
      ...(types.includes('Unified') ? { mail: `${body.mailNickname}@${context.tenant.domains[0]?.name ?? ''}` } : {}),
      ...(isDynamic ? { membershipRuleProcessingState: body.membershipRuleProcessingState ?? 'On' } : {}),
    },
  }
  const members = bound === undefined ? [] : addition(context, entry, referencesOf(context, bound))
  if ('status' in members) return refuse(members)
  return {
    answer: {
      status: 201,
      body: entityBody(metadataOf(context.origin, 'groups/$entity'), project(entry, null, spellingOf)),
    },
    changes: [{ kind: 'put', entry, touched: Object.keys(entry.properties), isNew: true }, ...members],
  }
}

const impossible = (context: Context, body: Group, types: readonly string[]) => {
  const isDynamic = types.includes('DynamicMembership')
  if (types.some((type) => type !== 'Unified' && type !== 'DynamicMembership'))
    return badRequest("Invalid value specified for property 'groupTypes' of resource 'Group'.")
  // group resource page: mail-enabled security and distribution groups cannot be created through Graph.
  if (body.mailEnabled === true && !types.includes('Unified'))
    return badRequest(
      'The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.',
    )
  if (isDynamic !== (typeof body.membershipRule === 'string' && body.membershipRule !== ''))
    return badRequest("Invalid value specified for property 'membershipRule' of resource 'Group'.")
  if (body.isAssignableToRole === true) {
    if (!may(context.caller, ...permissions.writeRoleGroups)) return denied()
    // «The group can't be a dynamic group», and must be security-enabled.
    if (isDynamic || body.securityEnabled !== true)
      return badRequest("Invalid value specified for property 'isAssignableToRole' of resource 'Group'.")
  }
  const isNickTaken = [...lookUp(context.store.primary, 'mailNickname', body.mailNickname ?? '')].some((id) => {
    const other = groupBy(context.store.primary, id)
    return other !== undefined && isUnified(other)
  })
  return types.includes('Unified') && isNickTaken ? taken('mailNickname') : undefined
}

export const patchGroup = (context: Context): Decision => {
  const group = writable(context)
  if ('answer' in group) return group
  const { [bindName]: bound, ...kept } = context.body
  const names = Object.keys(kept)
  if (names.length > 0 && !may(context.caller, ...permissions.writeGroups)) return refuse(denied())
  if (Array.isArray(bound) && bound.length > mostBound)
    return refuse(badRequest(`The number of references in '${bindName}' is more than the allowed ${mostBound}.`))
  const wrong = wrongGroup(context)
  if (wrong !== undefined) return refuse(wrong)
  if (group.properties.onPremisesSyncEnabled === true) return refuse(syncedFromOnPremises())
  // group resource page: «this property can only be set while creating the group and is immutable».
  if ('isAssignableToRole' in kept)
    return refuse(badRequest("Property 'isAssignableToRole' is read-only and cannot be set."))
  const members = bound === undefined ? [] : addition(context, group, referencesOf(context, bound))
  if ('status' in members) return refuse(members)
  const properties = { ...group.properties, ...kept, id: group.id }
  const put: Change = { kind: 'put', entry: { ...group, properties }, touched: names, isNew: false }
  return { answer: noContent, changes: names.length === 0 ? members : [put, ...members] }
}

/** directory-deleteditems: only Microsoft 365 groups can come back; a security group is gone at once. */
export const deleteGroup = (context: Context): Decision => {
  const group = writable(context)
  if ('answer' in group) return group
  if (group.properties.onPremisesSyncEnabled === true) return refuse(syncedFromOnPremises())
  const { primary } = context.store
  const members = [...membersOf(primary, group.id).at.keys()]
  const memberOf = [...groupsOf(primary, group.id).at.keys()]
  const kept = isUnified(group)
    ? { entry: group, deletedDateTime: instantOf(context.epochMs), memberOf, members }
    : null
  return {
    answer: noContent,
    changes: [
      ...memberOf.map((above): Change => ({ kind: 'leave', group: above, member: group.id, memberDeleted: true })),
      ...members.map((member): Change => ({ kind: 'leave', group: group.id, member })),
      { kind: 'delete', id: group.id, type: 'group', kept },
    ],
  }
}

const writable = (context: Context): StoredGroup | Decision => {
  const id = context.path.id ?? ''
  const group = groupBy(context.store.primary, id)
  if (group === undefined || !context.store.lagging().entries.has(group.id)) return refuse(notFound(id))
  if (group.properties.isAssignableToRole === true && !may(context.caller, ...permissions.writeRoleGroups))
    return refuse(denied())
  return group
}

const wrongGroup = ({ body }: Context) => {
  const violation = violationOf('group', body)
  if (violation !== null)
    return badRequest(`Invalid value specified for property '${violation.at}' of resource 'Group'.`)
  const name = Object.keys(body).find(
    (property) => readOnly.has(property) || (property.includes('@') && property !== bindName),
  )
  return name === undefined ? undefined : badRequest(`Property '${name}' is read-only and cannot be set.`)
}
