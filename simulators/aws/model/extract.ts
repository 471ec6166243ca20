/** The part of a botocore service model that is needed here: some operations, and the shapes that they reach, without their texts. */

type Ref = { readonly shape: string }
type SourceShape = {
  readonly type: string
  readonly members?: Readonly<Record<string, Ref>>
  readonly member?: Ref
  readonly key?: Ref
  readonly value?: Ref
  readonly error?: { readonly code: string; readonly httpStatusCode: number }
}
export type ServiceModel = {
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly input?: Ref
        readonly output?: Ref & { readonly resultWrapper?: string }
        readonly errors?: readonly Ref[]
      }
    >
  >
  readonly shapes: Readonly<Record<string, SourceShape>>
}
export type Extracted = { readonly service: string; readonly version: string; readonly operations: readonly string[] }

export const extracted: readonly Extracted[] = [
  {
    service: 'identitystore',
    version: '2020-06-15',
    operations: [
      ...['CreateGroup', 'CreateGroupMembership', 'CreateUser', 'DeleteGroup', 'DeleteGroupMembership', 'DeleteUser'],
      ...['DescribeGroup', 'DescribeGroupMembership', 'DescribeUser', 'GetGroupId', 'GetGroupMembershipId'],
      ...['GetUserId', 'IsMemberInGroups', 'ListGroupMemberships', 'ListGroupMembershipsForMember', 'ListGroups'],
      ...['ListUsers', 'UpdateGroup', 'UpdateUser'],
    ],
  },
  {
    service: 'sso-admin',
    version: '2020-07-20',
    operations: [
      ...['CreateAccountAssignment', 'CreatePermissionSet', 'DeleteAccountAssignment'],
      ...['DescribeAccountAssignmentCreationStatus', 'DescribeAccountAssignmentDeletionStatus'],
      ...['DescribePermissionSet', 'DescribePermissionSetProvisioningStatus', 'GetInlinePolicyForPermissionSet'],
      ...['ListAccountAssignmentCreationStatus', 'ListAccountAssignmentDeletionStatus', 'ListAccountAssignments'],
      ...['ListAccountAssignmentsForPrincipal', 'ListAccountsForProvisionedPermissionSet', 'ListInstances'],
      ...['ListPermissionSets', 'ProvisionPermissionSet', 'PutInlinePolicyToPermissionSet'],
    ],
  },
  {
    service: 'iam',
    version: '2010-05-08',
    operations: [
      ...['DeleteRolePolicy', 'GetRole', 'GetRolePolicy', 'ListRolePolicies', 'ListRoles', 'PutRolePolicy'],
      ...['SimulatePrincipalPolicy', 'UpdateAssumeRolePolicy'],
    ],
  },
  { service: 'sts', version: '2011-06-15', operations: ['AssumeRoleWithWebIdentity', 'GetCallerIdentity'] },
]

/** What says which values are right. */
const kept = ['type', 'required', 'enum', 'min', 'max', 'pattern', 'document']

export const extractOf = (model: ServiceModel, names: readonly string[]): unknown => {
  const reached = new Map<string, unknown>()
  const reach = (name: string): void => {
    const shape = model.shapes[name]
    if (shape === undefined) throw new Error(`the service model has no shape ${name}`)
    if (reached.has(name)) return
    const { members, member, key, value, error } = shape
    const parts: readonly (readonly [string, unknown])[] = [
      ...Object.entries(shape).filter(([word]) => kept.includes(word)),
      ['members', members && sorted(Object.entries(members).map(([one, ref]) => [one, bare(ref)]))],
      ['member', member && bare(member)],
      ['key', key && bare(key)],
      ['value', value && bare(value)],
      // Of the query protocol: what an exception is called on the wire.
      ['error', error && { code: error.code, httpStatusCode: error.httpStatusCode }],
    ]
    reached.set(name, sorted(parts.filter(([, part]) => part !== undefined)))
    for (const ref of [...Object.values(members ?? {}), member, key, value]) if (ref !== undefined) reach(ref.shape)
  }
  const operations = names.map((name): [string, unknown] => {
    const operation = model.operations[name]
    if (operation === undefined) throw new Error(`the service model has no operation ${name}`)
    const { input, output, errors = [] } = operation
    for (const ref of [input, output, ...errors]) if (ref !== undefined) reach(ref.shape)
    return [
      name,
      {
        errors: errors.map(({ shape }) => shape),
        ...(input === undefined ? {} : { input: input.shape }),
        ...(output === undefined ? {} : { output: output.shape }),
        ...(output?.resultWrapper === undefined ? {} : { resultWrapper: output.resultWrapper }),
      },
    ]
  })
  return { operations: sorted(operations), shapes: sorted([...reached].map(([name, shape]) => [name, shape])) }
}

const bare = ({ shape }: Ref): Ref => ({ shape })

const sorted = (entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
