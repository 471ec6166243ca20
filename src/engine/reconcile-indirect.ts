import type { Connector } from '../connectors/connector.ts'
import type { NativeId, TargetId } from '../domain/ids.ts'
import { isKept } from '../domain/outcome.ts'
import { tooManyGone } from '../planning/differences.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import { grantedSinceIndirect, saveIndirectUnread } from '../store/indirect.ts'
import {
  type IndirectBehind,
  indirectBehind,
  indirectHolders,
  indirectKnown,
  type Nesting,
  noteSettling,
} from '../store/indirect-behind.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import { auditedBy } from './audited-account.ts'
import type { Accounts, List } from './list-members.ts'
import { readIndirect } from './read-indirect.ts'
import type { IndirectReconciled, Reconciler } from './reconciler.ts'
import { type HeldIndirectly, holdersOfCatalogued, isGrantedNow, saveIndirectAccess } from './save-indirect.ts'

/** Accounts of one read, and of one transaction. */
const atOnce = 200
/** Few may lose all that they hold; when more do, a read that lacks something is likelier (ADR 0016). */
const freely = 3

type Held = HeldIndirectly & Pick<IndirectBehind, 'leaver'>

const nothing: IndirectReconciled = { indirect: 0, indirectUnread: null }

/**
 * Reads what accounts hold indirectly, where the target has such a thing: all of them, or those of whom it may have changed.
 * It is no drift and no grant: it is counted by separation of duties, told, and never revoked.
 */
export const reconcileIndirect = async (
  engine: Reconciler,
  target: TargetId,
  connector: Connector,
  {
    extent,
    behind,
    lists,
    accounts,
    acceptShrunken,
    signal,
  }: {
    readonly extent: 'full' | 'delta'
    /** Accounts that the change log named. */
    readonly behind: readonly number[]
    readonly lists: readonly List[]
    readonly accounts: Accounts
    readonly acceptShrunken: boolean
    readonly signal: AbortSignal
  },
): Promise<IndirectReconciled> => {
  if (connector.indirectGrantsOf === undefined) return nothing
  const { settleMs } = connector.manifest
  const changed =
    extent === 'full'
      ? null
      : { settleMs, accounts: behind, entitlements: lists.map(({ id }) => id), nestings: nestingsOf(lists, accounts) }
  const granted = grantedBy(lists, accounts)
  let indirect = 0
  let unread: string | null = null
  /** Their losses are written down when it is known how many lose something. */
  const losers: { readonly one: Held; readonly readAt: number }[] = []
  const unreadOf: IndirectBehind[] = []
  for (let after = 0; ; ) {
    signal.throwIfAborted()
    const some = await indirectBehind(engine.db, target, changed, after, atOnce)
    const last = some.at(-1)
    if (last === undefined) break
    after = last.account
    const readAt = await databaseNow(engine.db)
    const read = await readIndirect(
      connector,
      some.map(({ native_id }) => native_id as NativeId),
      signal,
    )
    if (read === null) return nothing
    unread ??= read.unread
    const told = some.flatMap((one): Held[] => {
      const held = read.told.get(one.native_id as NativeId)
      return held === undefined ? [] : [{ ...one, held, granted: granted.get(one.native_id) ?? new Set() }]
    })
    unreadOf.push(...some.filter((one) => !isIn(told, one)))
    const ids = told.map(({ account }) => account)
    if (settleMs > 0) await noteSettling(engine.db, ids, readAt - settleMs)
    const known = await indirectKnown(engine.db, ids)
    const since = await grantedSinceIndirect(engine.db, ids)
    const isLosing = ({ account, held, granted: shown }: Held) =>
      (known.get(account) ?? []).some(
        (had) =>
          !held.some(({ entitlement }) => entitlement.nativeId === had.nativeId) &&
          !isGrantedNow(had, shown) &&
          !isGrantedNow(had, since.get(account)),
      )
    losers.push(...told.filter(isLosing).map((one) => ({ one, readAt })))
    // Only losses may be in doubt: whatever was gained counts at once, and also where this run comes to no end.
    indirect += await save(
      engine,
      target,
      readAt,
      told.map((one) => ({ ...one, addsOnly: isLosing(one) })),
    )
  }
  await saveUnread(engine, target, unreadOf)
  const believed = losers.length > freely ? await indirectHolders(engine.db, target) : 0
  const isShrunken = !acceptShrunken && believed > 0 && tooManyGone({ believed, gone: losers.length }, 'entitlement')
  if (!isShrunken) {
    for (const [readAt, some] of Map.groupBy(losers, (loser) => loser.readAt))
      indirect += await save(
        engine,
        target,
        readAt,
        some.map(({ one }) => one),
      )
    return { indirect, indirectUnread: unread }
  }
  await saveUnread(
    engine,
    target,
    losers.map(({ one }) => one),
  )
  return { indirect, indirectUnread: `${losers.length} of ${believed} accounts are shown without what they held` }
}

