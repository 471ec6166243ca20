import {
  DescribePermissionSetProvisioningStatusCommand,
  GetInlinePolicyForPermissionSetCommand,
  ListAccountsForProvisionedPermissionSetCommand,
  type PermissionSetProvisioningStatus,
} from '@aws-sdk/client-sso-admin'
import { isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import type { Aws } from './aws.ts'

/** The inline policy of a permission set; '' when it has none. Roles have it only when it was provisioned. */
export const inlinePolicy = async (aws: Aws, arn: string): Promise<Result<string>> => {
  const read = await aws.transport.read(aws.families.ssoAdmin, (options) =>
    aws.clients.ssoAdmin.send(
      new GetInlinePolicyForPermissionSetCommand({ InstanceArn: aws.settings.instanceArn, PermissionSetArn: arn }),
      options,
    ),
  )
  return read.ok ? ok(read.value.InlinePolicy ?? '') : read
}

/** Whether an AWS account has roles of this permission set without its newest policy, whoever wrote that. */
export const hasStaleAccounts = async (aws: Aws, arn: string): Promise<Result<boolean>> => {
  const accounts = await readAllPages(async (token) => {
    const read = await aws.transport.read(aws.families.ssoAdmin, (options) =>
      aws.clients.ssoAdmin.send(
        new ListAccountsForProvisionedPermissionSetCommand({
          InstanceArn: aws.settings.instanceArn,
          PermissionSetArn: arn,
          ProvisioningStatus: 'LATEST_PERMISSION_SET_NOT_PROVISIONED',
          MaxResults: 100,
          NextToken: token,
        }),
        options,
      ),
    )
    return read.ok ? ok({ items: read.value.AccountIds ?? [], next: read.value.NextToken }) : read
  })
  return accounts.ok ? ok(accounts.value.length > 0) : accounts
}

/** What became of a provisioning; undefined: AWS has forgotten it. */
export const provisioningStatus = async (
  aws: Aws,
  request: string,
): Promise<Result<PermissionSetProvisioningStatus | undefined>> => {
  const read = await aws.transport.read(aws.families.ssoAdmin, (options) =>
    aws.clients.ssoAdmin.send(
      new DescribePermissionSetProvisioningStatusCommand({
        InstanceArn: aws.settings.instanceArn,
        ProvisionPermissionSetRequestId: request,
      }),
      options,
    ),
  )
  if (!read.ok) return isMissing(read.failure, 'something') ? ok(undefined) : read
  return ok(read.value.PermissionSetProvisioningStatus)
}
