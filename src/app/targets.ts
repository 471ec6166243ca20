import type { Config } from '../config.ts'
import { adManifest } from '../connectors/ad/manifest.ts'
import { answering } from '../connectors/answering.ts'
import { awsManifest } from '../connectors/aws/manifest.ts'
import { awsIamManifest } from '../connectors/aws-iam/manifest.ts'
import { boundless } from '../connectors/budget.ts'
import { atOnce, type Connector, type ConnectorTools, type Manifest } from '../connectors/connector.ts'
import { entraManifest } from '../connectors/entra/manifest.ts'
import { ldapManifest } from '../connectors/ldap/manifest.ts'
import { protecting } from '../connectors/protecting.ts'
import type { TargetId } from '../domain/ids.ts'
import { assertNever } from '../domain/never.ts'
import type { TargetSettings } from '../engine/engine.ts'
import type { Queryable } from '../store/database.ts'
import { targetBudget } from './budgets.ts'
import { planningHash } from './planning-hash.ts'

/** The one place that knows which connectors there are. */
export const createConnector = async (target: Config['targets'][number], tools: ConnectorTools): Promise<Connector> =>
  protecting(answering(await unprotected(target, tools)), target.protect)

/** A line for each connector. One is loaded with its vendor's library (tens of MB) once a target is of its type. */
const unprotected = async (target: Config['targets'][number], tools: ConnectorTools): Promise<Connector> => {
  const id = target.id as TargetId
  switch (target.type) {
    case 'ldap':
      return (await import('../connectors/ldap/connector.ts')).createLdapConnector(
        id,
        target.ldap,
        tools.giveWay,
        tools.now,
        tools.secret,
      )
    case 'ad':
      return (await import('../connectors/ad/connector.ts')).createAdConnector(id, target.ad, tools)
    case 'entra':
      return (await import('../connectors/entra/connector.ts')).createEntraConnector(id, target.entra, tools)
    case 'aws':
      return (await import('../connectors/aws/connector.ts')).createAwsConnector(id, target.aws, tools)
    case 'aws-iam':
      return (await import('../connectors/aws-iam/connector.ts')).createAwsIamConnector(id, target.iam, tools)
    default:
      return assertNever(target)
  }
}

/** For a command that a human gave. Without a database nothing counts its calls: for a handful of them only. */
export const connectorByHand = (target: Config['targets'][number], db: Queryable | null): Promise<Connector> =>
  createConnector(target, {
    lane: 'bulk',
    giveWay: atOnce,
    budget: db === null ? boundless : targetBudget(db, target.id, 'bulk'),
    now: Date.now,
  })

/** And one here: what can be said of it without a connection. */
export const manifestOf = (target: Config['targets'][number]): Manifest => {
  switch (target.type) {
    case 'ldap':
      return ldapManifest
    case 'ad':
      return adManifest(target.ad)
    case 'entra':
      return entraManifest(target.entra)
    case 'aws':
      return awsManifest
    case 'aws-iam':
      return awsIamManifest(target.iam)
    default:
      return assertNever(target)
  }
}

export const targetSettings = (target: Config['targets'][number]): TargetSettings => {
  const { id, accounts, leaver, expectWithin, reconcile, protect, guard } = target
  const { batchSize, disable, endSessions, deleteAccount } = manifestOf(target)
  const rules = {
    id: id as TargetId,
    disable,
    endSessions,
    deleteAfterMs: deleteAccount === 'none' ? null : leaver.deleteAfter,
    accounts,
    leaverUnmanaged: leaver.unmanaged,
    protect,
  }
  return {
    ...rules,
    batchSize,
    expectWithinMs: expectWithin,
    reconcileEveryMs: reconcile.every,
    guard: { ...guard, windowMs: guard.window },
    planningHash: planningHash(target, rules),
  }
}
