/** Permission sets as AWS shows them: moto leaves odd values where nothing was said. */
import ssoAdmin from './model/sso-admin.json' with { type: 'json' }
import { limited, type Rules } from './rules.ts'
import { AwsError, type Json, record, text } from './wire.ts'

/** By its model, white space and all. */
const inlinePolicyLength = ssoAdmin.shapes.PermissionSetPolicyDocument.max

export const permissionSets: Rules = {
  CreatePermissionSet: async (body, { moto }) => shown(await moto.ask('sso-admin', 'CreatePermissionSet', body)),
  DescribePermissionSet: async (body, { moto }) => shown(await moto.ask('sso-admin', 'DescribePermissionSet', body)),
  ListPermissionSets: (body, behind) => behind.moto.ask('sso-admin', 'ListPermissionSets', limited(body, behind)),
  PutInlinePolicyToPermissionSet: async (body, { moto }) => {
    if (text(body, 'InlinePolicy').length > inlinePolicyLength)
      throw new AwsError(
        'ValidationException',
        `1 validation error detected: Value at 'inlinePolicy' failed to satisfy constraint: Member must have length less than or equal to ${inlinePolicyLength}`,
      )
    return moto.ask('sso-admin', 'PutInlinePolicyToPermissionSet', body)
  },
}

const shown = ({ PermissionSet }: Json): Json => {
  const said = Object.entries(record(PermissionSet)).filter(
    ([name, value]) =>
      (name === 'CreatedDate' && typeof value === 'number') || (typeof value === 'string' && value !== ''),
  )
  return { PermissionSet: { SessionDuration: 'PT1H', ...Object.fromEntries(said) } }
}
