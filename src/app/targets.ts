import type { Config } from '../config.ts'
import { boundless } from '../connectors/budget.ts'
import { atOnce, type Connector, type ConnectorTools, type Manifest } from '../connectors/connector.ts'
import { createLdapConnector } from '../connectors/ldap/connector.ts'
import { ldapManifest } from '../connectors/ldap/manifest.ts'
import { protecting } from '../connectors/protecting.ts'
import type { TargetId } from '../domain/ids.ts'
import { assertNever } from '../domain/never.ts'
import type { TargetSettings } from '../engine/engine.ts'
import type { Queryable } from '../store/database.ts'
import { targetBudget } from './budgets.ts'

/** The one place that knows which connectors there are. */
export const createConnector = (target: Config['targets'][number], tools: ConnectorTools): Connector =>
  protecting(unprotected(target, tools), target.protect)

const unprotected = (target: Config['targets'][number], tools: ConnectorTools): Connector => {
  switch (target.type) {
    case 'ldap':
      return createLdapConnector(target.id as TargetId, target.ldap, tools.giveWay)
    default:
      return assertNever(target.type)
  }
}

/** For a command that a human gave. Without a database nothing counts its calls: for a handful of them only. */
export const connectorByHand = (target: Config['targets'][number], db: Queryable | null): Connector =>
  createConnector(target, {
    lane: 'bulk',
    giveWay: atOnce,
    budget: db === null ? boundless : targetBudget(db, target.id, 'bulk'),
    now: Date.now,
  })

const manifests: Readonly<Record<Config['targets'][number]['type'], Manifest>> = {
  ldap: ldapManifest,
}

export const targetSettings = ({
  id,
  type,
  accounts,
  leaver,
  expectWithin,
  reconcile,
  protect,
  guard,
}: Config['targets'][number]): TargetSettings => ({
  id: id as TargetId,
  disable: manifests[type].disable,
  endSessions: manifests[type].endSessions,
  deleteAfterMs: manifests[type].deleteAccount === 'none' ? null : leaver.deleteAfter,
  accounts,
  leaverUnmanaged: leaver.unmanaged,
  protect,
  expectWithinMs: expectWithin,
  reconcileEveryMs: reconcile.every,
  guard: { ...guard, windowMs: guard.window },
})
