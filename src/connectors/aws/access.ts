import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { outcomeOfRead, refusal, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Gate } from '../aws-wire/transport.ts'
import type { EntitlementRef, Operation } from '../connector.ts'
import { type AssignmentChange, changeAssignments } from './assignment.ts'
import type { Aws } from './aws.ts'
import { groupNativeId } from './entitlement.ts'
import { type AssignmentTarget, type GroupTarget, type Identity, identify, listOnce } from './identify.ts'
import { groupsOfThese, isOutOf } from './is-member.ts'
import { crowdsOf, letIn } from './let-in.ts'
import { type Change, changeMemberships } from './membership.ts'

export type AccessOperation = Extract<Operation, { op: 'grant' | 'revoke' }>

/** SCIM carries the change from the identity provider; its default interval is 40 minutes, on demand it is sooner. */
const scimMs = 60_000

/** Grants and revokes. Access ends before it begins. */
export const changeAccess = async (
  aws: Aws,
  operations: readonly AccessOperation[],
  gate: Gate,
  /** Awaited before the first write; what is read before may be read meanwhile. */
  sessionsEnded: Promise<unknown>,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const items = await sortOut(aws, operations, outcomes)
  for (const op of ['revoke', 'grant'] as const) {
    const now = items.filter(({ operation }) => operation.op === op)
    await changeGroups(aws, now, outcomes, gate, sessionsEnded)
    await sessionsEnded
    await changeAllAssignments(aws, now, outcomes, gate)
  }
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}

export type Item<T = GroupTarget | AssignmentTarget> = {
  readonly index: number
  readonly operation: AccessOperation
  readonly target: T
}

/** Entitlements of these operations, each identified once; what cannot be worked on is answered in `outcomes`. */
const sortOut = async (
  aws: Aws,
  operations: readonly AccessOperation[],
  outcomes: (Outcome | undefined)[],
): Promise<readonly Item[]> => {
  const identities = await identifyAll(
    aws,
    operations.map(({ entitlement }) => entitlement),
  )
  return operations.flatMap((operation, index) => {
    const target = identities[index] ?? ({ kind: 'missing' } as const)
    const refused = refusalOf(target, operation.op)
    if (refused !== null) outcomes[index] = refused
    return refused === null && isTarget(target) ? [{ index, operation, target }] : []
  })
}

/** One identity for each ref, in order; the same ref is read once. */
export const identifyAll = async (aws: Aws, refs: readonly EntitlementRef[]): Promise<readonly Identity[]> => {
  const byKey = new Map(refs.map((ref) => [keyOf(ref), ref]))
  const sets = listOnce(aws)
  const keys = [...byKey.keys()]
  const found = new Map(
    (await sideBySide([...byKey.values()], (ref) => identify(aws, ref, sets))).map((identity, at) => [
      keys[at],
      identity,
    ]),
  )
  return refs.map((ref) => found.get(keyOf(ref)) ?? { kind: 'missing' })
}

const keyOf = ({ lookup, nativeId }: EntitlementRef): string => JSON.stringify([lookup, nativeId])

export const isTarget = (identity: Identity): identity is GroupTarget | AssignmentTarget =>
  identity.kind === 'group' || identity.kind === 'assignment'

/** Why nothing is done here; null when something can be. */
export const refusalOf = (identity: Identity, op: 'grant' | 'revoke'): Outcome | null => {
  switch (identity.kind) {
    case 'missing':
      return refusal('entitlement-missing', 'no-such-entitlement')
    case 'changed':
      return refusal('entitlement-changed-identity', 'another-entitlement')
    case 'bad-lookup':
      return refusal('configuration', 'bad-lookup')
    case 'assignments-off':
      return refusal('configuration', 'assignments-are-not-managed')
    case 'failed':
      return outcomeOfRead(identity.failure)
    case 'assignment':
      return null
    case 'group':
      if (identity.ownership.owner === 'nobody') return refusal('protected', identity.ownership.word)
      if (op === 'revoke' || identity.strayed === null) return null
      return identity.strayed === 'missing'
        ? refusal('entitlement-missing', 'renamed')
        : refusal('entitlement-changed-identity', 'another-entitlement')
    default:
      return identity satisfies never
  }
}

