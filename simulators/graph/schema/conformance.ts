/** Holds requests and answers to the schema of Microsoft's metadata: which type each operation takes and gives. */
import type { Exchange } from '../service.ts'
import { violationOf } from './schema.ts'

type Shape = {
  readonly request?: string
  /** By the path's cast, where there is one. */
  readonly response?: string
}

const shapes: Readonly<Record<string, Shape>> = {
  listUsers: { response: 'users' },
  createUser: { request: 'user', response: 'user' },
  usersDelta: { response: 'users' },
  getUser: { response: 'user' },
  patchUser: { request: 'user' },
  deleteUser: {},
  revokeSignInSessions: { response: 'boolean' },
  memberOf: { response: 'directoryObjects' },
  transitiveMemberOf: { response: 'directoryObjects' },
  checkMemberGroups: { request: 'directoryObject.checkMemberGroups', response: 'strings' },
  getMemberGroups: { request: 'directoryObject.getMemberGroups', response: 'strings' },
  listGroups: { response: 'groups' },
  createGroup: { request: 'group', response: 'group' },
  groupsDelta: { response: 'groups' },
  getGroup: { response: 'group' },
  patchGroup: { request: 'group' },
  deleteGroup: {},
  listMembers: { response: 'directoryObjects' },
  transitiveMembers: { response: 'directoryObjects' },
  groupTransitiveMemberOf: { response: 'directoryObjects' },
  groupMemberOf: { response: 'directoryObjects' },
  addMember: { request: 'reference' },
  removeMember: {},
  deleteMemberObject: {},
  getObject: { response: 'object' },
  getByIds: { request: 'directoryObject.getByIds', response: 'directoryObjects' },
  listDeleted: { response: 'directoryObjects' },
  getDeleted: { response: 'object' },
  restore: { request: 'directoryObject.restore', response: 'object' },
  purge: {},
  batch: { request: 'batch', response: 'batchResponse' },
}
/** Answered as text, or of a type outside the cut metadata. */
const shapeless = new Set(['countUsers', 'countGroups', 'countMembers', 'listOrganization', 'unknown'])

/** What is not as Microsoft's metadata has it; empty: all is well. Texts name properties, never values. */
export const violationsOf = (exchange: Exchange): readonly string[] => {
  const { operation, address, status } = exchange
  const what = nameOf(exchange)
  const shape = shapes[operation]
  if (shape === undefined && !shapeless.has(operation)) return [`${what}: no shape is known`]
  const found: string[] = []
  const say = (side: string, violation: { readonly text: string } | null) => {
    if (violation !== null) found.push(`${what}: ${side}${violation.text}`)
  }
  // What was refused may have been wrong: that is what it was refused for.
  if (status < 400) found.push(...requestViolations(exchange))
  if (status === 204) {
    if (exchange.response !== '') found.push(`${what}: 204 with a body`)
    return found
  }
  if (!exchange.contentType.startsWith('application/json')) return found
  const body: unknown = JSON.parse(exchange.response)
  if (status >= 400) say('error', violationOf('error', body))
  else if (shape?.response !== undefined) say('response', violationOf(castIn(address) ?? shape.response, body))
  else if (shape !== undefined) found.push(`${what}: a body where none is documented`)
  return found
}

/** Of what was asked alone, whatever was answered: for a client that must never ask what Microsoft's metadata does not have. */
export const requestViolations = (exchange: Exchange): readonly string[] => {
  const { operation, request } = exchange
  if (operation === 'unknown') return [`${nameOf(exchange)}: nothing that is served here`]
  const definition = shapes[operation]?.request
  if (definition === undefined || request === '') return []
  const violation = violationOf(definition, JSON.parse(request))
  return violation === null ? [] : [`${nameOf(exchange)}: request${violation.text}`]
}

const nameOf = ({ method, operation, status }: Exchange): string => `${method} ${operation} ${status}`

const castIn = (address: string): string | undefined =>
  ({ user: 'users', group: 'groups' })[/\/microsoft\.graph\.(user|group)(?:\?|$)/.exec(address)?.[1] ?? '']
