import type { Outcome } from '../../domain/outcome.ts'
import { outcomeOfRead, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Gate } from '../aws-wire/transport.ts'
import { notSo } from '../connector.ts'
import { type Ended, type EndedOfAll, endSessionsOf, sessionPolicyText } from './deny-sessions.ts'
import type { Iam } from './iam.ts'
import { aloneWith } from './place.ts'
import { type EndOperation, type Reached, readReached } from './reached.ts'
import { readSessionPolicy } from './session-policy.ts'

/**
 * The grants of these people by one complete listing, for the record; with `deny-inline-policy` also a Deny in every role
 * that lets them in, or did within the last day.
 */
export const endSessions = async (
  iam: Iam,
  operations: readonly EndOperation[],
  gate: Gate,
): Promise<readonly Outcome[]> => {
  const reached = await readReached(iam, operations)
  if (!reached.ok) return operations.map(() => outcomeOfRead(reached.failure))
  if (iam.settings.sessions === 'none') return reached.value.map(onlyTold)
  const places = reached.value.flatMap(({ account, roles }) => roles.map((role) => ({ account, role })))
  const byRole = [...Map.groupBy(places, ({ role }) => role).entries()]
  const ended = new Map(
    await sideBySide(byRole, async ([role, of]): Promise<readonly [string, EndedOfAll]> => {
      const people = [...new Set(of.map(({ account }) => account))]
      const done = await aloneWith(iam, role.name, gate, (place) => endSessionsOf(iam, role, people, place))
      if (typeof done !== 'number') return [role.id, done]
      const busy = asEnded(retry('role-busy', done))
      return [role.id, new Map(people.map((name) => [name, busy]))]
    }),
  )
  return reached.value.map((one) => {
    const theirs = one.roles.flatMap(({ id }) => ended.get(id)?.get(one.account) ?? [])
    // The worst that any role said: none may be forgotten.
    for (const kind of ['refused', 'unknown', 'retry', 'throttled', 'pending'] as const) {
      const worst = theirs.find((said) => said.kind === kind)
      if (worst !== undefined && worst.kind !== 'done') return worst
    }
    const isChanged = theirs.some((said) => said.kind === 'done' && said.changed)
    return told(one, isChanged)
  })
}

const asEnded = (outcome: Outcome): Ended =>
  outcome.kind === 'done' ? { kind: 'done', changed: outcome.changed } : outcome

/** Whether every session begun by now is denied. An earlier Deny says nothing of those that began after it. */
export const observeSessions = async (iam: Iam, operations: readonly EndOperation[]): Promise<readonly Outcome[]> => {
  const reached = await readReached(iam, operations)
  if (!reached.ok) return operations.map(() => outcomeOfRead(reached.failure))
  const { sidPrefix, sessions } = iam.settings
  if (sessions === 'none') return reached.value.map(onlyTold)
  return sideBySide(reached.value, async (one): Promise<Outcome> => {
    for (const role of one.roles) {
      const text = await sessionPolicyText(iam, role.name)
      if (!text.ok) return outcomeOfRead(text.failure)
      const until = readSessionPolicy(sidPrefix, role.id, text.value)?.denials.get(one.account) ?? 0
      if (until < iam.tools.now()) return retry(notSo)
    }
    return told(one, false)
  })
}

/** Where no Deny is asked for, none is missing. */
const onlyTold = (one: Reached): Outcome => told({ ...one, unfinished: [] }, false)

const told = ({ account, grants, unfinished }: Reached, changed: boolean): Outcome => ({
  kind: 'done',
  changed,
  evidence: { read: 'trust-policies', code: changed ? '0' : '', account, entitlement: null },
  grants,
  ...(unfinished.length === 0 ? {} : { unfinished }),
})
