/** What one target must not say, whatever its parts allow by themselves. */
import type { z } from 'zod'
import { type AwsIamSettings, mayMeetInARole, sessionNamePattern } from '../connectors/aws-iam/config.ts'
import type { EntraSettings } from '../connectors/entra/config.ts'
import type { LdapSettings } from '../connectors/ldap/config.ts'

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

/** What a created account cannot be without; who only finds accounts need not say it. */
export const createdByName = (
  items: readonly (
    | { readonly type: 'ldap'; readonly accounts: Accounts; readonly ldap: LdapSettings }
    | { readonly type: 'entra'; readonly accounts: Accounts; readonly entra: EntraSettings }
    | { readonly type: Exclude<TargetType, 'ldap' | 'entra'> }
  )[],
  context: z.RefinementCtx,
) => {
  items.forEach((item, index) => {
    if (!('accounts' in item) || item.accounts !== 'create') return
    const issue = (path: readonly string[], message: string) =>
      context.addIssue({ code: 'custom', path: [index, item.type, 'account', ...path], message })
    if (item.type === 'ldap' && item.ldap.account.rdn === undefined)
      issue(['rdn'], 'is missing: with accounts: create it names the entry, e.g. uid={username}')
    if (item.type !== 'entra') return
    const { userPrincipalName, attributes } = item.entra.account
    if (userPrincipalName === undefined)
      issue(['userPrincipalName'], 'is missing: with accounts: create it names the user, e.g. {username}@contoso.com')
    if (attributes.displayName === undefined)
      issue(['attributes'], 'displayName is missing: with accounts: create Graph requires it')
  })
}

/**
 * IAM has no version to compare, so a role is read and written in a place, and places are a target's own: of two targets each would
 * send back what the other has just taken out, by whatever name. Statements of one name would even be each other's.
 */
export const ownRoles = (
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
      .find((before) => before.type === 'aws-iam' && mayMeetInARole(before.iam, item.iam))
    if (other?.type === 'aws-iam')
      context.addIssue({
        code: 'custom',
        path: [index, 'iam', 'roles'],
        message: `may be roles of ${other.id}, too: of two targets that write one role, each undoes what the other writes at that moment`,
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
type Accounts = 'create' | 'expect'

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
