import { ProvisionPermissionSetCommand, PutInlinePolicyToPermissionSetCommand } from '@aws-sdk/client-sso-admin'
import type { Outcome } from '../../domain/outcome.ts'
import { outcomeOfRead, outcomeOfWrite, refusal, unverified } from '../aws-wire/errors.ts'
import type { Gate } from '../aws-wire/transport.ts'
import { placeMs, whileOurs } from '../aws-wire/while-ours.ts'
import type { Aws } from './aws.ts'
import { denies, type Ending, mergeDeny, others } from './deny-policy.ts'
import { hasStaleAccounts, inlinePolicy } from './permission-set-policy.ts'
import { keepFromOthers, occupyPolicy } from './policy-place.ts'

/** Another process is over with one policy in less. */
const busyMs = 2_000

/** Whose turn it is at a policy, within one call of the connector: whoever comes later reads what the earlier wrote. */
export type Turns = Map<string, Promise<unknown>>

export const inTurn = <T>(turns: Turns, key: string, work: () => Promise<T>): Promise<T> => {
  const mine = (turns.get(key) ?? Promise.resolve()).then(work, work)
  turns.set(key, mine)
  return mine
}

export type Denied =
  /** `request`: its provisioning; null: in force already. */
  { readonly ok: true; readonly request: string | null } | { readonly ok: false; readonly outcome: Outcome }

/** Writes the Deny into the policy of one permission set, reads it back, and has it provisioned to all accounts. */
export const deny = (aws: Aws, arn: string, ending: Ending, turns: Turns, gate: Gate): Promise<Denied> =>
  inTurn(turns, arn, async () => {
    // Nobody else of ours reads and writes this policy meanwhile.
    const { budget } = aws.tools
    const policy = { arn, userId: ending.userId }
    const place = await occupyPolicy(budget, policy, placeMs)
    if (!place.ok) return no({ kind: 'throttled', retryAfterMs: Math.min(place.waitMs, busyMs), scope: 'policy' })
    try {
      return await denyAlone(aws, arn, ending, {
        gate,
        inPlace: whileOurs(budget, place.id, aws.settings.timeouts, gate),
        mayArrive: () => keepFromOthers(budget, policy),
      })
    } finally {
      await budget.vacate(place.id)
    }
  })

const no = (outcome: Outcome): Denied => ({ ok: false, outcome })

type Writing = {
  readonly gate: Gate
  /** For the policy, which is read and written in a place. */
  readonly inPlace: Gate
  /** Whether the policy was written is not known. */
  readonly mayArrive: () => Promise<void>
}

const denyAlone = async (
  aws: Aws,
  arn: string,
  ending: Ending,
  { gate, inPlace, mayArrive }: Writing,
): Promise<Denied> => {
  const before = await inlinePolicy(aws, arn)
  if (!before.ok) return no(outcomeOfRead(before.failure))
  const merged = mergeDeny(before.value, ending, aws.tools.now())
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
    inPlace,
  )
  if (!put.ok) {
    const outcome = outcomeOfWrite(put.failure)
    if (outcome.kind === 'unknown') await mayArrive()
    return no(outcome)
  }
  const after = await inlinePolicy(aws, arn)
  if (!after.ok) return no(unverified(after.failure))
  if (!denies(after.value, ending) || !isSame(others(before.value), others(after.value)))
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
  if (!provisioned.ok) return no(outcomeOfWrite(provisioned.failure))
  const request = provisioned.value.PermissionSetProvisioningStatus?.RequestId
  return request === undefined
    ? no({ kind: 'unknown', cause: { code: '', word: 'no-request-id' } })
    : { ok: true, request }
}

const isSame = (one: readonly string[] | null, other: readonly string[] | null): boolean =>
  one !== null && other !== null && one.length === other.length && one.every((text, at) => text === other[at])
