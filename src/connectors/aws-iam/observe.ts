import type { Outcome } from '../../domain/outcome.ts'
import { outcomeOfRead, refusal, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import { notSo as notSoWord, type Operation } from '../connector.ts'
import type { AccessOperation } from './access.ts'
import { inOrder } from './apply.ts'
import { observeSessions } from './end-sessions.ts'
import { ensureAccounts } from './ensure-accounts.ts'
import { held } from './evidence.ts'
import type { Iam } from './iam.ts'
import { identifyAll, refusalOf } from './identify.ts'
import { getRole, type Role } from './roles.ts'
import { isSessionName } from './session-name.ts'
import { readSteadily } from './steady.ts'
import { readTrust } from './trust.ts'

const notSo = retry(notSoWord)

/** Reads only. Whatever a read that failed would be worth to `apply`, here it told nothing. */
export const observe = async (iam: Iam, operations: readonly Operation[]): Promise<readonly Outcome[]> => {
  const outcomes = await inOrder(operations, {
    sessions: (some) => observeSessions(iam, some),
    access: (some) => observeAccess(iam, some),
    ensure: (some) => ensureAccounts(iam, some, {}),
  })
  return outcomes.map(asTold)
}

/** A read that did not tell is `unknown`, whatever kept it from telling. */
const asTold = (outcome: Outcome): Outcome => {
  if (outcome.kind === 'throttled') return { kind: 'unknown', cause: { code: '', word: 'throttled', elsewhere: true } }
  return outcome.kind === 'retry' && outcome.cause.word !== notSoWord
    ? { kind: 'unknown', cause: outcome.cause }
    : outcome
}

const observeAccess = async (iam: Iam, operations: readonly AccessOperation[]): Promise<readonly Outcome[]> => {
  const identities = await identifyAll(
    iam,
    operations.map(({ entitlement }) => entitlement),
  )
  const roles = new Map<string, ReturnType<typeof trustOf>>()
  return sideBySide(operations, async ({ op, account }, index): Promise<Outcome> => {
    const identity = identities[index] ?? ({ kind: 'missing' } as const)
    // To see is allowed everywhere.
    if (identity.kind !== 'role' && identity.kind !== 'protected') return refusalOf(identity)
    if (!isSessionName(account)) return op === 'revoke' ? held(account, identity.role.id, null) : noSuchName
    const read = roles.get(identity.role.id) ?? trustOf(iam, identity.role)
    roles.set(identity.role.id, read)
    const trust = await read
    if ('kind' in trust) return trust
    // A statement that somebody changed may let in whom it does not name, or nobody.
    const isSo = trust.isAsWritten && trust.people.has(account) === (op === 'grant')
    return isSo ? held(account, identity.role.id, null) : notSo
  })
}

const noSuchName = refusal('account-missing', 'no-session-name')

/** As many reads in a row as configured agree, or nothing is said. */
const trustOf = async (iam: Iam, { name, id }: Role): Promise<Outcome | NonNullable<ReturnType<typeof readTrust>>> => {
  const read = await readSteadily(
    iam,
    () => getRole(iam, name),
    (role) => (role === null ? '' : `${role.id} ${role.trust}`),
  )
  if (read.kind === 'failed') return outcomeOfRead(read.result.failure)
  if (read.kind === 'unsteady') return retry('role-changing')
  if (read.value === null) return refusal('entitlement-missing', 'no-such-role')
  if (read.value.id !== id) return refusal('entitlement-changed-identity', 'another-role')
  return readTrust(iam.settings, read.value.trust) ?? refusal('invalid', 'trust-policy-unreadable')
}
