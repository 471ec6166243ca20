import type { NativeId } from '../../domain/ids.ts'

/**
 * What a human attaches where Muster cannot write a permission set: everything is denied to sessions of this user in all
 * accounts below (user guide of Identity Center, «Revoke active IAM role sessions»). Names the user's id and nobody.
 */
export const serviceControlPolicy = (userId: NativeId): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'MusterEndSessions',
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { StringEquals: { 'identitystore:userId': userId } },
      },
    ],
  })
