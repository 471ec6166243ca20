import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement } from '../../domain/outcome.ts'
import { ok, type Result } from '../aws-wire/errors.ts'
import type { Iam } from './iam.ts'
import { lookupOf } from './lookup.ts'
import { listRoles, type Role } from './roles.ts'
import { readTrust } from './trust.ts'

export type Holding = {
  readonly account: NativeId
  readonly role: Role
  readonly entitlement: ObservedEntitlement
}

/** Roles whose statements of ours name these people: one listing for all of them, or nothing. */
export const readHoldings = async (
  iam: Iam,
  accounts: readonly NativeId[],
  signal?: AbortSignal,
): Promise<Result<readonly Holding[]>> => {
  if (accounts.length === 0) return ok([])
  const roles = await listRoles(iam, signal)
  return roles.ok ? ok(holdingsIn(iam, roles.value, accounts)) : roles
}

/** The same, of roles that were listed already. */
export const holdingsIn = (
  { settings }: Pick<Iam, 'settings'>,
  roles: readonly Role[],
  accounts: readonly NativeId[],
): readonly Holding[] => {
  const wanted = new Set<string>(accounts)
  const holdings: Holding[] = []
  for (const role of roles) {
    const trust = readTrust(settings, role.trust)
    for (const name of trust?.people ?? [])
      if (wanted.has(name))
        holdings.push({
          account: name as NativeId,
          role,
          entitlement: { nativeId: role.id, name: lookupOf(role) },
        })
  }
  return holdings
}
