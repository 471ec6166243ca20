import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { isMissing, ok, outcomeOfRead, refusal, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import { type EnsureOperation, notSo as notSoWord, type Operation } from '../connector.ts'
import { type AccessOperation, identifyAll, isTarget, refusalOf, wasSo } from './access.ts'
import { inOrder } from './apply.ts'
import { assignmentEvidence } from './assignment.ts'
import { assignedUsers } from './assignment-list.ts'
import type { Aws } from './aws.ts'
import { observeSessions } from './end-sessions.ts'
import { done, outcomeOfMatch } from './ensure-accounts.ts'
import { findAccounts } from './find-accounts.ts'
import { readHoldings } from './holdings.ts'
import type { AssignmentTarget, GroupTarget } from './identify.ts'
import { isOutOf, membershipId } from './is-member.ts'
import { describeUser } from './users.ts'

const notSo = retry(notSoWord)

/** Reads only. Whatever a read that failed would be worth to `apply`, here it told nothing. */
export const observe = async (aws: Aws, operations: readonly Operation[]): Promise<readonly Outcome[]> => {
  const outcomes = await inOrder(operations, {
    access: (some) => observeAccess(aws, some),
    ensure: (some) => observeAccounts(aws, some),
    sessions: (some) => sideBySide(some, ({ account, held = [] }) => observeSessions(aws, account, held)),
    deletion: ({ account }) => observeDeletion(aws, account),
  })
  return outcomes.map(asTold)
}

/** A read that did not tell is `unknown`, whatever kept it from telling. */
export const asTold = (outcome: Outcome): Outcome => {
  if (outcome.kind === 'throttled') return { kind: 'unknown', cause: { code: '', word: 'throttled', elsewhere: true } }
  return outcome.kind === 'retry' && outcome.cause.word !== notSoWord
    ? { kind: 'unknown', cause: outcome.cause }
    : outcome
}

const observeAccess = async (aws: Aws, operations: readonly AccessOperation[]): Promise<readonly Outcome[]> => {
  const identities = await identifyAll(
    aws,
    operations.map(({ entitlement }) => entitlement),
  )
  const lists = new Map<string, ReturnType<typeof assignedUsers>>()
  return sideBySide(operations, async ({ op, account }, index): Promise<Outcome> => {
    const target = identities[index] ?? ({ kind: 'missing' } as const)
    // To see is allowed everywhere; what nobody may change can still be looked at.
    const refused = target.kind === 'group' && target.strayed === null ? null : refusalOf(target, op)
    if (refused !== null || !isTarget(target)) return refused ?? notSo
    return target.kind === 'group'
      ? observeMembership(aws, op, account, target)
      : observeAssignment(aws, op, account, target, lists)
  })
}

const observeMembership = async (
  aws: Aws,
  op: 'grant' | 'revoke',
  account: NativeId,
  target: GroupTarget,
): Promise<Outcome> => {
  if (op === 'revoke') {
    const out = await isOutOf(aws, account, target.groupId)
    const isGone = !out.ok && isMissing(out.failure, 'account')
    if (!out.ok && !isGone) return outcomeOfRead(out.failure)
    return isGone || (out.ok && out.value) ? wasSo(account, target.groupId) : notSo
  }
  const membership = await membershipId(aws, account, target.groupId)
  if (membership.ok && membership.value !== null) return wasSo(account, target.groupId)
  if (!membership.ok && !isMissing(membership.failure, 'account')) return outcomeOfRead(membership.failure)
  return absent(aws, account)
}

/** Not granted: because there is nobody to grant it to? */
const absent = async (aws: Aws, account: NativeId): Promise<Outcome> => {
  const user = await describeUser(aws, account)
  if (!user.ok) return outcomeOfRead(user.failure)
  return user.value === null ? refusal('account-missing', 'no-such-user') : notSo
}

const observeAssignment = async (
  aws: Aws,
  op: 'grant' | 'revoke',
  account: NativeId,
  target: AssignmentTarget,
  lists: Map<string, ReturnType<typeof assignedUsers>>,
): Promise<Outcome> => {
  const key = `${target.accountId}/${target.permissionSetArn}`
  const list = lists.get(key) ?? assignedUsers(aws, target)
  lists.set(key, list)
  const users = await list
  if (!users.ok) return outcomeOfRead(users.failure)
  if (users.value === null) return refusal('entitlement-missing', 'no-such-permission-set')
  if (users.value.has(account) === (op === 'grant'))
    return { kind: 'done', changed: false, evidence: assignmentEvidence(account, target, '') }
  return op === 'grant' ? absent(aws, account) : notSo
}

const observeAccounts = async (aws: Aws, operations: readonly EnsureOperation[]): Promise<readonly Outcome[]> => {
  const matches = await findAccounts(aws, operations)
  const found = matches.flatMap((match) => (match.kind === 'found' ? [match.user.id] : []))
  const holdings = new Map((await readHoldings(aws, found)).map((read, at) => [found[at], read]))
  return operations.map(({ account }, at) => {
    const match = matches[at] ?? { kind: 'none' }
    if (match.kind === 'none') return notSo
    if (match.kind !== 'found') return outcomeOfMatch(match)
    const origin = account === null ? 'linked' : 'known'
    return done(aws, { user: match.user, origin, code: '' }, holdings.get(match.user.id) ?? ok(null))
  })
}

const observeDeletion = async (aws: Aws, account: NativeId): Promise<Outcome> => {
  const user = await describeUser(aws, account)
  if (!user.ok) return outcomeOfRead(user.failure)
  if (user.value !== null) return notSo
  return { kind: 'done', changed: false, evidence: { read: 'user', code: '', account, entitlement: null } }
}
