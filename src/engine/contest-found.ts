import { auditEntry } from '../audit/entry.ts'
import type { AuditEntry } from '../domain/audit-entry.ts'
import type { Transaction } from '../store/database.ts'
import { contestSeen } from '../store/entitlement-questions.ts'
import type { EntitlementSeen } from '../store/grants.ts'
import type { Claim } from './claim.ts'

/**
 * A read saw a stranger under the name of an entitlement of the catalogue: no grant that conflicts with it goes until that
 * is settled (ADR 0010). Returns the entries that say so; they belong into the same transaction.
 */
export const contestFound = async (
  tx: Transaction,
  { target, dispatch }: Pick<Claim, 'target' | 'dispatch'>,
  seen: readonly EntitlementSeen[],
  at: number,
): Promise<readonly AuditEntry[]> =>
  (await contestSeen(tx, target, seen)).map(({ id, by }) =>
    auditEntry(
      'entitlement-contested',
      at,
      { dispatchId: dispatch, entitlementId: id },
      { entitlement: id, target, dispatch, by },
    ),
  )
