import type { Manifest } from '../connector.ts'

/**
 * How long a read may not show a write yet. AWS names no time; what is written through one endpoint usually shows at once.
 */
export const settleMs = 5_000

export const awsManifest: Manifest = {
  // 20 calls a second: a dispatch of 20 takes some two seconds, and a leaver behind it no longer.
  batchSize: 20,
  settleMs,
  // No call disables a user: UserStatus can only be read.
  disable: 'none',
  endSessions: 'native',
  deleteAccount: 'hard',
  pending: true,
  accountIds: 'opaque',
  permissions: {
    'find and prove accounts': ['identitystore:GetUserId', 'identitystore:DescribeUser', 'identitystore:ListUsers'],
    'create accounts': ['identitystore:CreateUser'],
    'keep attributes right': ['identitystore:UpdateUser'],
    'delete accounts': ['identitystore:DeleteUser'],
    'find groups and who is in them': [
      'identitystore:GetGroupId',
      'identitystore:DescribeGroup',
      'identitystore:ListGroups',
      'identitystore:ListGroupMemberships',
      'identitystore:ListGroupMembershipsForMember',
      'identitystore:GetGroupMembershipId',
      'identitystore:IsMemberInGroups',
    ],
    'let in and take out': ['identitystore:CreateGroupMembership', 'identitystore:DeleteGroupMembership'],
    'find permission sets and assignments': [
      'sso:ListInstances',
      'sso:ListPermissionSets',
      'sso:DescribePermissionSet',
      'sso:ListAccountAssignments',
      'sso:ListAccountAssignmentsForPrincipal',
      'sso:DescribeAccountAssignmentCreationStatus',
      'sso:DescribeAccountAssignmentDeletionStatus',
      'sso:ListAccountAssignmentCreationStatus',
      'sso:ListAccountAssignmentDeletionStatus',
    ],
    'assign and unassign': ['sso:CreateAccountAssignment', 'sso:DeleteAccountAssignment'],
    'end sessions (deny-inline-policy)': [
      'sso:GetInlinePolicyForPermissionSet',
      'sso:PutInlinePolicyToPermissionSet',
      'sso:ProvisionPermissionSet',
      'sso:ListAccountsForProvisionedPermissionSet',
      'sso:DescribePermissionSetProvisioningStatus',
    ],
    'say who it is': ['sts:GetCallerIdentity'],
  },
}
