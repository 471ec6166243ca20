import { CreateGroupMembershipCommand, DeleteGroupMembershipCommand } from '@aws-sdk/client-identitystore'
import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { isMissing, ok, outcomeOfRead, outcomeOfWrite, type Result, retry, unverified } from '../aws-wire/errors.ts'
import type { Gate } from '../aws-wire/transport.ts'
import type { Aws } from './aws.ts'
import { groupNativeId } from './entitlement.ts'
import { writeHandle } from './handle.ts'
import { groupsOfThese, isOutOf, membershipId, membershipsBefore, membershipsOf } from './is-member.ts'
import { settleMs } from './manifest.ts'

/** A change of one user's membership in one group. */
export type Change = { readonly index: number; readonly op: 'grant' | 'revoke'; readonly groupId: string }

/** So often a membership that was not read back is asked for. */
export const settlingPollMs = 1_000

const evidence = (account: NativeId, groupId: string, code: string) => ({
  read: 'group-membership',
  code,
  account,
  entitlement: groupNativeId(groupId),
})

/** AWS answered, and a read must tell what is so now: whether AWS said that it changed something, and what it said. */
type Told = Change & { readonly changed: boolean; readonly code: string }
export type Written = {
  readonly account: NativeId
  /** What needs no proof, by index. */
  readonly outcomes: Map<number, Outcome>
  readonly toProve: readonly Told[]
}

/** Changes of one user, in their order, then one read of all that was changed: what it says is what is answered. */
export const changeMemberships = async (
  aws: Aws,
  account: NativeId,
  changes: readonly Change[],
  gate: Gate,
  /** Awaited before the first write. */
  mayBegin: Promise<unknown>,
): Promise<ReadonlyMap<number, Outcome>> =>
  proveMemberships(aws, await writeMemberships(aws, account, changes, gate, mayBegin))

export const writeMemberships = async (
  aws: Aws,
  account: NativeId,
  changes: readonly Change[],
  gate: Gate,
  mayBegin: Promise<unknown> = Promise.resolve(),
): Promise<Written> => {
  const outcomes = new Map<number, Outcome>()
  const toProve: Told[] = []
  if (gate.signal.aborted) {
    for (const { index } of changes) outcomes.set(index, retry('lease'))
    return { account, outcomes, toProve }
  }
  const revokes = changes.filter(({ op }) => op === 'revoke')
  const ids = await idsOf(aws, account, revokes)
  await mayBegin
  for (const change of changes) {
    const { index, op, groupId } = change
    if (op === 'revoke' && !ids.ok) {
      outcomes.set(index, goneAccount(ids.failure) ? absent(account, groupId) : outcomeOfRead(ids.failure))
      continue
    }
    const membership = ids.ok ? ids.value.get(groupId) : undefined
    if (op === 'revoke' && membership === undefined) {
      outcomes.set(index, await provedAbsent(aws, account, groupId))
      continue
    }
    const written =
      op === 'grant' ? await create(aws, account, groupId, gate) : await remove(aws, membership ?? '', gate)
    if (written.ok) toProve.push({ ...change, changed: true, code: '0' })
    else if (isAboutItself(written.failure, op)) toProve.push({ ...change, changed: false, code: written.failure.code })
    else outcomes.set(index, outcomeOfWrite(written.failure))
  }
  return { account, outcomes, toProve }
}

/** `shown`: groups that a list has just shown the user in. */
export const proveMemberships = async (
  aws: Aws,
  { account, outcomes, toProve }: Written,
  shown: ReadonlySet<string> = new Set(),
): Promise<ReadonlyMap<number, Outcome>> => {
  if (toProve.length === 0) return outcomes
  const groups = [...new Set(toProve.map(({ groupId }) => groupId))]
  const proof = groups.every((id) => shown.has(id)) ? ok(shown) : await groupsOfThese(aws, account, groups)
  for (const { index, op, groupId, changed, code } of toProve) {
    if (!proof.ok) {
      outcomes.set(index, changed ? unverified(proof.failure) : outcomeOfRead(proof.failure))
    } else if (!changed && op === 'revoke' && !proof.value.has(groupId)) {
      // Neither AWS nor we have taken it away: then all pages must say that it is gone.
      outcomes.set(index, await provedAbsent(aws, account, groupId))
    } else if (proof.value.has(groupId) === (op === 'grant')) {
      outcomes.set(index, { kind: 'done', changed, evidence: evidence(account, groupId, changed ? code : '') })
    } else if (changed) {
      const handle = writeHandle({ kind: 'settling', until: aws.tools.now() + settleMs })
      outcomes.set(index, { kind: 'pending', handle, pollAfterMs: settlingPollMs })
    } else {
      // AWS says that it is so, a read says that it is not: somebody changes it at this moment.
      outcomes.set(index, retry('contradicted'))
    }
  }
  return outcomes
}

/** Nothing showed it: what was read for another reason, maybe a while ago, is no proof. */
const provedAbsent = async (aws: Aws, account: NativeId, groupId: string): Promise<Outcome> => {
  const out = await isOutOf(aws, account, groupId)
  if (!out.ok) return goneAccount(out.failure) ? absent(account, groupId) : outcomeOfRead(out.failure)
  return out.value ? absent(account, groupId) : retry('contradicted')
}

const absent = (account: NativeId, groupId: string): Outcome => ({
  kind: 'done',
  changed: false,
  evidence: evidence(account, groupId, ''),
})

/** Whoever does not exist is in no group. */
const goneAccount = (failure: Parameters<typeof isMissing>[0]): boolean => isMissing(failure, 'account')

/** It is so already, AWS says; two calls at once may also be told to come back. Only a read tells. */
const isAboutItself = (failure: Parameters<typeof isMissing>[0], op: Change['op']): boolean =>
  op === 'grant' ? failure.verdict.kind === 'already' : isMissing(failure, 'membership')

/**
 * Group id → membership id of those to be revoked: one call for one, all pages for several, or where those were read for
 * another reason. That call can show a membership; that there is none, only all pages say.
 */
const idsOf = async (
  aws: Aws,
  account: NativeId,
  revokes: readonly Change[],
): Promise<Result<ReadonlyMap<string, string>>> => {
  const [first] = revokes
  if (first === undefined) return ok(new Map())
  if (revokes.length > 1 || aws.before?.memberships.has(account)) return membershipsBefore(aws, account)
  const one = await membershipId(aws, account, first.groupId)
  if (!one.ok) return one
  return one.value === null ? membershipsOf(aws, account) : ok(new Map([[first.groupId, one.value]]))
}

const create = (aws: Aws, account: NativeId, groupId: string, gate: Gate): Promise<Result<unknown>> =>
  aws.transport.write(
    aws.families.identityStore,
    (options) =>
      aws.clients.identityStore.send(
        new CreateGroupMembershipCommand({
          IdentityStoreId: aws.settings.identityStoreId,
          GroupId: groupId,
          MemberId: { UserId: account },
        }),
        options,
      ),
    gate,
  )

const remove = (aws: Aws, membership: string, gate: Gate): Promise<Result<unknown>> =>
  aws.transport.write(
    aws.families.identityStore,
    (options) =>
      aws.clients.identityStore.send(
        new DeleteGroupMembershipCommand({ IdentityStoreId: aws.settings.identityStoreId, MembershipId: membership }),
        options,
      ),
    gate,
  )
