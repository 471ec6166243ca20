import type { Outcome, RefusalReason } from '../../domain/outcome.ts'
import { notSo, type Operation } from '../connector.ts'
import { retry } from '../ldap-wire/answers.ts'

/**
 * How long the controllers of a site may differ, ms: one tells its partners of a change after 15 s, and none is more than
 * three steps away from another (Microsoft, "How the Active Directory Replication Model Works").
 */
export const settleMs = 60_000

/** How long calls stay with another controller than the first before the first is asked whether it is back, ms. */
export const returnMs = 60_000

/** After a switch: until every lane and process has come to the same controller, and it knows what they wrote to others. */
export const doubtMs = returnMs + settleMs

/**
 * Shortly after a switch of controllers the new one may not know yet what the one before was told, by us among others: that
 * somebody has no access, or is not there, is no proof then, and is asked again. Nor is it one that there is no such group.
 */
export const whileSettling = (op: Operation['op'], outcome: Outcome): Outcome => {
  const endsAccess = op === 'disable' || op === 'revoke' || op === 'deleteAccount'
  const isByReadAlone = endsAccess && outcome.kind === 'done' && !outcome.changed
  const isMissing = outcome.kind === 'refused' && missing.has(outcome.reason)
  const isNobody = op === 'ensureAccount' && outcome.kind === 'retry' && outcome.cause.word === notSo
  return isByReadAlone || isMissing || isNobody ? retry('controllers-settling') : outcome
}
const missing: ReadonlySet<RefusalReason> = new Set(['account-missing', 'entitlement-missing'])