const changeGroups = async (
  aws: Aws,
  items: readonly Item[],
  outcomes: (Outcome | undefined)[],
  gate: Gate,
  sessionsEnded: Promise<unknown>,
): Promise<void> => {
  const ours: Item<GroupTarget>[] = []
  const scim: Item<GroupTarget>[] = []
  for (const { index, operation, target } of items) {
    if (target.kind === 'group')
      (target.ownership.owner === 'scim-idp' ? scim : ours).push({ index, operation, target })
  }
  await sideBySide(byAccount(scim), async ([account, of]) => verifyOnly(aws, account, of, outcomes))
  const people = byAccount(ours).map(([account, of]) => ({ account, changes: of.map(changeOf) }))
  const { crowds, others } = crowdsOf(people)
  const tell = (told: ReadonlyMap<number, Outcome>) => {
    for (const [index, outcome] of told) outcomes[index] = outcome
  }
  await sideBySide(others, async ({ account, changes }) =>
    tell(await changeMemberships(aws, account, changes, gate, sessionsEnded)),
  )
  await sessionsEnded
  for (const crowd of crowds) tell(await letIn(aws, crowd, gate))
}

const changeOf = ({ index, operation, target }: Item<GroupTarget>): Change => ({
  index,
  op: operation.op,
  groupId: target.groupId,
})

const byAccount = <T>(items: readonly Item<T>[]): readonly (readonly [NativeId, readonly Item<T>[]])[] => [
  ...Map.groupBy(items, ({ operation }) => operation.account),
]

/** SCIM's group: whether the identity provider has brought it here. Never written. */
const verifyOnly = async (
  aws: Aws,
  account: NativeId,
  items: readonly Item<GroupTarget>[],
  outcomes: (Outcome | undefined)[],
): Promise<void> => {
  const inside = await groupsOfThese(aws, account, [...new Set(items.map(({ target }) => target.groupId))])
  for (const { index, operation, target } of items) {
    if (!inside.ok) outcomes[index] = outcomeOfRead(inside.failure)
    else if (operation.op === 'revoke' && !inside.value.has(target.groupId)) {
      const out = await isOutOf(aws, account, target.groupId)
      if (!out.ok) outcomes[index] = outcomeOfRead(out.failure)
      else outcomes[index] = out.value ? wasSo(account, target.groupId) : untilBrought(target)
    } else if (inside.value.has(target.groupId) !== (operation.op === 'grant')) outcomes[index] = untilBrought(target)
    else outcomes[index] = wasSo(account, target.groupId)
  }
}

const untilBrought = ({ fedBy }: GroupTarget): Outcome => ({
  kind: 'retry',
  retryAfterMs: scimMs,
  cause: { code: '', word: 'scim-owned', awaited: fedBy },
})

export const wasSo = (account: NativeId, groupId: string): Outcome => ({
  kind: 'done',
  changed: false,
  evidence: { read: 'group-membership', code: '', account, entitlement: groupNativeId(groupId) },
})

const changeAllAssignments = async (
  aws: Aws,
  items: readonly Item[],
  outcomes: (Outcome | undefined)[],
  gate: Gate,
): Promise<void> => {
  const byTarget = new Map<string, { readonly target: AssignmentTarget; readonly changes: AssignmentChange[] }>()
  for (const { index, operation, target } of items) {
    if (target.kind !== 'assignment') continue
    const key = `${target.accountId}/${target.permissionSetArn}`
    const entry = byTarget.get(key) ?? { target, changes: [] }
    entry.changes.push({ index, op: operation.op, account: operation.account })
    byTarget.set(key, entry)
  }
  for (const [index, outcome] of await changeAssignments(aws, [...byTarget.values()], gate)) outcomes[index] = outcome
}
