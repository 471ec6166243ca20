/** What may become of users. Decisions only: `store.commit` makes them so. */
import type { User } from '@microsoft/microsoft-graph-types'
import { noContent } from './answer.ts'
import { instantOf } from './clock.ts'
import { type Context, type Decision, may, refuse } from './context.ts'
import { groupsOf, lookUp, userBy } from './directory.ts'
import type { Change, StoredUser } from './entry.ts'
import { badRequest, denied, notFound, syncedFromOnPremises, taken } from './errors.ts'
import { permissions } from './permissions.ts'
import { entityBody, metadataOf, project } from './projection.ts'
import { spellingOf, violationOf } from './schema/schema.ts'

/** user-post-users: «at a minimum, you must specify the required properties for the user». */
const required = ['accountEnabled', 'displayName', 'mailNickname', 'userPrincipalName'] as const
/** «Read-only» on the user resource page. */
const readOnly = new Set([
  'id',
  'createdDateTime',
  'deletedDateTime',
  'creationType',
  'externalUserState',
  'isManagementRestricted',
  'lastPasswordChangeDateTime',
  'onPremisesDistinguishedName',
  'onPremisesDomainName',
  'onPremisesLastSyncDateTime',
  'onPremisesSamAccountName',
  'onPremisesSecurityIdentifier',
  'onPremisesSyncEnabled',
  'onPremisesUserPrincipalName',
  'proxyAddresses',
  'securityIdentifier',
  'signInActivity',
  'signInSessionsValidFromDateTime',
])
/** Mastered in the cloud also for users that come from on-premises. */
const cloudMastered = new Set(['usageLocation', 'passwordPolicies'])

export const createUser = (context: Context): Decision => {
  const body: User = context.body
  const wrong = wrongUser(context) ?? wrongProperties(body)
  if (wrong !== undefined) return refuse(wrong)
  const missing = required.find((name) => body[name] === undefined || body[name] === null || body[name] === '')
  if (missing !== undefined)
    return refuse(badRequest(`A value is required for property '${missing}' of resource 'User'.`))
  const { userPrincipalName } = body
  if (typeof userPrincipalName !== 'string')
    return refuse(badRequest('Invalid value specified for property userPrincipalName of resource User.'))
  const domain = domainOf(context, userPrincipalName)
  if (domain === undefined) return refuse(unverifiedDomain())
  if (domain.federated === true && typeof body.onPremisesImmutableId !== 'string')
    return refuse(badRequest("A value is required for property 'onPremisesImmutableId' of resource 'User'."))
  if (!body.passwordProfile?.password) return refuse(badRequest('A password must be specified to create a new user.'))
  if (isTaken(context, userPrincipalName)) return refuse(taken('userPrincipalName'))
  const { passwordProfile: _, ...kept } = body
  const id = context.newId()
  const entry: StoredUser = {
    kind: 'user',
    id,
    hidden: {},
    serial: 0,
    properties: {
      userType: 'Member',
      ...kept,
      id,
      userPrincipalName,
      createdDateTime: instantOf(context.epochMs),
      signInSessionsValidFromDateTime: instantOf(context.epochMs),
    },
  }
  return {
    answer: {
      status: 201,
      body: entityBody(metadataOf(context.origin, 'users/$entity'), project(entry, null, spellingOf)),
    },
    changes: [{ kind: 'put', entry, touched: Object.keys(entry.properties), isNew: true }],
  }
}

