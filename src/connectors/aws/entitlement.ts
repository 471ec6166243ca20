import type { NativeId } from '../../domain/ids.ts'

/** What a look-up of the catalogue names. */
export type Named =
  | { readonly kind: 'group'; readonly by: GroupBy }
  | { readonly kind: 'assignment'; readonly accountId: string; readonly permissionSet: string }

/** Its display name, or what the identity provider that brought it calls it. */
export type GroupBy = { readonly name: string } | { readonly issuer: string; readonly id: string }

/** What a native id means. A group's is its GroupId, an assignment's `<AWS account>/<permission set ARN>`. */
export type Pinned =
  | { readonly kind: 'group'; readonly groupId: string }
  | { readonly kind: 'assignment'; readonly accountId: string; readonly permissionSetArn: string }

/**
 * `group/<DisplayName>`, `group/externalId:<issuer>/<id>` (an issuer may have slashes, an id has none) or
 * `assignment/<12 digits>/<permission set name>`; null for anything else.
 */
export const parseLookup = (lookup: string): Named | null => {
  if (lookup.startsWith(external)) {
    const [, issuer, id] = /^(.+)\/([^/]+)$/.exec(lookup.slice(external.length)) ?? []
    return issuer === undefined || id === undefined ? null : { kind: 'group', by: { issuer, id } }
  }
  if (lookup.startsWith('group/') && lookup.length > 6) return { kind: 'group', by: { name: lookup.slice(6) } }
  const [, accountId, permissionSet] = /^assignment\/(\d{12})\/([\w+=,.@-]{1,32})$/.exec(lookup) ?? []
  return accountId === undefined || permissionSet === undefined
    ? null
    : { kind: 'assignment', accountId, permissionSet }
}

/** Why a catalogue's look-up can name nothing here, whatever is in the instance; null: it may name something. */
export const lookupProblem = (lookup: string): string | null =>
  parseLookup(lookup) === null
    ? 'names nothing: a group here is group/<DisplayName> or group/externalId:<issuer>/<id>, an assignment assignment/<AWS account, 12 digits>/<permission set>'
    : null

const external = 'group/externalId:'

export const parseNativeId = (id: NativeId): Pinned => {
  const [, accountId, permissionSetArn] = /^(\d{12})\/(arn:.+)$/.exec(id) ?? []
  return accountId === undefined || permissionSetArn === undefined
    ? { kind: 'group', groupId: id }
    : { kind: 'assignment', accountId, permissionSetArn }
}

export const groupNativeId = (groupId: string): NativeId => groupId as NativeId
export const assignmentNativeId = (accountId: string, permissionSetArn: string): NativeId =>
  `${accountId}/${permissionSetArn}` as NativeId
