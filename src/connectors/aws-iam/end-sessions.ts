import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { outcomeOfRead, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Gate } from '../aws-wire/transport.ts'
import { notSo } from '../connector.ts'
import { type Ended, endSessionsOf, sessionPolicyText } from './deny-sessions.ts'
import { type Holding, readHoldings } from './holdings.ts'
import type { Iam } from './iam.ts'
import { aloneWith } from './place.ts'
import { readSessionPolicy } from './session-policy.ts'

/**
 * The grants of these people by one complete listing, for the record; with `deny-inline-policy` also a Deny in every role
 * that lets them in. Roles that they lost before denied their sessions when they were taken out.
 */
export const endSessions = async (iam: Iam, accounts: readonly NativeId[], gate: Gate): Promise<readonly Outcome[]> => {
  const holdings = await readHoldings(iam, accounts)
  if (!holdings.ok) return accounts.map(() => outcomeOfRead(holdings.failure))
  const held = holdings.value
  if (iam.settings.sessions === 'none') return accounts.map((account) => told(account, held, false))
  const roles = [...Map.groupBy(held, ({ role }) => role).entries()]
  const ended = await sideBySide(roles, async ([role, of]): Promise<readonly [readonly NativeId[], Ended]> => {
    const people = [...new Set(of.map(({ account }) => account))]
    const done = await aloneWith(iam, role.name, gate, (place) => endSessionsOf(iam, role, people, place))
    return [people, typeof done === 'number' ? asEnded(retry('role-busy', done)) : done]
  })
  return accounts.map((account) => {
    const theirs = ended.flatMap(([people, one]) => (people.includes(account) ? [one] : []))
    // The worst that any role said: none may be forgotten.
    for (const kind of ['refused', 'unknown', 'retry', 'throttled', 'pending'] as const) {
      const one = theirs.find((said) => said.kind === kind)
      if (one !== undefined && one.kind !== 'done') return one
    }
    return told(
      account,
      held,
      theirs.some((one) => one.kind === 'done' && one.changed),
    )
  })
}

const asEnded = (outcome: Outcome): Ended =>
  outcome.kind === 'done' ? { kind: 'done', changed: outcome.changed } : outcome

/** A denial that was written within this time counts as the one that was asked for. */
const freshMs = 300_000

export const observeSessions = async (iam: Iam, accounts: readonly NativeId[]): Promise<readonly Outcome[]> => {
  const holdings = await readHoldings(iam, accounts)
  if (!holdings.ok) return accounts.map(() => outcomeOfRead(holdings.failure))
  const { sidPrefix } = iam.settings
  return sideBySide(accounts, async (account): Promise<Outcome> => {
    if (iam.settings.sessions === 'none') return told(account, holdings.value, false)
    for (const { role } of holdings.value.filter((one) => one.account === account)) {
      const text = await sessionPolicyText(iam, role.name)
      if (!text.ok) return outcomeOfRead(text.failure)
      const until = readSessionPolicy(sidPrefix, role.id, text.value)?.denials.get(account) ?? 0
      if (until < iam.tools.now() - freshMs) return retry(notSo)
    }
    return told(account, holdings.value, false)
  })
}

const told = (account: NativeId, holdings: readonly Holding[], changed: boolean): Outcome => ({
  kind: 'done',
  changed,
  evidence: { read: 'trust-policies', code: changed ? '0' : '', account, entitlement: null },
  grants: holdings.flatMap((one) => (one.account === account ? [one.entitlement] : [])),
})
