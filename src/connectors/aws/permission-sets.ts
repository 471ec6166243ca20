import { DescribePermissionSetCommand, ListPermissionSetsCommand } from '@aws-sdk/client-sso-admin'
import { failed, isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Aws } from './aws.ts'

/** null: there is none of this ARN (any more). Always read: a name that is remembered proves no existence. */
export const describePermissionSet = async (aws: Aws, arn: string): Promise<Result<string | null>> => {
  const { instanceArn } = aws.settings
  const read = await aws.transport.read(aws.families.ssoAdmin, (options) =>
    aws.clients.ssoAdmin.send(
      new DescribePermissionSetCommand({ InstanceArn: instanceArn, PermissionSetArn: arn }),
      options,
    ),
  )
  if (!read.ok) return isMissing(read.failure, 'something') ? ok(null) : read
  const name = read.value.PermissionSet?.Name ?? ''
  aws.permissionSetNames.set(arn, name)
  return ok(name)
}

/** The same; who asks at the same moment shares the answer, unless there is none. */
export const describeOnce = async (aws: Aws, arn: string): Promise<Result<string | null>> => {
  const asked = aws.beingDescribed.get(arn)
  if (asked !== undefined) {
    const shared = await asked
    if (shared.ok) return shared
  }
  const asking = describePermissionSet(aws, arn)
  aws.beingDescribed.set(arn, asking)
  try {
    return await asking
  } finally {
    if (aws.beingDescribed.get(arn) === asking) aws.beingDescribed.delete(arn)
  }
}

/** Name → ARN of every permission set. AWS has no look-up by name: all are listed, and those never seen are described. */
export const listPermissionSets = async (aws: Aws): Promise<Result<ReadonlyMap<string, string>>> => {
  const { instanceArn } = aws.settings
  const arns = await readAllPages(async (token) => {
    const read = await aws.transport.read(aws.families.ssoAdmin, (options) =>
      aws.clients.ssoAdmin.send(
        new ListPermissionSetsCommand({ InstanceArn: instanceArn, MaxResults: 100, NextToken: token }),
        options,
      ),
    )
    return read.ok ? ok({ items: read.value.PermissionSets ?? [], next: read.value.NextToken }) : read
  })
  if (!arns.ok) return arns
  const unseen = arns.value.filter((arn) => !aws.permissionSetNames.has(arn))
  const described = await sideBySide(unseen, (arn) => describePermissionSet(aws, arn))
  for (const one of described) if (!one.ok) return one
  return ok(
    new Map(
      arns.value.flatMap((arn) => {
        const name = aws.permissionSetNames.get(arn)
        return name === undefined ? [] : [[name, arn] as const]
      }),
    ),
  )
}

/** Somebody has it, or had it, and there is none: it has no name to judge it by. */
export const permissionSetNotShown = failed({
  code: '',
  word: 'permission-set-not-shown',
  verdict: { kind: 'retry' },
  sent: 'answered',
})

export const namePermissionSet = async (aws: Aws, arn: string): Promise<Result<string>> => {
  const known = aws.permissionSetNames.get(arn)
  if (known) return ok(known)
  const read = await describePermissionSet(aws, arn)
  if (!read.ok) return read
  return read.value ? ok(read.value) : permissionSetNotShown
}
