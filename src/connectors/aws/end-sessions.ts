import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { isMissing, ok, outcomeOfRead, type Result, refusal, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Gate } from '../aws-wire/transport.ts'
import { notSo, type Operation, type PendingOperation } from '../connector.ts'
import { assignmentsOf } from './assignment-list.ts'
import type { Aws } from './aws.ts'
import { once } from './before.ts'
import { denies } from './deny-policy.ts'
import { type DeniedOfAll, deny } from './deny-sessions.ts'
import { parseNativeId } from './entitlement.ts'
import { type Handle, writeHandle } from './handle.ts'
import { readHoldings } from './holdings.ts'
import { membershipsBefore } from './is-member.ts'
import { hasStaleAccounts, inlinePolicy, provisioningStatus } from './permission-set-policy.ts'
import { describePermissionSet } from './permission-sets.ts'
import { serviceControlPolicy } from './service-control-policy.ts'
import { describeUser } from './users.ts'

const pollAfterMs = 1_000

type Provisioning = Extract<Handle, { kind: 'provisioning' }>

export type EndOperation = Extract<Operation, { op: 'endSessions' }>

/**
 * The users' grants by complete reads, for the record; with `deny-inline-policy` first a Deny on every permission set that they
 * reach, provisioned to all accounts. Without it, live role sessions run out (12 hours at most).
 */
export const endSessions = async (
  aws: Aws,
  operations: readonly EndOperation[],
  gate: Gate,
): Promise<readonly Outcome[]> => {
  if (aws.settings.sessions === 'none') return sideBySide(operations, ({ account }) => onlyTold(aws, account))
  const reached = await sideBySide(operations, async ({ account, held = [] }): Promise<Reached> => {
    const absent = await absence(aws, account)
    if (absent !== null) return { account, outcome: absent }
    const arns = await reachedBy(aws, account, held)
    return arns.ok ? { account, outcome: null, arns: arns.value } : { account, outcome: outcomeOfRead(arns.failure) }
  })
  const at = aws.tools.now()
  const usersOf = new Map<string, Set<NativeId>>()
  for (const { account, arns = [] } of reached)
    for (const arn of arns) usersOf.set(arn, (usersOf.get(arn) ?? new Set()).add(account))
  const ended = new Map(
    await sideBySide([...usersOf], async ([arn, users]): Promise<readonly [string, DeniedOfAll]> => {
      const endings = [...users].map((userId) => ({ userId, at }))
      const denied = await deny(aws, arn, endings, gate)
      const hasFailed = [...denied.values()].some(({ ok }) => !ok)
      return [arn, hasFailed && (await isGone(aws, arn)) ? new Map() : denied]
    }),
  )
  return sideBySide(
    reached,
    async ({ account, outcome, arns = [] }) => outcome ?? outcomeOf(aws, account, arns, ended, at),
  )
}

type Reached = { readonly account: NativeId; readonly outcome: Outcome | null; readonly arns?: readonly string[] }

/** One that cannot be denied keeps none of the others alive; of one that is gone nothing is said. */
const outcomeOf = async (
  aws: Aws,
  account: NativeId,
  arns: readonly string[],
  ended: ReadonlyMap<string, DeniedOfAll>,
  at: number,
): Promise<Outcome> => {
  const there: string[] = []
  const sets: { readonly arn: string; readonly request: string | null }[] = []
  const failures: Outcome[] = []
  for (const arn of arns) {
    const denied = ended.get(arn)?.get(account)
    if (denied === undefined) continue
    if (denied.ok) sets.push({ arn, request: denied.request })
    else failures.push(denied.outcome)
    there.push(arn)
  }
  const worst = nextToDo(failures)
  if (worst?.kind === 'refused')
    return { ...worst, todo: `attach for 12 hours as a service control policy: ${serviceControlPolicy(account)}` }
  if (worst !== undefined) return worst
  if (sets.every(({ request }) => request === null)) return told(aws, account, there)
  return { kind: 'pending', handle: writeHandle({ kind: 'provisioning', at, sets }), pollAfterMs }
}

/** What is worth another go is answered before what only a human can mend: that one is still so the next time. */
const order: readonly Outcome['kind'][] = ['unknown', 'throttled', 'retry', 'refused']
const nextToDo = (outcomes: readonly Outcome[]): Outcome | undefined =>
  [...outcomes].sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind))[0]

/** Whether every session that the user can have by now is denied. A Deny of an earlier leave proves nothing. */
export const observeSessions = async (aws: Aws, account: NativeId, held: readonly NativeId[]): Promise<Outcome> =>
  aws.settings.sessions === 'none'
    ? onlyTold(aws, account)
    : proven(aws, account, { at: aws.tools.now(), denied: [], held, inForce: new Set() })

/** What became of a provisioning, which many leavers may share: asked once in a poll. */
export type Asked = Map<string, ReturnType<typeof provisioningStatus>>

