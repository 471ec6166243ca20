/** Which properties an answer shows. Without $select a directory object shows a default set only. */
import type { Answer, Body } from './answer.ts'
import type { Entry, Kind } from './entry.ts'
import { malformed, notImplemented } from './errors.ts'

/** user resource page: «returned by default»; everything else needs $select. */
const userDefaults = [
  'businessPhones',
  'displayName',
  'givenName',
  'id',
  'jobTitle',
  'mail',
  'mobilePhone',
  'officeLocation',
  'preferredLanguage',
  'surname',
  'userPrincipalName',
] as const

/** As the documented answer of «Get group» shows them. */
const groupDefaults = [
  'id',
  'deletedDateTime',
  'classification',
  'createdDateTime',
  'description',
  'displayName',
  'expirationDateTime',
  'groupTypes',
  'isAssignableToRole',
  'mail',
  'mailEnabled',
  'mailNickname',
  'membershipRule',
  'membershipRuleProcessingState',
  'onPremisesDomainName',
  'onPremisesLastSyncDateTime',
  'onPremisesNetBiosName',
  'onPremisesSamAccountName',
  'onPremisesSecurityIdentifier',
  'onPremisesSyncEnabled',
  'preferredDataLocation',
  'preferredLanguage',
  'proxyAddresses',
  'renewedDateTime',
  'resourceBehaviorOptions',
  'resourceProvisioningOptions',
  'securityEnabled',
  'securityIdentifier',
  'serviceProvisioningErrors',
  'theme',
  'visibility',
  'onPremisesProvisioningErrors',
] as const

export const defaultsOf: Readonly<Record<Kind, readonly string[]>> = { user: userDefaults, group: groupDefaults }

/** Collections are empty, never null. */
const collections = new Set([
  'businessPhones',
  'otherMails',
  'proxyAddresses',
  'groupTypes',
  'imAddresses',
  'assignedLicenses',
  'assignedPlans',
  'provisionedPlans',
  'identities',
  'resourceBehaviorOptions',
  'resourceProvisioningOptions',
  'serviceProvisioningErrors',
  'onPremisesProvisioningErrors',
])

/** Kept outside the directory («stored outside of Azure AD»): lists do not have them. */
const elsewhere = new Set([
  'aboutMe',
  'birthday',
  'deviceEnrollmentLimit',
  'hireDate',
  'interests',
  'mailboxSettings',
  'mySite',
  'pastProjects',
  'preferredName',
  'print',
  'responsibilities',
  'schools',
  'skills',
])

/** Why this cannot be selected, if so. `kind` null: of users and groups mixed. */
export const selectionRefusal = (
  select: readonly string[] | null,
  kind: Kind | null,
  spelling: Spelling,
): Answer | undefined => {
  for (const asked of select ?? []) {
    const kinds: readonly Kind[] = kind === null ? ['user', 'group'] : [kind]
    const name = kinds.map((one) => spelling(one, asked)).find((found) => found !== undefined)
    if (name === undefined)
      return malformed(
        `Parsing OData Select and Expand failed: Could not find a property named '${asked}' on type 'microsoft.graph.${kind ?? 'directoryObject'}'.`,
      )
    if (elsewhere.has(name)) return notImplemented()
  }
  return undefined
}

/** Only what is selected, without the id too if it is not. Names are matched without case, and answered as they are spelt. */
export const project = (
  entry: Entry,
  select: readonly string[] | null,
  spelling: Spelling,
): Record<string, unknown> => {
  const properties = entry.properties as Readonly<Record<string, unknown>>
  const shown: Record<string, unknown> = {}
  for (const asked of select ?? defaultsOf[entry.kind]) {
    const name = spelling(entry.kind, asked)
    if (name === undefined || name === 'passwordProfile') continue
    shown[name] = properties[name] ?? (collections.has(name) ? [] : null)
  }
  return shown
}

/** How the metadata spells a property; undefined: there is no such one. */
export type Spelling = (kind: Kind, name: string) => string | undefined

export const odataTypeOf = (kind: Kind): string => `#microsoft.graph.${kind}`

/** `#users(id,displayName)` and so on. */
export const metadataOf = (origin: string, what: string): string => `${origin}/v1.0/$metadata#${what}`

export const selected = (select: readonly string[] | null): string => (select === null ? '' : `(${select.join(',')})`)

export const entityBody = (context: string, shown: Body): Body => ({ '@odata.context': context, ...shown })
