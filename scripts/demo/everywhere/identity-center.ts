/** The bank's IAM Identity Center: made ready and looked at through AWS's own client, past the simulator's throttle. */
import {
  CreateGroupCommand,
  GetUserIdCommand,
  IdentitystoreClient,
  ListGroupMembershipsForMemberCommand,
} from '@aws-sdk/client-identitystore'
import {
  CreateAccountAssignmentCommand,
  CreatePermissionSetCommand,
  ListAccountAssignmentsCommand,
  ListAccountAssignmentsForPrincipalCommand,
  SSOAdminClient,
} from '@aws-sdk/client-sso-admin'
import type { Aws } from '../../stack/part.ts'
import type { Witness } from './witness.ts'

const account = '111122223333'

export type IdentityCenter = Witness & {
  /** What a person reaches by a group, as Identity Center tells it of the person. */
  readonly reaches: (person: string) => Promise<readonly string[]>
  /** The same, as somebody in this group should. */
  readonly through: (group: string) => string
}

/** simulators/aws takes its word for it: no throttle, no faults. */
const marked = <T extends { request: unknown }>(call: T): T => {
  Object.assign((call.request as { headers: Record<string, string> }).headers, { 'x-simulator-witness': 'demo' })
  return call
}

/**
 * `assignments`: permission sets by the key of the entitlement that assigns them on the one AWS account; `throughGroups`: those that
 * an administrator assigned there to a group, by its name.
 */
export const openIdentityCenter = async (
  aws: Aws,
  groups: readonly string[],
  assignments: Readonly<Record<string, string>>,
  throughGroups: Readonly<Record<string, string>>,
): Promise<IdentityCenter> => {
  const { identityStoreId: IdentityStoreId, instanceArn: InstanceArn, endpoint, region } = aws
  const settings = {
    endpoint,
    region,
    credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: aws.secretAccessKey },
  }
  const store = new IdentitystoreClient(settings)
  const admin = new SSOAdminClient(settings)
  const step = { step: 'build', name: 'witness' } as const
  store.middlewareStack.add((next) => (call) => next(marked(call)), step)
  admin.middlewareStack.add((next) => (call) => next(marked(call)), step)

  const names = new Map<string, string>()
  for (const DisplayName of groups) {
    const { GroupId } = await store.send(new CreateGroupCommand({ IdentityStoreId, DisplayName }))
    names.set(GroupId ?? '', DisplayName)
  }
  const addSet = async (Name: string) => {
    const { PermissionSet } = await admin.send(new CreatePermissionSetCommand({ InstanceArn, Name }))
    return PermissionSet?.PermissionSetArn ?? ''
  }
  const sets = new Map<string, string>()
  for (const [key, name] of Object.entries(assignments)) sets.set(key, await addSet(name))
  const groupSets = new Map<string, string>()
  for (const [PrincipalId, group] of names) {
    const name = throughGroups[group]
    if (name === undefined) continue
    const PermissionSetArn = await addSet(name)
    groupSets.set(PermissionSetArn, name)
    await admin.send(
      new CreateAccountAssignmentCommand({
        InstanceArn,
        PermissionSetArn,
        PrincipalId,
        PrincipalType: 'GROUP',
        TargetId: account,
        TargetType: 'AWS_ACCOUNT',
      }),
    )
  }

  const userOf = async (person: string): Promise<string | undefined> => {
    const AlternateIdentifier = { UniqueAttribute: { AttributePath: 'userName', AttributeValue: person } }
    try {
      return (await store.send(new GetUserIdCommand({ IdentityStoreId, AlternateIdentifier }))).UserId
    } catch (error) {
      if ((error as Error).name === 'ResourceNotFoundException') return undefined
      throw error
    }
  }
  // Nobody here is in more than one page of either.
  const isAssigned = async (UserId: string, PermissionSetArn: string) => {
    const listed = await admin.send(
      new ListAccountAssignmentsCommand({ InstanceArn, AccountId: account, PermissionSetArn }),
    )
    return listed.AccountAssignments?.some(({ PrincipalId }) => PrincipalId === UserId) === true
  }
  return {
    target: 'bank-aws',
    label: 'AWS Identity Center',
    by: "AWS's own client",
    holds: async (person) => {
      const UserId = await userOf(person)
      if (UserId === undefined) return []
      const { GroupMemberships = [] } = await store.send(
        new ListGroupMembershipsForMemberCommand({ IdentityStoreId, MemberId: { UserId } }),
      )
      const held = GroupMemberships.map(({ GroupId }) => names.get(GroupId ?? '') ?? `group ${GroupId}`)
      for (const [key, arn] of sets) if (await isAssigned(UserId, arn)) held.push(key)
      return held.sort()
    },
    account: async (person) => ((await userOf(person)) === undefined ? 'none' : 'always-open'),
    reaches: async (person) => {
      const PrincipalId = await userOf(person)
      if (PrincipalId === undefined) return []
      const { AccountAssignments = [] } = await admin.send(
        new ListAccountAssignmentsForPrincipalCommand({ InstanceArn, PrincipalId, PrincipalType: 'USER' }),
      )
      return AccountAssignments.filter(({ PrincipalType }) => PrincipalType === 'GROUP').map((one) =>
        reached(
          names.get(one.PrincipalId ?? '') ?? `group ${one.PrincipalId}`,
          groupSets.get(one.PermissionSetArn ?? '') ?? `${one.PermissionSetArn}`,
          `${one.AccountId}`,
        ),
      )
    },
    through: (group) => reached(group, throughGroups[group] ?? 'nothing', account),
  }
}

const reached = (group: string, permissionSet: string, account: string): string =>
  `${permissionSet} in the AWS account ${account} by ${group}`
