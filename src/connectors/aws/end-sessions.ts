import {
  DescribePermissionSetProvisioningStatusCommand,
  GetInlinePolicyForPermissionSetCommand,
  ListAccountsForProvisionedPermissionSetCommand,
  ProvisionPermissionSetCommand,
  PutInlinePolicyToPermissionSetCommand,
} from '@aws-sdk/client-sso-admin'
import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import {
  failed,
  isMissing,
  ok,
  outcomeOfRead,
  outcomeOfWrite,
  type Result,
  refusal,
  retry,
  unverified,
} from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import type { Gate } from '../aws-wire/transport.ts'
import { notSo, type PendingOperation } from '../connector.ts'
import { assignmentsOf } from './assignment-list.ts'
import type { Aws } from './aws.ts'
import { denies, mergeDeny, others } from './deny-policy.ts'
import { writeHandle } from './handle.ts'
import { type Holdings, readHoldings } from './holdings.ts'
import { membershipsOf } from './is-member.ts'
import { describeUser } from './users.ts'

const pollAfterMs = 1_000
/** Nobody else of ours reads and writes the policy of this permission set meanwhile. */
const policyMs = 60_000

/**
 * The user's grants by complete reads, for the record; with `deny-inline-policy` also a Deny on every permission set that it
 * reaches, provisioned to all accounts. Without it, live role sessions run out (12 hours at most).
 */
export const endSessions = async (aws: Aws, account: NativeId, gate: Gate): Promise<Outcome> => {
  const seen = await standing(aws, account)
  if ('kind' in seen) return seen
  if (aws.settings.sessions === 'none') return told(account, seen.holdings, false)
  const at = aws.tools.now()
  const requests: string[] = []
  for (const arn of seen.reached) {
    const denied = await deny(aws, arn, account, at, gate)
    // What was begun goes on; asked again, those that are denied already are passed over.
    if (!denied.ok) return denied.outcome
    if (denied.request !== null) requests.push(denied.request)
  }
  if (requests.length === 0) return told(account, seen.holdings, false)
  return { kind: 'pending', handle: writeHandle({ kind: 'provisioning', requests }), pollAfterMs }
}

export const observeSessions = async (aws: Aws, account: NativeId): Promise<Outcome> => {
  const seen = await standing(aws, account)
  if ('kind' in seen) return seen
  if (aws.settings.sessions === 'none') return told(account, seen.holdings, false)
  for (const arn of seen.reached) {
    const policy = await inlinePolicy(aws, arn)
    if (!policy.ok) return outcomeOfRead(policy.failure)
    if (!denies(policy.value, { userId: account, at: 0 })) return retry(notSo)
    const stale = await hasStaleAccounts(aws, arn)
    if (!stale.ok) return outcomeOfRead(stale.failure)
    if (stale.value) return retry(notSo)
  }
  return told(account, seen.holdings, false)
}

/** Provisioned everywhere, and the policies say what was asked: then it is done. */
export const pollSessions = async (
  aws: Aws,
  { operation, handle }: PendingOperation,
  requests: readonly string[],
): Promise<Outcome> => {
  for (const request of requests) {
    const status = await aws.transport.read(aws.families.ssoAdmin, (options) =>
      aws.clients.ssoAdmin.send(
        new DescribePermissionSetProvisioningStatusCommand({
          InstanceArn: aws.settings.instanceArn,
          ProvisionPermissionSetRequestId: request,
        }),
        options,
      ),
    )
    if (!status.ok && !isMissing(status.failure, 'something')) return outcomeOfRead(status.failure)
    const said = status.ok ? status.value.PermissionSetProvisioningStatus : undefined
    if (said?.Status === 'IN_PROGRESS') return { kind: 'pending', handle, pollAfterMs }
    if (said?.Status === 'FAILED')
      return {
        kind: 'retry',
        cause: { code: 'FAILED', word: notSo, ...(said.FailureReason ? { message: said.FailureReason } : {}) },
      }
  }
  const seen = await observeSessions(aws, operation.op === 'ensureAccount' ? ('' as NativeId) : operation.account)
  return seen.kind === 'done' ? { ...seen, changed: true, evidence: { ...seen.evidence, code: '0' } } : seen
}

const told = (account: NativeId, grants: Holdings, changed: boolean): Outcome => ({
  kind: 'done',
  changed,
  evidence: { read: 'grants', code: changed ? '0' : '', account, entitlement: null },
  grants,
})

type Standing = { readonly holdings: Holdings; readonly reached: readonly string[] }

const standing = async (aws: Aws, account: NativeId): Promise<Standing | Outcome> => {
  const user = await describeUser(aws, account)
  if (!user.ok) return outcomeOfRead(user.failure)
  if (user.value === null) return refusal('account-missing', 'no-such-user')
  const [holdings = ok([])] = await readHoldings(aws, [account])
  if (!holdings.ok) return outcomeOfRead(holdings.failure)
  const reached = aws.settings.sessions === 'none' ? ok([]) : await reachedBy(aws, account)
  return reached.ok ? { holdings: holdings.value, reached: reached.value } : outcomeOfRead(reached.failure)
}

