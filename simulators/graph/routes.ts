/** Every address that is served: what it does, what it costs (throttling-limits), which permissions open it. */
import type { Answer } from './answer.ts'
import type { Context, Decision } from './context.ts'
import { getDeleted, listDeleted, purge, restore } from './deleted-items.ts'
import { deltaOf } from './delta.ts'
import { createGroup, deleteGroup, patchGroup } from './groups.ts'
import { addMember, deleteMemberObject, removeMember } from './members.ts'
import { permissions } from './permissions.ts'
import {
  checkMemberGroups,
  countGroups,
  countRelated,
  countUsers,
  getByIds,
  getGroup,
  getMemberGroups,
  getObject,
  getUser,
  listGroups,
  listOrganization,
  listRelated,
  listUsers,
} from './reads.ts'
import { createUser, deleteUser, patchUser, revokeSignInSessions } from './users.ts'

export type Route = {
  readonly operation: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Segments below /v1.0; `{name}` is bound. */
  readonly pattern: readonly string[]
  /** Base cost in resource units. */
  readonly units: number
  /** Counts against the write quota. */
  readonly isWrite: boolean
  readonly anyOf: readonly string[]
  readonly act: { readonly read: (context: Context) => Answer } | { readonly write: (context: Context) => Decision }
}

const route = (
  operation: string,
  address: string,
  anyOf: readonly string[],
  act: Route['act'],
  units = 1,
  isWrite = 'write' in act,
): Route => {
  const [method = '', path = ''] = address.split(' ')
  return {
    operation,
    method: method as Route['method'],
    pattern: path.split('/').slice(1),
    units,
    isWrite,
    anyOf,
    act,
  }
}

const p = permissions
const memberReaders = [...p.readGroups]

