import { auditEntry } from '../audit/entry.ts'
import { type Connector, notSo, type Operation } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'
import { type AccountSeen, saveAccounts } from '../store/accounts.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Queryable, Transaction } from '../store/database.ts'
import { contestSeen } from '../store/entitlement-questions.ts'
import { knownEntitlements, saveListed } from '../store/grants.ts'
import { targetModes } from '../store/targets.ts'
import { linkedOf, type Unlinked, unlinkedAfter } from '../store/unlinked.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import { type AuditedBy, auditedAccount, auditedBy } from './audited-account.ts'
import { type IndirectRead, readIndirect } from './read-indirect.ts'
import type { Correlated, Reconciler } from './reconciler.ts'
import { saveIndirectAccess } from './save-indirect.ts'
import { tellDoubtful } from './tell-doubtful.ts'

/** People looked up in one read. */
const atOnce = 500
/** Reads that told nothing and were halved before it is the target that tells nothing. */
const mostFailures = 16

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
  if (await isEnforced(engine.db, target)) return nobody
  let { linked, ambiguous } = nobody
  let failures = 0
  const unread: Outcome[] = []
  const look = async (people: readonly Unlinked[]): Promise<void> => {
    if (people.length === 0) return
    signal.throwIfAborted()
    const readAt = await databaseNow(engine.db)
    const outcomes = await connector.observe(people.map(lookUp), { signal, sentMsAgo: null })
    const seen = people.map((person, at) => ({ person, outcome: outcomes[at] as Outcome }))
    // One read for all of them: what is too much for it may be said of fewer.
    if (people.length > 1 && failures < mostFailures && seen.every(({ outcome }) => !isTold(outcome))) {
      failures += 1
      const middle = Math.ceil(people.length / 2)
      await look(people.slice(0, middle))
      return look(people.slice(middle))
    }
    const indirect = await readIndirect(
      connector,
      seen.flatMap(({ outcome }) => (outcome.kind === 'done' ? (outcome.account?.nativeId ?? []) : [])),
      signal,
    )
    // Whoever is linked comes with all that they hold: one of whom that is not known is looked up again.
    const known = seen.map((one) => (isWhole(one, indirect) ? one : { ...one, outcome: indirectUnread }))
    unread.push(...known.flatMap(({ outcome }) => (isTold(outcome) ? [] : [outcome])))
    const saved = await engine.db.transaction((tx) =>
      save(tx, target, auditedBy(engine, target), readAt, known, indirect),
    )
    linked += saved.linked
    ambiguous += saved.ambiguous
  }
  for (let after = 0; ; ) {
    const people = await unlinkedAfter(engine.db, target, after, atOnce)
    const last = people.at(-1)
    if (last === undefined) break
    after = last.identity
    await look(people)
  }
  if (linked > 0) for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
  const [first] = unread
  return {
    linked,
    ambiguous,
    uncorrelatedPeople:
      first === undefined ? null : `${unread.length === 1 ? '1 person' : `${unread.length} people`}: ${causeOf(first)}`,
  }
}

const isEnforced = async (db: Queryable, target: TargetId): Promise<boolean> =>
  (await targetModes(db)).get(target) === 'enforce'

/** Says whether there is an account, and what it holds, or that it is not certain which one it is. */
const isTold = (outcome: Outcome): boolean =>
  (outcome.kind === 'done' && outcome.account !== undefined && outcome.grants !== undefined) ||
  (outcome.kind === 'refused' &&
    (outcome.reason === 'account-missing' ||
      outcome.reason === 'account-ambiguous' ||
      outcome.reason === 'protected')) ||
  (outcome.kind === 'retry' && outcome.cause.word === notSo)

const lookUp = ({ person_key, profile }: Unlinked): Operation => ({
  op: 'ensureAccount',
  wanted: { correlation: { value: person_key }, worker: profile ?? {}, attributesHash: '' },
  create: false,
  account: null,
})

const causeOf = (outcome: Outcome): string =>
  'cause' in outcome
    ? outcome.cause.code === ''
      ? outcome.cause.word
      : `${outcome.cause.word} (${outcome.cause.code})`
    : outcome.kind

type Seen = { readonly person: Unlinked; readonly outcome: Outcome }

const isWhole = ({ outcome }: Seen, indirect: IndirectRead | null): boolean =>
  outcome.kind !== 'done' ||
  outcome.account === undefined ||
  indirect === null ||
  indirect.told.has(outcome.account.nativeId)

const indirectUnread: Outcome = { kind: 'unknown', cause: { code: '', word: 'indirect-not-read' } }

const save = async (
  tx: Transaction,
  target: TargetId,
  by: AuditedBy,
  readAt: number,
  looked: readonly Seen[],
  indirect: IndirectRead | null,
): Promise<{ readonly linked: number; readonly ambiguous: number }> => {
  await lockIdentities(
    tx,
    looked.map(({ person }) => person.identity),
  )
  // Whoever was linked meanwhile is known better than by this read; where actions are sent by now, they do it.
  const taken = await linkedOf(
    tx,
    target,
    looked.map(({ person }) => person.identity),
  )
  if (await isEnforced(tx, target)) return nobody
  const seen = looked.filter(({ person }) => !taken.has(person.identity))
  const found = seen.flatMap(({ person, outcome }) =>
    outcome.kind === 'done' && outcome.account !== undefined && outcome.grants !== undefined
      ? [{ person, account: outcome.account, grants: outcome.grants }]
      : [],
  )
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
    { verifies: 'nothing', since: readAt },
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
  const ambiguous = await tellDoubtful(tx, target, by, {
    told: seen.filter(({ outcome }) => isTold(outcome)),
    taken: found.flatMap(({ person, account }) =>
      accounts.has(person.identity) ? [] : [{ person, account: account.nativeId }],
    ),
  })
  const at = await databaseNow(tx)
  const heldIndirectly = linked.flatMap(({ person: { identity, subject_ref }, account: { nativeId } }) => {
    const [account, held] = [accounts.get(identity), indirect?.told.get(nativeId)]
    return account === undefined || held === undefined
      ? []
      : [{ identity, subject_ref, account, native_id: nativeId, held }]
  })
  await appendAudit(tx, at, [
    ...(await saveIndirectAccess(tx, target, by, at, readAt, heldIndirectly)).entries,
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
          account: auditedAccount(by, {
            account: accounts.get(person.identity) ?? null,
            native_id: account.nativeId,
          }),
          enabled: account.enabled,
          grants: grants.map(({ nativeId }) => nativeId).sort(),
          actor: { type: 'engine' },
        },
      ),
    ),
  ])
  return { linked: linked.length, ambiguous }
}
