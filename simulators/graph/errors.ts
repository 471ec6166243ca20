/** The error bodies that Microsoft documents, or that its users have recorded. The README says which are our guess. */
import type { Answer } from './answer.ts'

const failure = (status: number, code: string, message: string, more: Partial<Answer> = {}): Answer => ({
  status,
  error: { code, message },
  ...more,
})

/** The one text for «not there», «a reference is not there» and «not here yet»; it names the resource of the path. */
export const notFound = (id: string): Answer =>
  failure(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  )

export const badRequest = (message: string): Answer => failure(400, 'Request_BadRequest', message)
export const unsupportedQuery = (message: string): Answer => failure(400, 'Request_UnsupportedQuery', message)
export const malformed = (message: string): Answer => failure(400, 'BadRequest', message)

export const alreadyMember = (): Answer =>
  badRequest("One or more added object references already exist for the following modified properties: 'members'.")
export const syncedFromOnPremises = (): Answer =>
  badRequest(
    'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.',
  )
export const mailEnabled = (): Answer =>
  badRequest('Cannot Update a mail-enabled security groups and or distribution list.')
/** Our guess at the words: no source records them. Status and code are those of every refused directory write. */
export const dynamicMembership = (): Answer =>
  badRequest('The membership of a group with a membership rule cannot be changed directly.')
export const taken = (property: string): Answer =>
  badRequest(`Another object with the same value for property ${property} already exists.`)

export const denied = (): Answer =>
  failure(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')
export const unauthenticated = (message: string): Answer =>
  failure(401, 'InvalidAuthenticationToken', message, {
    headers: {
      'www-authenticate':
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"',
    },
  })
export const wrongMethod = (): Answer =>
  failure(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.')
export const noSegment = (segment: string): Answer => malformed(`Resource not found for the segment '${segment}'.`)
export const notImplemented = (): Answer =>
  failure(501, 'NotImplemented', 'This operation target is not yet supported.')
export const failedDependency = (): Answer => failure(424, 'FailedDependency', 'Failed because of a failed dependency')
/** Location: the first request of the round, with an empty token. */
export const resyncRequired = (location: string): Answer =>
  failure(410, 'resyncRequired', 'The delta token is no longer valid, and the app must reset the sync state.', {
    headers: { location },
  })
