/**
 * What the mapping may set on a user. Anything else would be refused by Graph one person at a time, so it is refused once,
 * when the configuration is read. https://learn.microsoft.com/graph/api/resources/user#properties
 */
type Shape = 'text' | 'texts' | 'moment'

const plain: Readonly<Record<string, Shape>> = {
  ageGroup: 'text',
  businessPhones: 'texts',
  city: 'text',
  companyName: 'text',
  consentProvidedForMinor: 'text',
  country: 'text',
  department: 'text',
  displayName: 'text',
  employeeHireDate: 'moment',
  employeeId: 'text',
  employeeLeaveDateTime: 'moment',
  employeeType: 'text',
  faxNumber: 'text',
  givenName: 'text',
  jobTitle: 'text',
  mobilePhone: 'text',
  officeLocation: 'text',
  otherMails: 'texts',
  postalCode: 'text',
  preferredLanguage: 'text',
  state: 'text',
  streetAddress: 'text',
  surname: 'text',
  usageLocation: 'text',
  'employeeOrgData.costCenter': 'text',
  'employeeOrgData.division': 'text',
}

/** `extension_{app id without dashes}_{name}`: a directory extension of text. */
const extension = /^extension_[0-9a-f]{32}_[A-Za-z][A-Za-z0-9_]*$/
const onPremisesExtension = /^onPremisesExtensionAttributes\.extensionAttribute(?:[1-9]|1[0-5])$/

export const shapeOf = (property: string): Shape | null => {
  if (Object.hasOwn(plain, property)) return plain[property] ?? null
  return extension.test(property) || onPremisesExtension.test(property) ? 'text' : null
}

/** May carry the person key: text that Graph can filter by equality. */
export const isCorrelation = (property: string): boolean =>
  property === 'employeeId' || extension.test(property) || onPremisesExtension.test(property)

/** Top-level property of a path such as `employeeOrgData.division`: what $select names. */
export const rootOf = (property: string): string => property.split('.')[0] ?? property
