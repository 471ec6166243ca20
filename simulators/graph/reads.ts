/** What can be asked: single objects, lists, memberships up and down. */
import type { Answer } from './answer.ts'
import { type Context, may } from './context.ts'
import { groupBy, groupsOf, membersOf, transitiveGroupsOf, transitiveMembersOf, userBy } from './directory.ts'
import type { Entry, Kind } from './entry.ts'
import { badRequest, malformed, notFound, unsupportedQuery } from './errors.ts'
import { refusalOf } from './filter-rules.ts'
import { append, type Ordered, ordered } from './ordered.ts'
import { countOf, type Listing, pageOf } from './page.ts'
import { permissions } from './permissions.ts'
import { metadataOf, odataTypeOf, project, selected, selectionRefusal } from './projection.ts'
import { spellingOf, violationOf } from './schema/schema.ts'

const defaultPage = 100

const one = (context: Context, entry: Entry | undefined, collection: string): Answer => {
  if (entry === undefined) return notFound(context.path.id ?? '')
  const { select } = context.query
  const misselected = selectionRefusal(select, collection === 'directoryObjects' ? null : entry.kind, spellingOf)
  if (misselected !== undefined) return misselected
  return {
    status: 200,
    body: {
      '@odata.context': metadataOf(context.origin, `${collection}${selected(select, entry.kind, spellingOf)}/$entity`),
      ...(collection === 'directoryObjects' ? { '@odata.type': odataTypeOf(entry.kind) } : {}),
      ...project(entry, select, spellingOf),
    },
  }
}

export const getUser = (context: Context): Answer => one(context, userBy(context.read, context.path.id ?? ''), 'users')
export const getGroup = (context: Context): Answer =>
  one(context, groupBy(context.read, context.path.id ?? ''), 'groups')
export const getObject = (context: Context): Answer => one(context, objectOf(context), 'directoryObjects')

const objectOf = (context: Context): Entry | undefined =>
  context.read.entries.get((context.path.id ?? '').toLowerCase())

const listingOf = (context: Context, rows: Ordered, kind: Kind | null): Listing => ({
  rows,
  kind,
  entryOf: (id) => context.read.entries.get(id),
  collection: kind === null ? 'directoryObjects' : `${kind}s`,
  defaultPage,
})

export const listUsers = (context: Context): Answer =>
  pageOf(context, listingOf(context, context.read.lists.user, 'user'))
export const listGroups = (context: Context): Answer =>
  pageOf(context, listingOf(context, context.read.lists.group, 'group'))
export const countUsers = (context: Context): Answer =>
  count(context, listingOf(context, context.read.lists.user, 'user'))
export const countGroups = (context: Context): Answer =>
  count(context, listingOf(context, context.read.lists.group, 'group'))

/** Whether this group keeps its members to itself, as far as this application goes. */
const isKept = ({ read, caller }: Context, id: string): boolean =>
  groupBy(read, id)?.properties.visibility === 'HiddenMembership' && !may(caller, ...permissions.readHidden)

const shownTo = (context: Context, groups: Ordered): Ordered => {
  if (![...groups.at.keys()].some((id) => isKept(context, id))) return groups
  const shown = ordered()
  for (const [id, serial] of groups.at) if (!isKept(context, id)) append(shown, id, serial)
  return shown
}

/** The rows of a relationship, of the object in the path; undefined: that object is not there. */
const relationships = {
  members: (context: Context) => {
    const group = groupBy(context.read, context.path.id ?? '')
    if (group === undefined || isKept(context, group.id)) return group && ordered()
    return membersOf(context.read, group.id)
  },
  transitiveMembers: (context: Context) => {
    const group = groupBy(context.read, context.path.id ?? '')
    if (group === undefined || isKept(context, group.id)) return group && ordered()
    return numbered(transitiveMembersOf(context.read, group.id))
  },
  memberOf: (context: Context) => {
    const entry = userBy(context.read, context.path.id ?? '') ?? objectOf(context)
    return entry === undefined ? undefined : shownTo(context, groupsOf(context.read, entry.id))
  },
  transitiveMemberOf: (context: Context) => {
    const entry = userBy(context.read, context.path.id ?? '') ?? objectOf(context)
    return entry === undefined ? undefined : shownTo(context, numbered(transitiveGroupsOf(context.read, entry.id)))
  },
} as const
export type Relationship = keyof typeof relationships

const numbered = (ids: readonly string[]): Ordered => {
  const list = ordered()
  ids.forEach((id, index) => {
    append(list, id, index + 1)
  })
  return list
}

