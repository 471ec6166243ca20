import type { Config } from '../config.ts'
import type { Connector, GiveWay } from '../connectors/connector.ts'
import { createLdapConnector } from '../connectors/ldap/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import { assertNever } from '../domain/never.ts'
import type { TargetSettings } from '../engine/engine.ts'

/** The one place that knows which connectors there are. */
export const createConnector = (target: Config['targets'][number], giveWay?: GiveWay): Connector => {
  switch (target.type) {
    case 'ldap':
      return createLdapConnector(target.id as TargetId, target.ldap, giveWay)
    default:
      return assertNever(target.type)
  }
}

export const targetSettings = ({
  id,
  accounts,
  leaver,
  expectWithin,
  reconcile,
  guard,
}: Config['targets'][number]): TargetSettings => ({
  id: id as TargetId,
  accounts,
  leaverUnmanaged: leaver.unmanaged,
  expectWithinMs: expectWithin,
  reconcileEveryMs: reconcile.every,
  guard: { ...guard, windowMs: guard.window },
})
