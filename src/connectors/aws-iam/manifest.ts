import type { Manifest } from '../connector.ts'
import type { AwsIamSettings } from './config.ts'

/** Observing and planning need no more. */
export const readPermissions = ['iam:ListRoles', 'iam:GetRole'] as const

export const awsIamManifest = ({ settle }: Pick<AwsIamSettings, 'settle'>): Manifest => ({
  // All operations of one role go in one document; a document holds some hundred people.
  batchSize: 200,
  settleMs: settle.ms,
  // There is no account to shut: a person is a name in a condition.
  disable: 'none',
  endSessions: 'native',
  deleteAccount: 'none',
  pending: true,
  // The name of their sessions: by default the person key.
  accountIds: 'names',
  permissions: {
    'find roles and read who is let in': readPermissions,
    'let in and take out': ['iam:UpdateAssumeRolePolicy'],
    'end sessions (deny-inline-policy)': [
      'iam:ListRolePolicies',
      'iam:GetRolePolicy',
      'iam:PutRolePolicy',
      'iam:DeleteRolePolicy',
    ],
    'say who it is': ['sts:GetCallerIdentity'],
  },
})
