import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import type { TargetId } from '../../src/domain/ids.ts'
import { nothingProtected } from '../../src/domain/protection.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { guardMembers } from '../../src/engine/guard-members.ts'
import { createPolicyBook } from '../../src/engine/policy-book.ts'
import { createLog } from '../../src/log.ts'
import { openDatabase } from '../../src/store/database.ts'
import { idBlock } from '../../src/store/id-block.ts'
import type { Calls } from './engine-calls.ts'
import type { ScenarioTree } from './engine-directory.ts'
import { expectWithinMs, guardLimits } from './limits.ts'
import type { Given } from './scenario-file.ts'

export type EngineParts = {
  readonly engine: Engine
  /** As when its process dies: nothing that it had not committed is written any more. */
  readonly die: () => Promise<void>
  /** Frees what a dead process would have left to the system. */
  readonly bury: () => Promise<void>
}

/** The engine of one process: its pool under the engine's own role, its connections to the targets, its memories. */
export const startEngine = (
  engineUrl: string,
  given: Given,
  trees: ReadonlyMap<string, ScenarioTree>,
  calls: Calls,
): EngineParts => {
  const db = openDatabase({ url: engineUrl, max: 4, applicationName: 'scenario-engine' })
  const connectors = [...trees].map(([id, { settings }]) => calls.wrap(createLdapConnector(id as TargetId, settings)))
  const engine: Engine = {
    db,
    log: createLog(process.env.MUSTER_TEST_LOG ?? 'silent', 'scenario'),
    targets: Object.entries(given.targets).map(([id, { accounts, leaverUnmanaged, guard }]) => ({
      id: id as TargetId,
      accounts,
      leaverUnmanaged,
      disable: 'native',
      endSessions: 'none',
      protect: nothingProtected,
      batchSize: 500,
      deleteAfterMs: null,
      expectWithinMs,
      reconcileEveryMs: 3_600_000,
      guard: guardLimits(guard),
    })),
    connectors: new Map(connectors.map((connector) => [connector.target, connector])),
    policies: createPolicyBook(),
    guardMembers: guardMembers(() => performance.now()),
    ids: {
      action: idBlock(db, 'muster.action_id', 50),
      decision: idBlock(db, 'muster.decision_id', 50),
    },
    nudge: () => {},
    random: () => 0,
    settings: {
      evaluateBatch: 100,
      dispatchBatch: 500,
      leaseMs: 30_000,
      leaverSloMs: 60_000,
      bulkDeadlineMs: 900_000,
    },
  }
  return {
    engine,
    die: db.close,
    bury: async () => {
      await Promise.all(connectors.map((connector) => connector.close()))
    },
  }
}