/** Permission sets of the user itself and of its groups, each group asked: a list that lacks one lets a session live. */
const reachedBy = async (aws: Aws, account: NativeId): Promise<Result<readonly string[]>> => {
  const memberships = await membershipsOf(aws, account)
  if (!memberships.ok) return memberships
  const own = await assignmentsOf(aws, account)
  if (!own.ok) return own
  const arns = new Set(own.value.map(({ permissionSetArn }) => permissionSetArn))
  for (const group of memberships.value.keys()) {
    const held = await assignmentsOf(aws, group, 'GROUP')
    if (!held.ok) return held
    for (const { permissionSetArn } of held.value) arns.add(permissionSetArn)
  }
  return ok([...arns].sort())
}

type Denied = { readonly ok: true; readonly request: string | null } | { readonly ok: false; readonly outcome: Outcome }

const deny = async (aws: Aws, arn: string, account: NativeId, at: number, gate: Gate): Promise<Denied> => {
  const place = await aws.tools.budget.occupy([{ name: `policy:${arn}`, max: 1 }], policyMs)
  // Whoever is there leaves when done, long before the place would be taken from them.
  if (!place.ok) {
    const retryAfterMs = Math.min(place.waitMs, pollAfterMs)
    return { ok: false, outcome: { kind: 'throttled', retryAfterMs, scope: 'policy' } }
  }
  try {
    return await denyAlone(aws, arn, account, at, gate)
  } finally {
    await aws.tools.budget.vacate(place.id)
  }
}

const denyAlone = async (aws: Aws, arn: string, account: NativeId, at: number, gate: Gate): Promise<Denied> => {
  const no = (outcome: Outcome): Denied => ({ ok: false, outcome })
  const before = await inlinePolicy(aws, arn)
  if (!before.ok) return no(outcomeOfRead(before.failure))
  const merged = mergeDeny(before.value, { userId: account, at }, aws.tools.now())
  switch (merged.kind) {
    case 'as-it-was': {
      // Written before, and perhaps not provisioned: an answer may have been lost in between.
      const stale = await hasStaleAccounts(aws, arn)
      if (!stale.ok) return no(outcomeOfRead(stale.failure))
      return stale.value ? provision(aws, arn, gate) : { ok: true, request: null }
    }
    case 'unreadable':
      return no(refusal('invalid', 'inline-policy-unreadable'))
    case 'too-large':
      return no({
        kind: 'refused',
        reason: 'limit',
        cause: { code: String(merged.size), word: 'inline-policy-too-large' },
      })
    case 'merged':
      break
    default:
      return merged satisfies never
  }
  const ids = { InstanceArn: aws.settings.instanceArn, PermissionSetArn: arn }
  const put = await aws.transport.write(
    aws.families.ssoAdmin,
    (options) =>
      aws.clients.ssoAdmin.send(
        new PutInlinePolicyToPermissionSetCommand({ ...ids, InlinePolicy: merged.policy }),
        options,
      ),
    gate,
  )
  if (!put.ok) return no(outcomeOfWrite(put.failure))
  const after = await inlinePolicy(aws, arn)
  if (!after.ok) return no(unverified(after.failure))
  if (!denies(after.value, { userId: account, at }) || !isSame(others(before.value), others(after.value)))
    return no({ kind: 'unknown', cause: { code: '', word: 'inline-policy-changed-meanwhile' } })
  return provision(aws, arn, gate)
}

const provision = async (aws: Aws, arn: string, gate: Gate): Promise<Denied> => {
  const provisioned = await aws.transport.write(
    aws.families.ssoAdmin,
    (options) =>
      aws.clients.ssoAdmin.send(
        new ProvisionPermissionSetCommand({
          InstanceArn: aws.settings.instanceArn,
          PermissionSetArn: arn,
          TargetType: 'ALL_PROVISIONED_ACCOUNTS',
        }),
        options,
      ),
    gate,
  )
  if (!provisioned.ok) return { ok: false, outcome: outcomeOfWrite(provisioned.failure) }
  const request = provisioned.value.PermissionSetProvisioningStatus?.RequestId
  return request === undefined
    ? { ok: false, outcome: { kind: 'unknown', cause: { code: '', word: 'no-request-id' } } }
    : { ok: true, request }
}

/** Whether an AWS account has roles of this permission set without its newest policy. */
const hasStaleAccounts = async (aws: Aws, arn: string): Promise<Result<boolean>> => {
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

const isSame = (one: readonly string[] | null, other: readonly string[] | null): boolean =>
  one !== null && other !== null && one.length === other.length && one.every((text, at) => text === other[at])

/** '' when the permission set has none. */
const inlinePolicy = async (aws: Aws, arn: string): Promise<Result<string>> => {
  const read = await aws.transport.read(aws.families.ssoAdmin, (options) =>
    aws.clients.ssoAdmin.send(
      new GetInlinePolicyForPermissionSetCommand({ InstanceArn: aws.settings.instanceArn, PermissionSetArn: arn }),
      options,
    ),
  )
  return read.ok ? ok(read.value.InlinePolicy ?? '') : failed(read.failure)
}
