import { ProvisionPermissionSetCommand, PutInlinePolicyToPermissionSetCommand } from '@aws-sdk/client-sso-admin'
import type { Outcome } from '../../domain/outcome.ts'
import { outcomeOfRead, outcomeOfWrite, refusal, unverified } from '../aws-wire/errors.ts'
import type { Gate } from '../aws-wire/transport.ts'
import { placeMs, whileOurs } from '../aws-wire/while-ours.ts'
import type { Aws } from './aws.ts'
import { deniesAll, type Ending, mergeDenies, others } from './deny-policy.ts'
import { hasStaleAccounts, inlinePolicy } from './permission-set-policy.ts'
import { keepFromOthers, occupyPolicy } from './policy-place.ts'

/** Another process is over with one policy in less. */
const busyMs = 2_000

export type Denied =
  /** `request`: its provisioning; null: in force already. */
  { readonly ok: true; readonly request: string | null } | { readonly ok: false; readonly outcome: Outcome }

/** What became of each leaver, by the user's id. */
export type DeniedOfAll = ReadonlyMap<string, Denied>

/**
 * Writes the Denies of all of these leavers into the policy of one permission set, reads them back, and has them provisioned to all
 * accounts: once, since a provisioning takes minutes, and the next of the same permission set waits for it.
 */
export const deny = async (aws: Aws, arn: string, endings: readonly Ending[], gate: Gate): Promise<DeniedOfAll> => {
  // Nobody else of ours reads and writes this policy meanwhile.
  const { budget } = aws.tools
  const place = await occupyPolicy(budget, { arn, userIds: idsOf(endings) }, placeMs)
  if (!place.ok)
    return each(endings, no({ kind: 'throttled', retryAfterMs: Math.min(place.waitMs, busyMs), scope: 'policy' }))
  try {
    return await denyAlone(aws, arn, endings, {
      gate,
      inPlace: whileOurs(budget, place.id, aws.settings.timeouts, gate),
      mayArrive: async (...tries) => {
        for (const some of tries) await keepFromOthers(budget, { arn, userIds: idsOf(some) })
      },
    })
  } finally {
    await budget.vacate(place.id)
  }
}

const idsOf = (endings: readonly Ending[]): readonly string[] => endings.map(({ userId }) => userId)
const each = (endings: readonly Ending[], denied: Denied): DeniedOfAll =>
  new Map(endings.map(({ userId }) => [userId, denied]))
const no = (outcome: Outcome): Denied => ({ ok: false, outcome })

type Writing = {
  readonly gate: Gate
  /** For the policy, which is read and written in a place. */
  readonly inPlace: Gate
  /** Whether the policy was written is not known. `tries`: who may write it meanwhile, since theirs says the same. */
  readonly mayArrive: (...tries: readonly (readonly Ending[])[]) => Promise<void>
}

const denyAlone = async (
  aws: Aws,
  arn: string,
  endings: readonly Ending[],
  { gate, inPlace, mayArrive }: Writing,
): Promise<DeniedOfAll> => {
  const before = await inlinePolicy(aws, arn)
  if (!before.ok) return each(endings, no(outcomeOfRead(before.failure)))
  const merged = mergeDenies(before.value, endings, aws.tools.now())
  if (merged.kind === 'unreadable') return each(endings, no(refusal('invalid', 'inline-policy-unreadable')))
  const { policy, added, wasSo, tooLarge } = merged
  const denied = new Map<string, Denied>()
  for (const [{ userId }, size] of tooLarge)
    denied.set(
      userId,
      no({ kind: 'refused', reason: 'limit', cause: { code: String(size), word: 'inline-policy-too-large' } }),
    )
  const written = policy === null ? null : await writePolicy(aws, arn, { before: before.value, policy, added }, inPlace)
  // With those who were in it before, or without: once that is in force they do not come again.
  if (written?.kind === 'failed' && written.mayArrive)
    await mayArrive(added, ...(wasSo.length === 0 ? [] : [[...added, ...wasSo]]))
  if (written?.kind === 'written') {
    const provisioned = await provision(aws, arn, gate)
    for (const { userId } of [...added, ...wasSo]) denied.set(userId, provisioned)
    return denied
  }
  if (written !== null) for (const { userId } of added) denied.set(userId, no(written.outcome))
  if (wasSo.length > 0) {
    const inForce = await provisionIfStale(aws, arn, gate)
    for (const { userId } of wasSo) denied.set(userId, inForce)
  }
  return denied
}

type Writable = { readonly before: string; readonly policy: string; readonly added: readonly Ending[] }
type Written =
  | { readonly kind: 'written' }
  | { readonly kind: 'failed'; readonly outcome: Outcome; readonly mayArrive: boolean }

const writePolicy = async (
  aws: Aws,
  arn: string,
  { before, policy, added }: Writable,
  gate: Gate,
): Promise<Written> => {
  const ids = { InstanceArn: aws.settings.instanceArn, PermissionSetArn: arn }
  const put = await aws.transport.write(
    aws.families.ssoAdmin,
    (options) =>
      aws.clients.ssoAdmin.send(new PutInlinePolicyToPermissionSetCommand({ ...ids, InlinePolicy: policy }), options),
    gate,
  )
  if (!put.ok) {
    const outcome = outcomeOfWrite(put.failure)
    return { kind: 'failed', outcome, mayArrive: outcome.kind === 'unknown' }
  }
  const after = await inlinePolicy(aws, arn)
  if (!after.ok) return { kind: 'failed', outcome: unverified(after.failure), mayArrive: false }
  if (deniesAll(after.value, added) && isSame(others(before), others(after.value))) return { kind: 'written' }
  const cause = { code: '', word: 'inline-policy-changed-meanwhile' }
  return { kind: 'failed', outcome: { kind: 'unknown', cause }, mayArrive: false }
}

/** Written before, and perhaps not provisioned: an answer may have been lost in between. */
const provisionIfStale = async (aws: Aws, arn: string, gate: Gate): Promise<Denied> => {
  const stale = await hasStaleAccounts(aws, arn)
  if (!stale.ok) return no(outcomeOfRead(stale.failure))
  return stale.value ? provision(aws, arn, gate) : { ok: true, request: null }
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
