/** What one target must not say, whatever its parts allow by themselves. */
import type { z } from 'zod'
import { type AwsIamSettings, haveSameStatements, sessionNamePattern } from '../connectors/aws-iam/config.ts'

/** What would never happen is not taken for an order. */
export const nothingToDelete = (
  items: readonly { readonly type: string; readonly leaver: { readonly deleteAfter: number | null } }[],
  context: z.RefinementCtx,
) => {
  items.forEach(({ type, leaver }, index) => {
    if (type === 'aws-iam' && leaver.deleteAfter !== null)
      context.addIssue({
        code: 'custom',
        path: [index, 'leaver', 'deleteAfter'],
        message: 'must be null: IAM roles have no accounts that could be deleted, only the names of sessions',
      })
  })
}

/** IAM tells apart only by the statements' names whose people those are that a role lets in. */
export const ownStatements = (
  items: readonly (
    | { readonly type: 'aws-iam'; readonly id: string; readonly iam: AwsIamSettings }
    | { readonly type: Exclude<TargetType, 'aws-iam'> }
  )[],
  context: z.RefinementCtx,
) => {
  items.forEach((item, index) => {
    if (item.type !== 'aws-iam') return
    const other = items
      .slice(0, index)
      .find((before) => before.type === 'aws-iam' && haveSameStatements(before.iam, item.iam))
    if (other?.type === 'aws-iam')
      context.addIssue({
        code: 'custom',
        path: [index, 'iam', 'sidPrefix'],
        message: `is that of ${other.id}, which may change the same roles of this AWS account: each would take out whom the other let in`,
      })
  })
}

/** Native ids of accounts, by type of target: what else stands there would protect nobody, without a word. */
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const accountIds = {
  ldap: { form: uuid, is: 'an entryUUID' },
  ad: { form: uuid, is: 'an objectGUID, without braces' },
  entra: { form: uuid, is: 'an object id' },
  // https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_User.html
  aws: { form: /^(?:[0-9a-f]{10}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, is: 'a UserId' },
  'aws-iam': { form: sessionNamePattern, is: 'the name of a session' },
} as const satisfies Record<string, { readonly form: RegExp; readonly is: string }>
type TargetType = keyof typeof accountIds

export const protectedByNativeId = (
  items: readonly {
    readonly type: TargetType
    readonly protect: { readonly accounts: readonly string[] }
  }[],
  context: z.RefinementCtx,
) => {
  items.forEach(({ type, protect }, index) => {
    const { form, is } = accountIds[type]
    protect.accounts.forEach((account, at) => {
      if (!form.test(account))
        context.addIssue({
          code: 'custom',
          path: [index, 'protect', 'accounts', at],
          message: `is no native id there (${is}): it would protect nobody`,
        })
    })
  })
}
