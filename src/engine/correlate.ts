import { auditEntry } from '../audit/entry.ts'
import type { Connector, Operation } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'
import { type AccountSeen, saveAccounts } from '../store/accounts.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Transaction } from '../store/database.ts'
import { contestSeen } from '../store/entitlement-questions.ts'
import { closeFindingsOf, openFindingOnce } from '../store/findings.ts'
import { knownEntitlements, saveListed } from '../store/grants.ts'
import { targetModes } from '../store/targets.ts'
import { type Unlinked, unlinkedAfter } from '../store/unlinked.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import type { Correlated, Reconciler } from './reconciler.ts'

/** People looked up in one read. */
const atOnce = 500

const nobody: Correlated = { linked: 0, ambiguous: 0, uncorrelatedPeople: null }

/**
 * Where Muster only observes or plans, no action looks anybody's account up: here a read does, and what it finds is linked
 * with all that the account holds, so that decisions, conflicts and adoption know what stands there. Nothing is changed on
 * the target. Where it enforces, the actions that need an account do the same.
 */
export const correlate = async (
  engine: Reconciler,
  target: TargetId,
  connector: Connector,
  signal: AbortSignal,
): Promise<Correlated> => {
  const mode = (await targetModes(engine.db)).get(target) ?? 'observe'
  if (mode === 'enforce') return nobody
  let { linked, ambiguous } = nobody
  for (let after = 0; ; ) {
    signal.throwIfAborted()
    const people = await unlinkedAfter(engine.db, target, after, atOnce)
    const last = people.at(-1)
    if (last === undefined) break
    after = last.identity
    const readAt = await databaseNow(engine.db)
    const outcomes = await connector.observe(people.map(lookUp), signal)
    const seen = people.map((person, at) => ({ person, outcome: outcomes[at] as Outcome }))
    const unread = seen.find(({ outcome }) => outcome.kind === 'unknown' || outcome.kind === 'throttled')
    const saved = await engine.db.transaction((tx) => save(tx, target, readAt, seen))
    linked += saved.linked
    ambiguous += saved.ambiguous
    // The rest is looked for by the next run.
    if (unread !== undefined) return { linked, ambiguous, uncorrelatedPeople: causeOf(unread.outcome) }
  }
  if (linked > 0) for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
  return { linked, ambiguous, uncorrelatedPeople: null }
}

const lookUp = ({ person_key, profile }: Unlinked): Operation => ({
  op: 'ensureAccount',
  wanted: { correlation: { value: person_key }, worker: profile ?? {}, attributesHash: '' },
  create: false,
  account: null,
})

const causeOf = (outcome: Outcome): string =>
  outcome.kind === 'unknown' ? `${outcome.cause.word} (${outcome.cause.code})` : outcome.kind

type Seen = { readonly person: Unlinked; readonly outcome: Outcome }

const save = async (
  tx: Transaction,
  target: TargetId,
  readAt: number,
  seen: readonly Seen[],
): Promise<{ readonly linked: number; readonly ambiguous: number }> => {
  const found = seen.flatMap(({ person, outcome }) =>
    outcome.kind === 'done' && outcome.account !== undefined && outcome.grants !== undefined
      ? [{ person, account: outcome.account, grants: outcome.grants }]
      : [],
  )
  const identities = found.map(({ person }) => person.identity)
  await lockIdentities(tx, identities)
  const accounts = await saveAccounts(
    tx,
    found.map(
      ({ person, account }): AccountSeen => ({
        identity: person.identity,
        target,
        nativeId: account.nativeId,
        origin: 'linked',
        enabled: account.enabled,
        attributesHash: account.attributesHash,
        grantsReadAt: readAt,
      }),
    ),
  )
  const linked = found.filter(({ person }) => accounts.has(person.identity))
  const held = linked.flatMap(({ grants }) => grants)
  const known = await knownEntitlements(tx, target, held)
  const contested = await contestSeen(tx, target, held)
  await saveListed(
    tx,
    readAt,
    null,
    readAt,
    linked.flatMap(({ person, grants }) =>
      grants.flatMap(({ nativeId }) => {
        const [account, entitlement] = [accounts.get(person.identity), known.get(nativeId)]
        return account === undefined || entitlement === undefined ? [] : [{ account, entitlement }]
      }),
    ),
  )
  await makeDue(
    tx,
    linked.map(({ person }) => person.identity),
  )
  // Several accounts, or one that is somebody else's already: a human decides.
  const doubtful = [
    ...seen.flatMap(({ person, outcome }) =>
      outcome.kind === 'refused' && outcome.reason === 'account-ambiguous' ? [person] : [],
    ),
    ...found.flatMap(({ person }) => (accounts.has(person.identity) ? [] : [person])),
  ]
  const keyOf = ({ subject_ref }: Unlinked) => `${subject_ref}:${target}`
  for (const person of doubtful)
    await openFindingOnce(tx, {
      kind: 'account-ambiguous',
      key: keyOf(person),
      urgent: false,
      identityId: person.identity,
      detail: { target },
    })
  await closeFindingsOf(
    tx,
    'account-ambiguous',
    linked.map(({ person }) => keyOf(person)),
  )
  const at = await databaseNow(tx)
  await appendAudit(tx, at, [
    ...contested.map(({ id, by }) =>
      auditEntry('entitlement-contested', at, { entitlementId: id }, { entitlement: id, target, by }),
    ),
    ...linked.map(({ person, account, grants }) =>
      auditEntry(
        'account-linked',
        at,
        { subjectRef: person.subject_ref },
        {
          subject: person.subject_ref,
          target,
          account: account.nativeId,
          enabled: account.enabled,
          grants: grants.map(({ nativeId }) => nativeId).sort(),
          actor: { type: 'engine' },
        },
      ),
    ),
  ])
  return { linked: linked.length, ambiguous: doubtful.length }
}