export const routes: readonly Route[] = [
  route('listUsers', 'GET /users', p.readUsers, { read: listUsers }, 2),
  route('createUser', 'POST /users', p.writeUsers, { write: createUser }),
  route('countUsers', 'GET /users/$count', p.readUsers, { read: countUsers }),
  route('usersDelta', 'GET /users/delta', p.readUsers, { read: deltaOf('user') }),
  route('usersDelta', 'GET /users/microsoft.graph.delta', p.readUsers, { read: deltaOf('user') }),
  route('getUser', 'GET /users/{id}', p.readUsers, { read: getUser }),
  route('patchUser', 'PATCH /users/{id}', [...p.writeUsers, ...p.enableUsers, ...p.writeLeaveDate], {
    write: patchUser,
  }),
  route('deleteUser', 'DELETE /users/{id}', p.deleteUsers, { write: deleteUser }),
  route('revokeSignInSessions', 'POST /users/{id}/revokeSignInSessions', p.revokeSessions, {
    write: revokeSignInSessions,
  }),
  route(
    'memberOf',
    'GET /users/{id}/memberOf',
    [...p.readUsers, ...p.readGroups],
    { read: listRelated('memberOf') },
    2,
  ),
  route(
    'memberOf',
    'GET /users/{id}/memberOf/{cast}',
    [...p.readUsers, ...p.readGroups],
    { read: listRelated('memberOf') },
    2,
  ),
  route(
    'transitiveMemberOf',
    'GET /users/{id}/transitiveMemberOf',
    [...p.readUsers, ...p.readGroups],
    { read: listRelated('transitiveMemberOf') },
    2,
  ),
  route(
    'transitiveMemberOf',
    'GET /users/{id}/transitiveMemberOf/{cast}',
    [...p.readUsers, ...p.readGroups],
    { read: listRelated('transitiveMemberOf') },
    2,
  ),
  route(
    'checkMemberGroups',
    'POST /users/{id}/checkMemberGroups',
    [...p.readUsers, ...p.readGroups],
    { read: checkMemberGroups },
    4,
  ),
  route(
    'getMemberGroups',
    'POST /users/{id}/getMemberGroups',
    [...p.readUsers, ...p.readGroups],
    { read: getMemberGroups },
    2,
  ),

  route('listGroups', 'GET /groups', p.readGroups, { read: listGroups }),
  route('createGroup', 'POST /groups', p.createGroups, { write: createGroup }),
  route('countGroups', 'GET /groups/$count', p.readGroups, { read: countGroups }),
  route('groupsDelta', 'GET /groups/delta', p.readGroups, { read: deltaOf('group') }),
  route('groupsDelta', 'GET /groups/microsoft.graph.delta', p.readGroups, { read: deltaOf('group') }),
  route('getGroup', 'GET /groups/{id}', p.readGroups, { read: getGroup }),
  route('patchGroup', 'PATCH /groups/{id}', [...p.writeGroups, ...p.writeMembers], { write: patchGroup }),
  route('deleteGroup', 'DELETE /groups/{id}', p.writeGroups, { write: deleteGroup }),
  route('listMembers', 'GET /groups/{id}/members', memberReaders, { read: listRelated('members') }, 3),
  route('countMembers', 'GET /groups/{id}/members/$count', memberReaders, { read: countRelated('members') }, 3),
  route('listMembers', 'GET /groups/{id}/members/{cast}', memberReaders, { read: listRelated('members') }, 3),
  route('countMembers', 'GET /groups/{id}/members/{cast}/$count', memberReaders, { read: countRelated('members') }, 3),
  route(
    'transitiveMembers',
    'GET /groups/{id}/transitiveMembers',
    memberReaders,
    { read: listRelated('transitiveMembers') },
    5,
  ),
  route(
    'transitiveMembers',
    'GET /groups/{id}/transitiveMembers/{cast}',
    memberReaders,
    { read: listRelated('transitiveMembers') },
    5,
  ),
  route('groupMemberOf', 'GET /groups/{id}/memberOf', memberReaders, { read: listRelated('memberOf') }),
  route('groupTransitiveMemberOf', 'GET /groups/{id}/transitiveMemberOf', memberReaders, {
    read: listRelated('transitiveMemberOf'),
  }),
  route('addMember', 'POST /groups/{id}/members/$ref', p.writeMembers, { write: addMember }),
  route('removeMember', 'DELETE /groups/{id}/members/{member}/$ref', p.writeMembers, { write: removeMember }),
  route('deleteMemberObject', 'DELETE /groups/{id}/members/{member}', p.writeMembers, { write: deleteMemberObject }),

  route('getObject', 'GET /directoryObjects/{id}', p.readObjects, { read: getObject }),
  route('getByIds', 'POST /directoryObjects/getByIds', p.readObjects, { read: getByIds }, 3),
  route('checkMemberGroups', 'POST /directoryObjects/{id}/checkMemberGroups', p.readObjects, {
    read: checkMemberGroups,
  }),
  route('getMemberGroups', 'POST /directoryObjects/{id}/getMemberGroups', p.readObjects, { read: getMemberGroups }),

  route('listDeleted', 'GET /directory/deletedItems/microsoft.graph.user', p.readDeleted, { read: listDeleted }),
  route('listDeleted', 'GET /directory/deletedItems/microsoft.graph.group', p.readDeleted, { read: listDeleted }),
  route('getDeleted', 'GET /directory/deletedItems/{id}', p.readDeleted, { read: getDeleted }),
  route('restore', 'POST /directory/deletedItems/{id}/restore', [...p.deleteUsers, ...p.writeGroups], {
    write: restore,
  }),
  route('purge', 'DELETE /directory/deletedItems/{id}', [...p.deleteUsers, ...p.writeGroups], { write: purge }),

  route('listOrganization', 'GET /organization', p.readOrganization, { read: listOrganization }),
]

export type Match =
  | { readonly kind: 'found'; readonly route: Route; readonly path: Readonly<Record<string, string>> }
  | { readonly kind: 'other-method' }
  | { readonly kind: 'none' }

/** Literal segments are matched without case; the first route that fits wins, so literals stand before `{…}`. */
export const matchRoute = (method: string, segments: readonly string[]): Match => {
  let isKnown = false
  for (const candidate of routes) {
    const path = bind(candidate.pattern, segments)
    if (path === undefined) continue
    if (candidate.method === method) return { kind: 'found', route: candidate, path }
    isKnown = true
  }
  return isKnown ? { kind: 'other-method' } : { kind: 'none' }
}

const bind = (pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined => {
  if (pattern.length !== segments.length) return undefined
  const path: Record<string, string> = {}
  for (let index = 0; index < pattern.length; index++) {
    const [wanted = '', segment = ''] = [pattern[index], segments[index]]
    if (!wanted.startsWith('{')) {
      if (wanted.toLowerCase() !== segment.toLowerCase()) return undefined
      if (wanted.startsWith('microsoft.graph.')) path.type = wanted
    } else if (segment === '' || segment.startsWith('$')) return undefined
    else path[wanted.slice(1, -1)] = segment
  }
  return path
}
