/**
 * Every URL that the connector sends is made here, from encoded parts: the Graph client encodes nothing that it is given.
 * `units`: what the request costs in resource units (Graph throttling limits, identity and access service).
 */
export type Resource = { readonly path: string; readonly units: number }

const part = encodeURIComponent
/** A string literal of OData: a quote is doubled. */
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

type Query = { readonly select?: readonly string[]; readonly filter?: string; readonly top?: number }

const withQuery = (
  path: string,
  { select, filter, top }: Query,
  extra: readonly (readonly [string, string])[] = [],
) => {
  const terms: (readonly [string, string])[] = [...extra]
  if (select !== undefined) terms.push(['$select', select.join(',')])
  if (filter !== undefined) terms.push(['$filter', filter])
  if (top !== undefined) terms.push(['$top', String(top)])
  return terms.length === 0 ? path : `${path}?${terms.map(([name, value]) => `${name}=${part(value)}`).join('&')}`
}

/** $select −1, at least 1. */
const selected = (units: number): number => Math.max(1, units - 1)

export const pageSize = 999
/** Graph takes at most 15 values in one `in`. */
export const valuesPerFilter = 15

export const user = (id: string, select: readonly string[]): Resource => ({
  path: withQuery(`/users/${part(id)}`, { select }),
  units: 1,
})

export const usersWhere = (property: string, values: readonly string[], select: readonly string[]): Resource => ({
  path: withQuery('/users', {
    select,
    filter: `${property.replaceAll('.', '/')} in (${values.map(literal).join(',')})`,
    top: pageSize,
  }),
  units: selected(2),
})

export const allUsers = (select: readonly string[]): Resource => ({
  path: withQuery('/users', { select, top: pageSize }),
  units: selected(2),
})

export const users: Resource = { path: '/users', units: 1 }
export const oneUser = (id: string): Resource => ({ path: `/users/${part(id)}`, units: 1 })
export const sessionsOf = (id: string): Resource => ({ path: `/users/${part(id)}/revokeSignInSessions`, units: 1 })

/** Of a group: what tells whether a rule or another directory says who is in it. */
const keeping = ['groupTypes', 'onPremisesSyncEnabled']

export const memberOf = (id: string): Resource => ({
  path: withQuery(`/users/${part(id)}/memberOf`, { select: ['id', 'displayName', ...keeping], top: pageSize }),
  units: 1,
})

export const groupsAbove = (id: string): Resource => ({
  path: withQuery(`/groups/${part(id)}/transitiveMemberOf`, { select: ['id', 'displayName'], top: pageSize }),
  units: 1,
})

export const group = (id: string, select: readonly string[]): Resource => ({
  path: withQuery(`/groups/${part(id)}`, { select }),
  units: 1,
})
export const groupsNamed = (displayName: string, select: readonly string[]): Resource => ({
  path: withQuery('/groups', { select, filter: `displayName eq ${literal(displayName)}`, top: pageSize }),
  units: 1,
})
export const membersOf = (id: string): Resource => ({
  path: withQuery(`/groups/${part(id)}/members`, { select: ['id'], top: pageSize }),
  units: selected(3),
})

/** PATCH here with `members@odata.bind` adds up to 20 members, all of them or none. */
export const oneGroup = (id: string): Resource => ({ path: `/groups/${part(id)}`, units: 1 })
/** POST here with an `@odata.id` adds one member. */
export const newMember = (groupId: string): Resource => ({ path: `/groups/${part(groupId)}/members/$ref`, units: 1 })

/**
 * DELETE here takes a member out of a group. Without `/$ref` the same request deletes the PERSON, wherever the app may write
 * users (group-delete-members, CAUTION): no other function may build this path.
 */
export const membership = (groupId: string, memberId: string): Resource => ({
  path: `/groups/${part(groupId)}/members/${part(memberId)}/$ref`,
  units: 1,
})

/** Value of `@odata.id`: the host follows the cloud. */
export const directoryObject = (graph: string, id: string): string => `${graph}/v1.0/directoryObjects/${part(id)}`

export const groupChanges: Resource = {
  path: withQuery('/groups/delta', { select: ['members'] }, [['$deltatoken', 'latest']]),
  units: 1,
}
export const userChanges = (select: readonly string[]): Resource => ({
  path: withQuery('/users/delta', { select }, [['$deltatoken', 'latest']]),
  units: 1,
})

export const batch: Resource = { path: '/$batch', units: 0 }
/** One user and one group, to see whether they can be read at all. */
export const anyUser: Resource = { path: withQuery('/users', { select: ['id'], top: 1 }), units: 1 }
export const anyGroup: Resource = { path: withQuery('/groups', { select: ['id'], top: 1 }), units: 1 }