export const patchUser = (context: Context): Decision => {
  const found = writable(context)
  if ('answer' in found) return found
  const names = Object.keys(context.body)
  if (!mayPatch(context, names)) return refuse(denied())
  const wrong = wrongUser(context) ?? wrongProperties(context.body)
  if (wrong !== undefined) return refuse(wrong)
  if (found.properties.onPremisesSyncEnabled === true && names.some((name) => !cloudMastered.has(name)))
    return refuse(syncedFromOnPremises())
  const body: User = context.body
  const upn = body.userPrincipalName
  if (upn !== undefined) {
    if (typeof upn !== 'string' || domainOf(context, upn) === undefined) return refuse(unverifiedDomain())
    if (isTaken(context, upn, found.id)) return refuse(taken('userPrincipalName'))
  }
  const { passwordProfile: _, ...kept } = body
  const properties = {
    ...found.properties,
    ...kept,
    id: found.id,
    userPrincipalName: upn ?? found.properties.userPrincipalName,
  }
  return {
    answer: noContent,
    changes: [{ kind: 'put', entry: { ...found, properties }, touched: names, isNew: false }],
  }
}

/** user-update: what User.ReadWrite.All does not cover, and what less covers. */
const mayPatch = ({ caller }: Context, names: readonly string[]): boolean =>
  names.every((name) => {
    if (name === 'employeeLeaveDateTime') return may(caller, ...permissions.writeLeaveDate)
    if (name === 'accountEnabled' && may(caller, ...permissions.enableUsers)) return true
    return may(caller, ...permissions.writeUsers)
  })

export const deleteUser = (context: Context): Decision => {
  const found = writable(context)
  return 'answer' in found ? found : { answer: noContent, changes: deletion(context, found) }
}

/** Soft: the user and its links can be restored. */
export const deletion = ({ store, epochMs }: Context, user: StoredUser): readonly Change[] => {
  const memberOf = [...groupsOf(store.primary, user.id).at.keys()]
  const kept = { entry: user, deletedDateTime: instantOf(epochMs), memberOf, members: [] }
  return [
    ...memberOf.map((group): Change => ({ kind: 'leave', group, member: user.id, memberDeleted: true })),
    { kind: 'delete', id: user.id, type: 'user', kept },
  ]
}

/** user-revokesigninsessions: 200 and true; the refresh tokens before this moment are void. */
export const revokeSignInSessions = (context: Context): Decision => {
  const found = writable(context)
  if ('answer' in found) return found
  const properties = { ...found.properties, signInSessionsValidFromDateTime: instantOf(context.epochMs) }
  return {
    answer: { status: 200, body: { '@odata.context': metadataOf(context.origin, 'Edm.Boolean'), value: true } },
    changes: [
      { kind: 'put', entry: { ...found, properties }, touched: ['signInSessionsValidFromDateTime'], isNew: false },
    ],
  }
}

const writable = (context: Context): StoredUser | Decision => {
  const key = context.path.id ?? ''
  const found = userBy(context.store.primary, key)
  // Not there, or not yet on the copy that this request came to: the same answer.
  if (found === undefined || !context.store.lagging().entries.has(found.id)) return refuse(notFound(key))
  if (found.hidden.privileged === true && !context.caller.mayWriteAdministrators) return refuse(denied())
  return found
}

const wrongUser = ({ body }: Context) => {
  const violation = violationOf('user', body)
  return violation === null
    ? undefined
    : badRequest(`Invalid value specified for property '${violation.at}' of resource 'User'.`)
}

const wrongProperties = (body: object) => {
  const name = Object.keys(body).find((property) => readOnly.has(property) || property.includes('@'))
  return name === undefined ? undefined : badRequest(`Property '${name}' is read-only and cannot be set.`)
}

const domainOf = ({ tenant }: Context, userPrincipalName: string) => {
  const [local, name, ...more] = userPrincipalName.split('@')
  if (!local || name === undefined || more.length > 0 || /\s/.test(local)) return undefined
  return tenant.domains.find((domain) => domain.name.toLowerCase() === name.toLowerCase())
}
const unverifiedDomain = () =>
  badRequest(
    'The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.',
  )

const isTaken = ({ store }: Context, userPrincipalName: string, besides?: string): boolean =>
  [...lookUp(store.primary, 'userPrincipalName', userPrincipalName)].some((id) => id !== besides)
