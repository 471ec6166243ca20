import { auditEntry } from '../audit/entry.ts'
import type { Connector } from '../connectors/connector.ts'
import type { NativeId, TargetId } from '../domain/ids.ts'
import { leaveChecksMs } from '../domain/leave-check.ts'
import { isKept } from '../domain/outcome.ts'
import { errorFields } from '../log.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import { contestSeen } from '../store/entitlement-questions.ts'
import { closeFindingsOf, openFindingOnce } from '../store/findings.ts'
import { knownEntitlements } from '../store/grants.ts'
import {
  advanceLeaveChecks,
  dueLeaveChecks,
  forgetLeaveChecks,
  type LeaveCheck,
  postponeLeaveChecks,
} from '../store/leave-checks.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import { auditedAccount, auditedBy } from './audited-account.ts'
import type { Engine } from './engine.ts'
import { readIndirect } from './read-indirect.ts'
import { accountDrift, saveAccountDrift } from './save-account-drift.ts'
import { type Drift, saveDrift } from './save-drift.ts'
import { holdersOfCatalogued, saveIndirectAccess } from './save-indirect.ts'

const atOnce = 200
/** A target that says nothing for so long has told nothing: the others' leavers are next, ms. */
const patienceMs = 60_000
/** After a read that told nothing, ms. */
const againMs = 60_000
/** Such reads before a human is called. */
const findingFrom = 5

/**
 * Reads the accounts of leavers once more, 5 minutes, an hour and a day after they were shut out, whoever else has a hand
 * in their target: an account that is open again, and access that is there again, are drift, and go by the usual door.
 */
export const checkLeavers = async (engine: Engine, signal: AbortSignal): Promise<void> => {
  for (const { id } of engine.targets) {
    const connector = engine.connectors.get(id)
    if (connector === undefined) continue
    try {
      await forgetLeaveChecks(engine.db, id)
      while ((await checkSome(engine, id, connector, signal)) === atOnce);
    } catch (error) {
      engine.log.error({ target: id, ...errorFields(error) }, 'leavers could not be read again')
    }
  }
}

/** Returns how many were read, or could not be. */
const checkSome = async (
  engine: Engine,
  target: TargetId,
  connector: Connector,
  signal: AbortSignal,
): Promise<number> => {
  if (signal.aborted) return 0
  const due = await dueLeaveChecks(engine.db, target, atOnce)
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  await check(engine, target, connector, due, patience, signal)
  return patience.aborted ? 0 : due.length
}

