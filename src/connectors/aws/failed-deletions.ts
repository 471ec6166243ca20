import { ListAccountAssignmentDeletionStatusCommand } from '@aws-sdk/client-sso-admin'
import type { Aws } from './aws.ts'
import type { List, Request } from './requests.ts'

/** So often at most a list is made of all that failed, ms: one tells of everybody who was over before it. */
const everyMs = 500
/** None was to be had, or more than a page of them: so long each is asked by itself. */
const withoutMs = 60_000

/** How long until it can be told whether a deletion that is over has failed, ms. */
export const failuresInMs = ({ inProgress, tools }: Aws, { lastFailures }: Request): number => {
  const last = inProgress.failures
  return last === null || last !== lastFailures || !last.wasRead ? 0 : Math.max(0, last.at + everyMs - tools.now())
}

/** Whether a deletion that is over has failed; null: its own status says. */
export const hasFailed = async (aws: Aws, request: string, { lastFailures }: Request): Promise<boolean | null> => {
  const { inProgress, tools } = aws
  const last = inProgress.failures
  const isWithout = last !== null && !last.wasRead && tools.now() - last.at < withoutMs
  if (isWithout) return null
  const list: List =
    last?.wasRead && last !== lastFailures ? last : { at: tools.now(), requests: readFailures(aws), wasRead: true }
  inProgress.failures = list
  const failures = await list.requests
  list.wasRead = failures !== null
  return failures?.has(request) ?? null
}

/** The first page, or nothing: AWS keeps them for a time that it does not name, and pages of old ones are no help. */
const readFailures = async (aws: Aws): Promise<ReadonlySet<string> | null> => {
  const read = await aws.transport.read(aws.families.ssoAdmin, (options) =>
    aws.clients.ssoAdmin.send(
      new ListAccountAssignmentDeletionStatusCommand({
        InstanceArn: aws.settings.instanceArn,
        Filter: { Status: 'FAILED' },
        MaxResults: 100,
      }),
      options,
    ),
  )
  if (!read.ok || read.value.NextToken !== undefined) return null
  return new Set((read.value.AccountAssignmentsDeletionStatus ?? []).map(({ RequestId = '' }) => RequestId))
}
