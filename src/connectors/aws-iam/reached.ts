import type { NativeId } from '../../domain/ids.ts'
import type { Cause, ObservedEntitlement } from '../../domain/outcome.ts'
import { ok, type Result } from '../aws-wire/errors.ts'
import type { Operation } from '../connector.ts'
import { holdingsIn } from './holdings.ts'
import type { Iam } from './iam.ts'
import { listAllRoles, protectionOf, type Role } from './roles.ts'

export type EndOperation = Extract<Operation, { op: 'endSessions' }>

/** Where sessions of one person may live. */
export type Reached = {
  readonly account: NativeId
  readonly grants: readonly ObservedEntitlement[]
  /** Roles that let the person in, and those that did within the last day: whoever took the name out denied nothing, perhaps. */
  readonly roles: readonly Role[]
  /** What cannot be ended, or known: a human should see it. */
  readonly unfinished: readonly Cause[]
}

/** By one complete listing, in the order of the operations; or nothing. A role that is gone took its sessions along. */
export const readReached = async (
  iam: Iam,
  operations: readonly EndOperation[],
): Promise<Result<readonly Reached[]>> => {
  const all = await listAllRoles(iam)
  if (!all.ok) return all
  const accounts = operations.map(({ account }) => account)
  const byId = new Map(all.value.map((role) => [role.id, role]))
  const isOurs = (role: Role) => protectionOf(iam.settings, role) === null
  const named = Map.groupBy(holdingsIn(iam, all.value.filter(isOurs), accounts), ({ account }) => account)
  return ok(
    operations.map(({ account, held = [] }) => {
      const now = named.get(account) ?? []
      const former = held
        .flatMap((id) => byId.get(id) ?? [])
        .filter(({ id }) => now.every(({ role }) => role.id !== id))
      const isUnknown = now.length === 0 && held.length === 0
      const words = [
        ...(isUnknown ? ['nothing-held-any-more'] : []),
        ...former.flatMap((role) => protectionOf(iam.settings, role) ?? []).map((word) => `sessions-${word}`),
      ]
      return {
        account,
        grants: now.map(({ entitlement }) => entitlement),
        roles: [...now.map(({ role }) => role), ...former.filter(isOurs)],
        unfinished: [...new Set(words)].map((word) => ({ code: '', word })),
      }
    }),
  )
}
