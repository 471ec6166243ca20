import type { AttributeOperation, CreateUserRequest } from '@aws-sdk/client-identitystore'
import {
  type AttributeTemplates,
  fillName,
  type MappedAttributes,
  mapAttributes,
  type Worker,
} from '../attribute-mapping.ts'

/** What the mapping may name, in our words. One value each. */
export const attributeNames = [
  'displayName',
  'givenName',
  'familyName',
  'email',
  'nickName',
  'profileUrl',
  'userType',
  'title',
  'preferredLanguage',
  'locale',
  'timezone',
] as const
export type AttributeName = (typeof attributeNames)[number]

export const enterprise = 'aws:identitystore:enterprise'
export const keyAttribute = 'employeeNumber'

/** A user as Describe and List show it, as far as we read it. */
export type UserShown = {
  readonly UserName?: string | undefined
  readonly Name?: { readonly GivenName?: string | undefined; readonly FamilyName?: string | undefined } | undefined
  readonly DisplayName?: string | undefined
  readonly NickName?: string | undefined
  readonly ProfileUrl?: string | undefined
  readonly UserType?: string | undefined
  readonly Title?: string | undefined
  readonly PreferredLanguage?: string | undefined
  readonly Locale?: string | undefined
  readonly Timezone?: string | undefined
  readonly Emails?: readonly { readonly Value?: string | undefined }[] | undefined
  readonly ExternalIds?: readonly { readonly Issuer: string | undefined; readonly Id: string | undefined }[] | undefined
  readonly UserStatus?: string | undefined
  readonly Extensions?: Readonly<Record<string, unknown>> | undefined
}

/** Attribute → its path in UpdateUser, and where Describe shows it. */
const places: Readonly<
  Record<AttributeName, { readonly path: string; readonly read: (user: UserShown) => string | undefined }>
> = {
  displayName: { path: 'displayName', read: (user) => user.DisplayName },
  givenName: { path: 'name.givenName', read: (user) => user.Name?.GivenName },
  familyName: { path: 'name.familyName', read: (user) => user.Name?.FamilyName },
  email: { path: 'emails', read: (user) => user.Emails?.[0]?.Value },
  nickName: { path: 'nickName', read: (user) => user.NickName },
  profileUrl: { path: 'profileUrl', read: (user) => user.ProfileUrl },
  userType: { path: 'userType', read: (user) => user.UserType },
  title: { path: 'title', read: (user) => user.Title },
  preferredLanguage: { path: 'preferredLanguage', read: (user) => user.PreferredLanguage },
  locale: { path: 'locale', read: (user) => user.Locale },
  timezone: { path: 'timezone', read: (user) => user.Timezone },
}

const isName = (name: string): name is AttributeName => attributeNames.some((known) => known === name)

/** The mapped attributes as this user has them. */
export const shownAttributes = (templates: AttributeTemplates, user: UserShown): MappedAttributes =>
  new Map(
    Object.keys(templates).flatMap((name) => {
      if (!isName(name)) return []
      const value = places[name].read(user)
      return [[name, value === undefined || value === '' ? [] : [value]] as const]
    }),
  )

/** The person key that the user itself shows. */
export const shownKey = (user: UserShown): string | undefined => {
  const extension = user.Extensions?.[enterprise]
  const key = typeof extension === 'object' && extension !== null ? Object.entries(extension) : []
  const value = key.find(([name]) => name === keyAttribute)?.[1]
  return typeof value === 'string' ? value : undefined
}

/** Inside an attribute's value the members begin in lower case; null takes the attribute away. */
export const updateOf = (name: string, values: readonly string[]): AttributeOperation[] => {
  if (!isName(name)) return []
  const [value] = values
  const document = value === undefined ? null : name === 'email' ? [{ value, type: 'work', primary: true }] : value
  return [{ AttributePath: places[name].path, AttributeValue: document }]
}

/** What AWS demands of every user and this mapping does not give; [] when the user can be made. */
export const missingForCreation = (mapped: MappedAttributes, userName: string): readonly string[] => [
  ...(userName === '' ? ['userName'] : []),
  ...(['displayName', 'givenName', 'familyName'] as const).filter((name) => (mapped.get(name) ?? []).length === 0),
]

export const creationOf = (
  identityStoreId: string,
  account: { readonly userName: string; readonly attributes: AttributeTemplates },
  worker: Worker,
  key: string | null,
): { readonly request: CreateUserRequest; readonly missing: readonly string[] } => {
  const userName = fillName(account.userName, worker)
  const mapped = mapAttributes(account.attributes, worker)
  const of = (name: AttributeName) => mapped.get(name)?.[0]
  const email = of('email')
  return {
    missing: missingForCreation(mapped, userName),
    request: {
      IdentityStoreId: identityStoreId,
      UserName: userName,
      DisplayName: of('displayName'),
      Name: { GivenName: of('givenName'), FamilyName: of('familyName') },
      NickName: of('nickName'),
      ProfileUrl: of('profileUrl'),
      UserType: of('userType'),
      Title: of('title'),
      PreferredLanguage: of('preferredLanguage'),
      Locale: of('locale'),
      Timezone: of('timezone'),
      ...(email === undefined ? {} : { Emails: [{ Value: email, Type: 'work', Primary: true }] }),
      ...(key === null ? {} : { Extensions: { [enterprise]: { [keyAttribute]: key } } }),
    },
  }
}
