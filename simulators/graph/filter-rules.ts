/** Which filters the directory takes, and when it wants an advanced query. */
import type { Kind } from './entry.ts'
import type { Filter } from './filter.ts'

type Rule = {
  /** Only with ConsistencyLevel: eventual and $count=true, whatever the operator. */
  readonly advancedOnly?: true
}
const plain: Rule = {}

/** Properties with «Supports $filter» on the resource pages of user and group. */
const filterable: Readonly<Record<Kind, Readonly<Record<string, Rule>>>> = {
  user: {
    id: plain,
    accountEnabled: plain,
    city: plain,
    companyName: plain,
    country: plain,
    createdDateTime: plain,
    department: plain,
    displayName: plain,
    employeeHireDate: plain,
    employeeId: plain,
    employeeType: plain,
    givenName: plain,
    jobTitle: plain,
    mail: plain,
    mailNickname: plain,
    officeLocation: { advancedOnly: true },
    onPremisesImmutableId: plain,
    onPremisesSamAccountName: plain,
    onPremisesSyncEnabled: plain,
    otherMails: plain,
    proxyAddresses: plain,
    surname: plain,
    usageLocation: plain,
    userPrincipalName: plain,
    userType: plain,
  },
  group: {
    id: plain,
    createdDateTime: plain,
    displayName: plain,
    groupTypes: plain,
    isAssignableToRole: plain,
    mail: plain,
    mailEnabled: plain,
    mailNickname: plain,
    membershipRuleProcessingState: { advancedOnly: true },
    onPremisesSyncEnabled: plain,
    proxyAddresses: plain,
    securityEnabled: plain,
  },
}

/** As the service says it: "Max allowed: 15". */
const mostAlternatives = 15

/** undefined: taken. Otherwise the message of the refusal. */
export const refusalOf = (filter: Filter, kind: Kind, isAdvanced: boolean): string | undefined => {
  const alternatives = alternativesOf(filter)
  if (!isAdvanced && alternatives > mostAlternatives)
    return `Too many child clauses specified in search filter expression containing 'OR' operators: ${alternatives}. Max allowed: ${mostAlternatives}.`
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.parts.map((part) => refusalOf(part, kind, isAdvanced)).find((refusal) => refusal !== undefined)
    case 'not':
      return isAdvanced
        ? refusalOf(filter.part, kind, isAdvanced)
        : "Operator 'not' is not supported because the required parameters might be missing. Try adding $count=true query parameter and ConsistencyLevel:eventual header."
    case 'compare':
    case 'in':
    case 'startswith':
    case 'endswith':
    case 'any': {
      const rule = filterable[kind][filter.property]
      const needsAdvanced =
        rule?.advancedOnly === true ||
        filter.kind === 'endswith' ||
        (filter.kind === 'compare' && filter.operator === 'ne')
      if (rule === undefined || (needsAdvanced && !isAdvanced))
        return `Unsupported or invalid query filter clause specified for property '${filter.property}' of resource '${kind === 'user' ? 'User' : 'Group'}'.`
      return undefined
    }
  }
}

const alternativesOf = (filter: Filter): number => {
  switch (filter.kind) {
    case 'or':
      return filter.parts.reduce((sum, part) => sum + alternativesOf(part), 0)
    case 'in':
      return filter.values.length
    case 'and':
      return Math.max(...filter.parts.map(alternativesOf))
    case 'not':
      return alternativesOf(filter.part)
    case 'compare':
    case 'startswith':
    case 'endswith':
    case 'any':
      return 1
  }
}