/** What is too much for one read, or has one in it that cannot be read, may be said of fewer. */
const check = async (
  engine: Engine,
  target: TargetId,
  connector: Connector,
  due: readonly LeaveCheck[],
  signal: AbortSignal,
  stopping: AbortSignal,
): Promise<void> => {
  if (due.length === 0) return
  const begun = await databaseNow(engine.db)
  const by = auditedBy(engine, target)
  const ids = due.map(({ native_id }) => native_id as NativeId)
  const { settleMs } = connector.manifest
  const [accounts, grants] = await Promise.all([connector.accounts(ids, signal), connector.grantsOf(ids, signal)])
  if (accounts.kind === 'partial' || grants.kind === 'partial') {
    // Who is told to stop has learnt nothing of the target.
    if (stopping.aborted) return
    if (due.length === 1 || signal.aborted) return tellUnread(engine, target, due)
    const middle = Math.ceil(due.length / 2)
    await check(engine, target, connector, due.slice(0, middle), signal, stopping)
    return check(engine, target, connector, due.slice(middle), signal, stopping)
  }
  const shown = new Map(accounts.items.map((one) => [one.nativeId as string, { enabled: one.enabled, name: null }]))
  const byAccount = Map.groupBy(grants.items, ({ account }) => account as string)
  const { known, reopened } = await engine.db.transaction(async (tx) => {
    const seen = grants.items.map(({ entitlement }) => entitlement)
    const rows = await knownEntitlements(tx, target, seen)
    await contestSeen(tx, target, seen)
    const drifted = due.flatMap((one) => accountDrift(one, shown.get(one.native_id), connector.manifest))
    const open = drifted.filter(({ drift }) => drift === 'account-reopened')
    return { known: rows, reopened: await saveAccountDrift(tx, target, by, open, begun, settleMs) }
  })
  const drift = due.flatMap((one) =>
    (byAccount.get(one.native_id) ?? []).flatMap(({ entitlement }): Drift[] => {
      const id = known.get(entitlement.nativeId)
      if (id === undefined) return []
      return [{ kind: 'appeared', entitlement: id, entitlementNative: entitlement.nativeId, link: one }]
    }),
  )
  const { drift: appeared } = await saveDrift(engine, target, drift, { begun })
  const unread = await checkIndirect(engine, target, connector, due, signal)
  const told = due.filter(({ account }) => !unread.has(account))
  const untold = due.filter(({ account }) => unread.has(account))
  if (untold.length > 0 && !stopping.aborted) await tellUnread(engine, target, untold)
  if (reopened.length > 0) engine.nudge('evaluate', 'leaver')
  await engine.db.transaction(async (tx) => {
    const at = await databaseNow(tx)
    // Another process may have read them, too, or they left once more.
    const made = await advanceLeaveChecks(tx, told)
    await appendAudit(
      tx,
      at,
      told
        .filter(({ account }) => made.has(account))
        .map((one) =>
          auditEntry(
            'leave-checked',
            at,
            { subjectRef: one.subject_ref },
            {
              subject: one.subject_ref,
              target,
              account: auditedAccount(by, one),
              afterMs: leaveChecksMs[one.step] ?? 0,
              present: shown.has(one.native_id),
              enabled: shown.get(one.native_id)?.enabled ?? null,
              // What is protected stays; only what came back is news.
              grants: (byAccount.get(one.native_id) ?? [])
                .map(({ entitlement }) => entitlement.nativeId as string)
                .sort(),
              appeared: appeared
                .filter(({ link }) => link.account === one.account)
                .map(({ entitlement }) => entitlement),
              reopened: reopened.some((again) => again.one.account === one.account),
              readAt: new Date(begun).toISOString(),
              actor: { type: 'engine' },
            },
          ),
        ),
    )
    await closeFindingsOf(
      tx,
      'leave-unread',
      told.map((one) => unreadKey(one, target)),
    )
  })
}

/**
 * What no revoke of ours ended may be there still, by nested groups: evaluation tells it. Answers the accounts of whom this
 * read told nothing: their check is not made yet.
 */
const checkIndirect = async (
  engine: Engine,
  target: TargetId,
  connector: Connector,
  due: readonly LeaveCheck[],
  signal: AbortSignal,
): Promise<ReadonlySet<number>> => {
  const readAt = await databaseNow(engine.db)
  const read = await readIndirect(
    connector,
    due.map(({ native_id }) => native_id as NativeId),
    signal,
  )
  const people = due.flatMap((one) => {
    const held = read?.told.get(one.native_id as NativeId)
    return held === undefined ? [] : [{ ...one, held }]
  })
  const unread = new Set(read === null ? [] : due.map(({ account }) => account))
  for (const { account } of people) unread.delete(account)
  if (people.length === 0) return unread
  await engine.db.transaction(async (tx) => {
    await lockIdentities(
      tx,
      people.map(({ identity }) => identity),
    )
    const at = await databaseNow(tx)
    const remaining = await holdersOfCatalogued(tx, target, people)
    const { changed, entries } = await saveIndirectAccess(tx, target, auditedBy(engine, target), at, readAt, people)
    // What keeps somebody in is told of leavers also where no catalogue has it; and that it is over, too.
    const kept = people.filter(({ held }) => held.some(isKept))
    await makeDue(tx, [...new Set([...changed, ...[...remaining, ...kept].map(({ identity }) => identity)])])
    await appendAudit(tx, at, entries)
  })
  engine.nudge('evaluate', 'leaver')
  return unread
}

const unreadKey = ({ subject_ref }: LeaveCheck, target: TargetId): string => `${subject_ref}:${target}`

const tellUnread = async (engine: Engine, target: TargetId, due: readonly LeaveCheck[]): Promise<void> => {
  await postponeLeaveChecks(
    engine.db,
    due.map(({ account }) => account),
    againMs,
  )
  const long = due.filter(({ tries }) => tries + 1 >= findingFrom)
  if (long.length === 0) return
  await engine.db.transaction(async (tx) => {
    for (const one of long)
      await openFindingOnce(tx, {
        kind: 'leave-unread',
        key: unreadKey(one, target),
        urgent: true,
        identityId: one.identity,
        detail: { target },
      })
  })
}