/**
 * Whose grants wait for the read is evaluated: a plan reads it again, sooner than the next run. Under their locks: an evaluation
 * that is just being written down may plan a grant by what was known until now.
 */
const saveUnread = async (
  engine: Reconciler,
  target: TargetId,
  people: readonly Pick<IndirectBehind, 'identity' | 'account'>[],
): Promise<void> => {
  let waiting = 0
  for (let at = 0; at < people.length; at += atOnce) {
    const some = people.slice(at, at + atOnce)
    waiting += await engine.db.transaction(async (tx) => {
      await lockIdentities(
        tx,
        some.map(({ identity }) => identity),
      )
      const due = await saveIndirectUnread(
        tx,
        target,
        some.map(({ account }) => account),
      )
      await makeDue(tx, due)
      return due.length
    })
  }
  if (waiting > 0) engine.nudge('evaluate', 'bulk')
}

/** By native id of the account: in which entitlements the lists show it. */
const grantedBy = (lists: readonly List[], accounts: Accounts): ReadonlyMap<string, ReadonlySet<number>> => {
  const granted = new Map<string, Set<number>>()
  for (const { id, members } of lists)
    for (const member of members) {
      const account = accounts.get(member)
      if (account !== undefined) granted.set(account, (granted.get(account) ?? new Set()).add(id))
    }
  return granted
}

const isIn = (told: readonly Held[], { account }: IndirectBehind): boolean =>
  told.some((one) => one.account === account)

/**
 * Members that are no accounts may be groups: the target names them as it names the entitlements themselves, or nothing is found. Whoever
 * is kept in it is an account.
 */
const nestingsOf = (lists: readonly List[], accounts: Accounts): readonly Nesting[] =>
  lists.flatMap(({ id, members, kept }) =>
    [...members.filter((member) => !accounts.has(member)), ...kept].map((member) => ({ entitlement: id, member })),
  )

const save = async (engine: Reconciler, target: TargetId, readAt: number, people: readonly Held[]): Promise<number> => {
  if (people.length === 0) return 0
  const saved = await engine.db.transaction(async (tx) => {
    await lockIdentities(
      tx,
      people.map(({ identity }) => identity),
    )
    const at = await databaseNow(tx)
    const { identities, changed, appeared, entries } = await saveIndirectAccess(
      tx,
      target,
      auditedBy(engine, target),
      at,
      readAt,
      people,
    )
    // That nothing has changed is what there is to tell of somebody who has left: no revoke of ours ended it.
    const remaining = await holdersOfCatalogued(
      tx,
      target,
      people.filter(({ leaver }) => leaver),
    )
    const leavers = new Set(people.flatMap(({ leaver, identity }) => (leaver ? [identity] : [])))
    // What keeps somebody in is told of leavers also where no catalogue has it.
    const kept = people.filter(({ leaver, held }) => leaver && held.some(isKept))
    const due = [
      ...new Set([
        ...identities,
        ...[...remaining, ...kept].map(({ identity }) => identity),
        ...changed.filter((identity) => leavers.has(identity)),
      ]),
    ]
    await makeDue(tx, due)
    await appendAudit(tx, at, entries)
    return { appeared, due: due.length }
  })
  if (saved.due > 0) for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
  return saved.appeared
}