const casts: Readonly<Record<string, Kind>> = { 'microsoft.graph.user': 'user', 'microsoft.graph.group': 'group' }
const castOf = ({ path }: Context): Kind | null =>
  path.cast === undefined ? null : (casts[path.cast.toLowerCase()] ?? null)

export const listRelated =
  (relationship: Relationship) =>
  (context: Context): Answer => {
    const rows = relationships[relationship](context)
    if (rows === undefined) return notFound(context.path.id ?? '')
    if (context.path.cast !== undefined && castOf(context) === null)
      return malformed(`Resource not found for the segment '${context.path.cast}'.`)
    return pageOf(context, listingOf(context, rows, castOf(context)))
  }

export const countRelated =
  (relationship: Relationship) =>
  (context: Context): Answer => {
    const rows = relationships[relationship](context)
    return rows === undefined
      ? notFound(context.path.id ?? '')
      : count(context, listingOf(context, rows, castOf(context)))
  }

/** group-list-members and user-list: «$count is only supported with ConsistencyLevel: eventual». */
const count = (context: Context, listing: Listing): Answer => {
  if (!context.isAdvanced) return badRequest('$count is not currently supported.')
  const { filter } = context.query
  const refusal = filter === null ? undefined : refusalOf(filter, listing.kind ?? 'group', true)
  return refusal === undefined ? { status: 200, text: String(countOf(context, listing)) } : unsupportedQuery(refusal)
}

/** directoryobject-checkmembergroups: «up to 20 groups», transitively. */
const mostChecked = 20
/** directoryobject-getbyids: «up to 1000 IDs»; what is not there is left out. */
const mostIds = 1_000

const strings = (context: Context, value: readonly string[]): Answer => ({
  status: 200,
  body: { '@odata.context': metadataOf(context.origin, 'Collection(Edm.String)'), value },
})

const idsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map((id) => String(id).toLowerCase()) : []

export const checkMemberGroups = (context: Context): Answer => {
  const entry = userBy(context.read, context.path.id ?? '') ?? objectOf(context)
  if (entry === undefined) return notFound(context.path.id ?? '')
  const asked = idsOf(context.body.groupIds)
  if (violationOf('directoryObject.checkMemberGroups', context.body) !== null || asked.length === 0)
    return badRequest("Invalid value specified for property 'groupIds'.")
  if (asked.length > mostChecked)
    return badRequest(`The number of values in 'groupIds' is more than the allowed ${mostChecked}.`)
  const groups = new Set(transitiveGroupsOf(context.read, entry.id))
  return strings(
    context,
    asked.filter((id) => groups.has(id)),
  )
}

export const getMemberGroups = (context: Context): Answer => {
  const entry = userBy(context.read, context.path.id ?? '') ?? objectOf(context)
  if (entry === undefined) return notFound(context.path.id ?? '')
  if (violationOf('directoryObject.getMemberGroups', context.body) !== null)
    return badRequest("Invalid value specified for property 'securityEnabledOnly'.")
  const groups = transitiveGroupsOf(context.read, entry.id)
  const isWanted = (id: string) => {
    const group = groupBy(context.read, id)
    return (
      group !== undefined && (context.body.securityEnabledOnly !== true || group.properties.securityEnabled === true)
    )
  }
  return strings(context, groups.filter(isWanted))
}

export const getByIds = (context: Context): Answer => {
  const { ids, types } = context.body
  if (violationOf('directoryObject.getByIds', context.body) !== null || !Array.isArray(ids))
    return badRequest("Invalid value specified for property 'ids'.")
  if (ids.length > mostIds) return badRequest(`The number of values in 'ids' is more than the allowed ${mostIds}.`)
  const wanted =
    Array.isArray(types) && types.length > 0 ? new Set(types.map((type) => String(type).toLowerCase())) : null
  const entries = [...new Set(idsOf(ids))].flatMap((id) => {
    const entry = context.read.entries.get(id)
    return entry === undefined || (wanted !== null && !wanted.has(entry.kind) && !wanted.has('directoryobject'))
      ? []
      : [entry]
  })
  return {
    status: 200,
    body: {
      '@odata.context': metadataOf(context.origin, 'directoryObjects'),
      value: entries.map((entry) => ({
        '@odata.type': odataTypeOf(entry.kind),
        ...project(entry, context.query.select, spellingOf),
      })),
    },
  }
}

export const listOrganization = (context: Context): Answer => ({
  status: 200,
  body: {
    '@odata.context': metadataOf(context.origin, 'organization'),
    value: [
      {
        id: context.tenant.id,
        displayName: context.tenant.displayName,
        verifiedDomains: context.tenant.domains.map(({ name }, index) => ({ name, isDefault: index === 0 })),
      },
    ],
  },
})
