import type { NativeId } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'
import { isProtectedAccount, isProtectedEntitlement, type Protection } from '../domain/protection.ts'
import type { ApplyContext, Connector, Operation } from './connector.ts'

/**
 * The connector behind a door that nothing protected passes: whoever is break-glass, and whatever is the target's own, is
 * neither written nor linked, whatever a policy or a human wants of it. Lists and grants are read as they are.
 */
export const protecting = (connector: Connector, protection: Protection): Connector => ({
  ...connector,
  apply: (operations, context) => apply(connector, protection, operations, context),
  observe: async (operations, signal) =>
    (await connector.observe(operations, signal)).map((outcome) =>
      // Found for somebody who has none: nobody links it.
      outcome.kind === 'done' &&
      outcome.account !== undefined &&
      isProtectedAccount(protection, outcome.account.nativeId)
        ? refused('protected-account')
        : outcome,
    ),
  protects: (account) => isProtectedAccount(protection, account),
})

const apply = async (
  connector: Connector,
  protection: Protection,
  operations: readonly Operation[],
  context: ApplyContext,
): Promise<readonly Outcome[]> => {
  const sought = await foundFor(connector, protection, operations, context)
  const refusals = operations.map((operation) => refusal(protection, operation, sought.get(operation)))
  const open = operations.filter((_, index) => refusals[index] === null)
  const told = (open.length === 0 ? [] : await connector.apply(open, context)).values()
  return refusals.map((one) => one ?? told.next().value ?? notBegun)
}

/** Which accounts would be linked: known only by looking, and looked for only where somebody is protected. */
const foundFor = async (
  connector: Connector,
  { accounts }: Protection,
  operations: readonly Operation[],
  { signal }: ApplyContext,
): Promise<ReadonlyMap<Operation, NativeId | 'unread'>> => {
  const seeking = operations.filter((operation) => operation.op === 'ensureAccount' && operation.account === null)
  if (accounts.length === 0 || seeking.length === 0) return new Map()
  const outcomes = await connector.observe(seeking, signal)
  return new Map(
    seeking.flatMap((operation, index): [Operation, NativeId | 'unread'][] => {
      const outcome = outcomes[index]
      if (outcome?.kind === 'done') return outcome.account === undefined ? [] : [[operation, outcome.account.nativeId]]
      // Nobody has it, or the connector refuses by itself: then there is nothing to protect.
      return outcome?.kind === 'unknown' || outcome === undefined ? [[operation, 'unread']] : []
    }),
  )
}

const refusal = (
  protection: Protection,
  operation: Operation,
  found: NativeId | 'unread' | undefined,
): Outcome | null => {
  if (found === 'unread') return { kind: 'retry', cause: { code: '', word: 'not-read-before' } }
  const account = operation.account ?? found
  if (account !== undefined && isProtectedAccount(protection, account)) return refused('protected-account')
  if ('entitlement' in operation) {
    const { lookup, nativeId } = operation.entitlement
    const names = nativeId === null ? [lookup] : [lookup, nativeId]
    if (names.some((name) => isProtectedEntitlement(protection, name))) return refused('protected-entitlement')
  }
  return null
}

const refused = (word: string): Outcome => ({ kind: 'refused', reason: 'protected', cause: { code: '', word } })
const notBegun: Outcome = { kind: 'retry', cause: { code: '', word: 'not-begun' } }
