/** What tests of account assignments share: a permission set `Trader`, and AWS accounts that nobody else uses. */
import type { Connector, Operation, PendingOperation } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import { type AwsWorld, makeAws } from './aws-world.ts'
import { always, freshKey, said } from './world.ts'

export const pendingOf = (operation: Operation, outcome: Outcome | undefined): PendingOperation => {
  if (outcome?.kind !== 'pending') throw new Error(`not pending: ${said(outcome)}`)
  return { operation, handle: outcome.handle }
}

let accounts = 0
export const freshAccount = (): string => String(100_000_000_000 + ++accounts)

export type AssignmentScene = {
  readonly connector: Connector
  /** Of `Trader`. */
  readonly arn: string
  readonly addUser: () => Promise<NativeId>
  readonly change: (op: 'grant' | 'revoke', account: NativeId, awsAccount: string, pinned?: boolean) => Operation
  readonly begin: (operation: Operation) => Promise<PendingOperation>
  readonly poll: (...pending: readonly PendingOperation[]) => Promise<readonly Outcome[]>
}

export const assignmentScene = async (world: AwsWorld): Promise<AssignmentScene> => {
  const connector = makeAws(world)
  const arn = await world.addPermissionSet('Trader')
  return {
    connector,
    arn,
    addUser: async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId,
    change: (op, account, awsAccount, pinned = true) => ({
      op,
      account,
      entitlement: {
        id: 1 as EntitlementId,
        lookup: `assignment/${awsAccount}/Trader`,
        nativeId: pinned ? (`${awsAccount}/${arn}` as NativeId) : null,
      },
    }),
    begin: async (operation) => pendingOf(operation, (await connector.apply([operation], always))[0]),
    poll: async (...pending) => (await connector.poll?.(pending, always.signal)) ?? [],
  }
}
