import { auditEntry } from '../audit/entry.ts'
import type { PersonalDetail } from '../audit/personal.ts'
import type { ActionKind } from '../domain/action.ts'
import type { AuditEntry } from '../domain/audit-entry.ts'
import type { NativeId } from '../domain/ids.ts'
import { assertNever } from '../domain/never.ts'
import type { Outcome } from '../domain/outcome.ts'
import { type AuditedBy, auditedAccount } from './audited-account.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import type { Verdict } from './verdict.ts'

/** Exactly one entry per action and attempt: what we know after the call. Codes and ids only. */
export const outcomeEntry = (
  at: number,
  claim: Claim,
  { action, outcome, next }: Verdict,
  detail: PersonalDetail | null,
  /** `account`: its row, if there is one by now. */
  { by, account }: { readonly by: AuditedBy; readonly account: number | null },
): AuditEntry =>
  auditEntry('outcome', at, keysOf(claim, action), {
    ...headOf(claim, action),
    ...toldBy(outcome, (native_id) => auditedAccount(by, { account, native_id })),
    ...effectOf(action, outcome),
    next: next.kind === 'done' ? null : next.kind,
    ...(detail === null ? {} : { detail: { ref: detail.ref, hash: detail.hash } }),
  })

/** The lease ran out without an outcome: what the call did is not known. */
export const expiredEntry = (at: number, claim: Pick<Claim, 'dispatch' | 'target'>, action: ActionHead): AuditEntry =>
  auditEntry('outcome', at, keysOf(claim, action), {
    ...headOf(claim, action),
    outcome: 'unknown',
    code: '',
    word: 'lease-expired',
    next: 'readBack',
  })

/** It came after the lease, and was rejected: what a read tells of it. `held`: its grant is there; null = not told, or none. */
export const lateEntry = (
  at: number,
  claim: Pick<Claim, 'dispatch' | 'target'>,
  action: ActionHead,
  outcome: Outcome,
  held: boolean | null,
): AuditEntry =>
  auditEntry('late-outcome-rejected', at, keysOf(claim, action), {
    ...headOf(claim, action),
    readBack: outcome.kind,
    held,
  })

/** All direct grants that a complete read found on an account, before anything of them is removed. */
export const unmanagedEntry = (
  at: number,
  claim: Claim,
  action: ClaimedAction,
  entitlements: readonly number[],
): AuditEntry => auditEntry('grants-listed', at, keysOf(claim, action), { ...headOf(claim, action), entitlements })

export type ActionHead = Pick<
  ClaimedAction,
  'id' | 'subject_ref' | 'decision_id' | 'kind' | 'entitlement_id' | 'attempts'
>

const keysOf = ({ dispatch }: Pick<Claim, 'dispatch'>, action: ActionHead) => ({
  subjectRef: action.subject_ref,
  decisionId: action.decision_id,
  actionId: action.id,
  dispatchId: dispatch,
  entitlementId: action.entitlement_id,
})

const headOf = ({ dispatch, target }: Pick<Claim, 'dispatch' | 'target'>, action: ActionHead) => ({
  subject: action.subject_ref,
  action: action.id,
  dispatch,
  decision: action.decision_id,
  target,
  kind: action.kind,
  entitlement: action.entitlement_id,
  attempt: action.attempts + 1,
  actor: { type: 'engine' },
})

const toldBy = (outcome: Outcome, named: (id: NativeId) => string | number | null) => {
  switch (outcome.kind) {
    case 'done':
      return {
        outcome: 'done',
        changed: outcome.changed,
        code: outcome.evidence.code,
        evidence: { ...outcome.evidence, account: named(outcome.evidence.account) },
        ...(outcome.unfinished === undefined ? {} : { unfinished: outcome.unfinished.map(({ word }) => word) }),
      }
    case 'pending':
      return { outcome: 'pending', code: '' }
    case 'throttled':
      return { outcome: 'throttled', code: '', scope: outcome.scope }
    case 'retry':
    case 'unknown':
      return { outcome: outcome.kind, code: outcome.cause.code, word: outcome.cause.word }
    case 'refused':
      return { outcome: 'refused', code: outcome.cause.code, word: outcome.cause.word, reason: outcome.reason }
  }
}

/**
 * State before and after, as far as the outcome tells; an action that did not end says nothing of after. What changed on an
 * account that was there before is told by no outcome of ensureAccount: nothing is said of before then.
 */
const effectOf = (action: ClaimedAction, outcome: Outcome) => {
  if (outcome.kind !== 'done') return {}
  const { before, after } = effects(action.kind, outcome.account)
  if (!outcome.changed) return { before: after, after }
  return before === null ? { after } : { before, after }
}

type Account = Extract<Outcome, { kind: 'done' }>['account']

/** Of a change. before: null = not known. */
const effects = (kind: ActionKind, account: Account) => {
  switch (kind) {
    case 'grant':
      return { before: { held: false }, after: { held: true } }
    case 'revoke':
      return { before: { held: true }, after: { held: false } }
    case 'deleteAccount':
      return { before: { present: true }, after: { present: false } }
    case 'endSessions':
      return { before: { sessions: null }, after: { sessions: false } }
    case 'enable':
    case 'disable':
      // What changed may have been something else of the account: a leaver who was shut already is moved all the same.
      return {
        before: account?.wasEnabled === undefined ? null : { enabled: account.wasEnabled },
        after: { enabled: account?.enabled ?? null },
      }
    case 'ensureAccount':
      return {
        before: account?.origin === 'created' ? { present: false } : null,
        after: {
          present: account !== undefined,
          enabled: account?.settled === false ? null : (account?.enabled ?? null),
        },
      }
    default:
      return assertNever(kind)
  }
}