/** Our own provisioning is over, and the policies say what was asked: then it is done, whatever others wrote since. */
export const pollSessions = async (
  aws: Aws,
  { operation, handle: text }: PendingOperation,
  { at, sets }: Provisioning,
  asked: Asked,
): Promise<Outcome> => {
  const inForce = new Set<string>()
  for (const { arn, request } of sets) {
    if (request === null) continue
    const status = await once(asked, request, () => provisioningStatus(aws, request))
    if (!status.ok) return outcomeOfRead(status.failure)
    const said = status.value
    if (said?.Status === 'IN_PROGRESS') return { kind: 'pending', handle: text, pollAfterMs }
    if (said?.Status === 'FAILED')
      return {
        kind: 'retry',
        cause: { code: 'FAILED', word: notSo, ...(said.FailureReason ? { message: said.FailureReason } : {}) },
      }
    if (said?.Status === 'SUCCEEDED') inForce.add(arn)
  }
  const account = operation.op === 'ensureAccount' ? ('' as NativeId) : operation.account
  const seen = await proven(aws, account, { at, denied: sets.map(({ arn }) => arn), held: [], inForce })
  return seen.kind === 'done' ? { ...seen, changed: true, evidence: { ...seen.evidence, code: '0' } } : seen
}

type Claim = {
  readonly at: number
  /** Permission sets that were denied, which the user may no longer reach. */
  readonly denied: readonly string[]
  readonly held: readonly NativeId[]
  /** Those whose roles have the Deny: a later change that is not provisioned yet has not taken it away. */
  readonly inForce: ReadonlySet<string>
}

const proven = async (aws: Aws, account: NativeId, { at, denied, held, inForce }: Claim): Promise<Outcome> => {
  const absent = await absence(aws, account)
  if (absent !== null) return absent
  const reached = await reachedBy(aws, account, held)
  if (!reached.ok) return outcomeOfRead(reached.failure)
  const arns = [...new Set([...denied, ...reached.value])]
  for (const arn of arns) {
    const policy = await inlinePolicy(aws, arn)
    if (!policy.ok) {
      if (isMissing(policy.failure, 'something') && (await isGone(aws, arn))) continue
      return outcomeOfRead(policy.failure)
    }
    if (!denies(policy.value, { userId: account, at })) return retry(notSo)
    if (inForce.has(arn)) continue
    const stale = await hasStaleAccounts(aws, arn)
    if (!stale.ok) return outcomeOfRead(stale.failure)
    if (stale.value) return retry(notSo)
  }
  return told(aws, account, arns)
}

/** The permission set was deleted, and its roles with it. */
const isGone = async (aws: Aws, arn: string): Promise<boolean> => {
  const set = await describePermissionSet(aws, arn)
  return set.ok && set.value === null
}

/**
 * Done. `denied`: where the configuration asks for a Deny, the permission sets that have it. With none, what the user held
 * until a moment ago cannot be known: a session from it may live for 12 hours, and a human should see that.
 */
const told = async (aws: Aws, account: NativeId, denied?: readonly string[]): Promise<Outcome> => {
  const [holdings = ok([])] = await readHoldings(aws, [account])
  if (!holdings.ok) return outcomeOfRead(holdings.failure)
  return {
    kind: 'done',
    changed: false,
    evidence: { read: 'grants', code: '', account, entitlement: null },
    grants: holdings.value,
    ...(denied?.length === 0 ? { unfinished: [{ code: '', word: 'nothing-held-any-more' }] } : {}),
  }
}

/** Whoever is in a group is there; of anybody else a list says nothing, and AWS keeps assignments of users that are gone. */
const onlyTold = async (aws: Aws, account: NativeId): Promise<Outcome> => {
  const held = await told(aws, account)
  const isThere = held.kind === 'done' && held.grants?.some(({ nativeId }) => parseNativeId(nativeId).kind === 'group')
  return isThere ? held : ((await absence(aws, account)) ?? held)
}

/** null: the user is there. */
const absence = async (aws: Aws, account: NativeId): Promise<Outcome | null> => {
  const user = await describeUser(aws, account)
  if (!user.ok) return outcomeOfRead(user.failure)
  return user.value === null ? refusal('account-missing', 'no-such-user') : null
}

/**
 * Permission sets of the user itself and of its groups, each group asked, and of what it held until a moment ago: a list
 * that lacks one lets a session live.
 */
const reachedBy = async (
  aws: Aws,
  account: NativeId,
  held: readonly NativeId[],
): Promise<Result<readonly string[]>> => {
  const memberships = await membershipsBefore(aws, account)
  if (!memberships.ok) return memberships
  const own = await assignmentsOf(aws, account)
  if (!own.ok) return own
  const arns = new Set(own.value.map(({ permissionSetArn }) => permissionSetArn))
  const left = held.map(parseNativeId)
  for (const one of left) if (one.kind === 'assignment') arns.add(one.permissionSetArn)
  const former = left.flatMap((one) =>
    one.kind === 'group' && !memberships.value.has(one.groupId) ? [one.groupId] : [],
  )
  for (const group of [...memberships.value.keys(), ...former]) {
    const assigned = await assignmentsOf(aws, group, 'GROUP')
    // A group that was deleted since reaches nothing any more, and nobody knows what it reached.
    if (!assigned.ok && former.includes(group) && isMissing(assigned.failure, 'something')) continue
    if (!assigned.ok) return assigned
    for (const { permissionSetArn } of assigned.value) arns.add(permissionSetArn)
  }
  return ok([...arns].sort())
}
