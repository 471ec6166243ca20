import type { Outcome } from '../../domain/outcome.ts'
import { refusal, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Gate } from '../aws-wire/transport.ts'
import type { Operation } from '../connector.ts'
import { changeRole } from './change-role.ts'
import type { Iam } from './iam.ts'
import { identifyAll, refusalOf } from './identify.ts'
import type { Change } from './plan-trust.ts'
import type { Role } from './roles.ts'
import { isSessionName } from './session-name.ts'

export type AccessOperation = Extract<Operation, { op: 'grant' | 'revoke' }>

/** Grants and revokes: each role is changed once, for all of them. */
export const changeAccess = async (
  iam: Iam,
  operations: readonly AccessOperation[],
  gate: Gate,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const byRole = new Map<string, { readonly role: Role; readonly changes: Change[] }>()
  const identities = await identifyAll(
    iam,
    operations.map(({ entitlement }) => entitlement),
  )
  for (const [index, { op, account }] of operations.entries()) {
    const identity = identities[index] ?? ({ kind: 'missing' } as const)
    if (identity.kind !== 'role') {
      outcomes[index] = refusalOf(identity)
    } else if (!isSessionName(account)) {
      outcomes[index] = refusal('account-missing', 'no-session-name')
    } else {
      const entry = byRole.get(identity.role.id) ?? { role: identity.role, changes: [] }
      entry.changes.push({ index, op, account })
      byRole.set(identity.role.id, entry)
    }
  }
  const changeOne = async ({ role, changes }: { readonly role: Role; readonly changes: readonly Change[] }) => {
    for (const [index, outcome] of await changeRole(iam, role, changes, gate)) outcomes[index] = outcome
  }
  // A leaver's roles side by side; bulk work one after the other: its lease may end between any two.
  if (iam.tools.lane === 'leaver') await sideBySide([...byRole.values()], changeOne)
  else for (const one of byRole.values()) await changeOne(one)
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}
