import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { EnsureOperation, Operation } from '../connector.ts'
import { retry } from './answers.ts'
import type { EntraSettings } from './config.ts'
import { type Group, isHidden, keptBy, obstacle } from './groups.ts'

export type AccessOperation = Exclude<Operation, EnsureOperation>
export type Membership = Extract<Operation, { op: 'grant' | 'revoke' }>

/** One operation of a call, and the group that it is about. */
export type Item = {
  readonly index: number
  readonly operation: AccessOperation
  /** null but for grant and revoke. `group` null: it is not shown, and is left all the same. */
  readonly group: { readonly id: NativeId; readonly group: Group | null } | null
}

/** Why this is not ours to do; null when it is. A group that is not shown has nothing against it: Graph decides. */
export const obstacleOf = ({ group }: Item, settings: Pick<EntraSettings, 'roleAssignableGroups'>): string | null =>
  group === null || group.group === null ? null : obstacle(group.group, settings)

/** No read of it tells anything: neither «taken out» nor «not in it» could ever be proved. */
export const isUnreadable = ({ group }: Item, settings: Pick<EntraSettings, 'hiddenMembershipGroups'>): boolean =>
  group !== null && group.group !== null && isHidden(group.group, settings)

/** Who is in it a rule or another directory says. */
export const isKeptElsewhere = ({ group }: Item): boolean =>
  group !== null && group.group !== null && keptBy(group.group) !== null

export const isMembership = (operation: Operation): operation is Membership =>
  operation.op === 'grant' || operation.op === 'revoke'

/** Answers operations on accounts and on access apart, and puts their outcomes back into order. */
export const inOrder = async (
  operations: readonly Operation[],
  accounts: (operations: readonly EnsureOperation[]) => Promise<readonly Outcome[]>,
  access: (operations: readonly AccessOperation[]) => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> => {
  const ensures: EnsureOperation[] = []
  const others: AccessOperation[] = []
  for (const operation of operations) {
    if (operation.op === 'ensureAccount') ensures.push(operation)
    else others.push(operation)
  }
  const ofEnsures = (ensures.length === 0 ? [] : await accounts(ensures)).values()
  const ofOthers = (others.length === 0 ? [] : await access(others)).values()
  return operations.map(({ op }) => (op === 'ensureAccount' ? ofEnsures : ofOthers).next().value ?? retry('not-begun'))
}
