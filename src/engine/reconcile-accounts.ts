import type { Connector, SeenAccount } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import { tooManyGone } from '../planning/differences.ts'
import {
  closeAccountFindings,
  type LinkedState,
  linkedAfter,
  linkedFrom,
  saveKeptNames,
  saveOutOfSight,
  saveThere,
} from '../store/account-reconciliations.ts'
import { believedAccounts, noteHeldBy } from '../store/behind.ts'
import { goAgainOf } from '../store/go-again.ts'
import { isNameChange, keptName } from './account-name.ts'
import { auditedBy } from './audited-account.ts'
import { accountReader } from './read-accounts.ts'
import type { AccountsReconciled, Reconciler } from './reconciler.ts'
import {
  type AccountDrift,
  accountDrift,
  accountKey,
  type DriftOfAccount,
  type Shown,
  saveAccountDrift,
} from './save-account-drift.ts'
import { type Returned, saveReturned } from './save-returned.ts'

/** Accounts of one read. */
const atOnce = 1_000
/** Accounts written down in one transaction. */
const savedAtOnce = 200

/**
 * Reads every linked account. Who should be shut out and is let in again is shut out again, whoever let them in. Somebody
 * whom another hand has shut out stays out: Muster does not know why. `absent`: native ids that are not there any more.
 * `returned`: what those hold who were out of sight. `stillBehind`: those that must be looked at again; null = all that were behind.
 */
export const reconcileAccounts = async (
  engine: Reconciler,
  target: TargetId,
  connector: Connector,
  {
    begun,
    extent,
    acceptShrunken,
    signal,
  }: {
    readonly begun: number
    readonly extent: 'full' | 'delta'
    readonly acceptShrunken: boolean
    readonly signal: AbortSignal
  },
): Promise<{
  readonly told: AccountsReconciled
  readonly absent: ReadonlySet<string>
  readonly outOfSight: ReadonlySet<string>
  readonly returned: Returned
  readonly stillBehind: readonly number[] | null
}> => {
  const read = await readAccounts(engine, target, connector, extent, signal)
  const { accounts, drifted, unreadAccounts } = read
  const gone = drifted.filter(({ drift }) => drift === 'account-gone')
  const absent = new Set(gone.map(({ one }) => one.native_id))
  // Deleting the account of a leaver who is out is what others do in time; what was told once is known.
  const believed = accounts.filter((one) => !one.known_gone && !(one.leaver && one.enabled === false))
  const lost = gone.filter(({ one }) => believed.includes(one)).length
  // Few of all were read: it is all of them of which too many may be gone.
  const of = lost > 0 && extent === 'delta' ? await believedAccounts(engine.db, target) : believed.length
  const isShrunken = !acceptShrunken && tooManyGone({ believed: of, gone: lost }, 'target')
  const { outOfSight, unread } = await sightOf(engine, target, read, { extent, acceptShrunken })
  // An account that was read is open or shut whatever the others are.
  const certain = isShrunken ? drifted.filter(({ drift }) => drift !== 'account-gone') : drifted
  const by = auditedBy(engine, target)
  const { settleMs } = connector.manifest
  const saved: AccountDrift[] = []
  // Few at a time, leavers first: whoever is locked here cannot be evaluated meanwhile.
  const inOrder = [...certain].sort((a, b) => Number(b.one.leaver) - Number(a.one.leaver))
  for (let at = 0; at < inOrder.length; at += savedAtOnce) {
    const some = inOrder.slice(at, at + savedAtOnce)
    saved.push(...(await engine.db.transaction((tx) => saveAccountDrift(tx, target, by, some, begun, settleMs))))
  }
  // A change of name is told once; from now on it is the name.
  await saveNames(engine, begun, settleMs, saved, read)
  const back = accounts.filter(
    ({ native_id, known_gone, out_of_sight }) => (known_gone || out_of_sight) && !absent.has(native_id),
  )
  const unseen = back.filter(({ out_of_sight }) => out_of_sight)
  let returned: Returned = {
    counts: { appeared: 0, missing: 0, found: 0 },
    changes: [],
    cause: null,
    unread: new Set(unseen.map(({ account }) => account)),
  }
  if (!isShrunken) {
    // Before they count as there: a run that dies in between, or cannot read what they hold, has them here again.
    const leavers = back.flatMap(({ identity, leaver }) => (leaver ? [identity] : []))
    await goAgainOf(engine.db, target, leavers)
    if (leavers.length > 0) engine.nudge('dispatch', 'leaver')
    returned = await saveReturned(engine, target, connector, unseen, { begun, signal })
    const there = back.flatMap(({ account }) => (returned.unread.has(account) ? [] : [account]))
    // Lists that did not show what they hold were believed in the rest: the next run reads them again.
    await noteHeldBy(engine.db, there)
    await saveThere(engine.db, there)
    await closeAccountFindings(
      engine.db,
      target,
      extent === 'full' && unreadAccounts.length === 0 ? null : accounts.map(({ subject_ref }) => subject_ref),
      drifted.map(({ drift, one }) => `${drift} ${accountKey(one, target)}`),
    )
  }
  // What was not written down, because an action of ours was in work, is looked at again.
  const open = drifted.flatMap((one) => (saved.includes(one) ? [] : [one.one.account]))
  if (saved.length > 0) for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
  const count = (drift: DriftOfAccount) => saved.filter((one) => one.drift === drift).length
  const told = {
    accounts: accounts.length,
    reopened: count('account-reopened'),
    shutElsewhere: count('account-shut-elsewhere'),
    renamed: count('account-renamed') + count('account-moved'),
    gone: gone.length,
    outOfSight: outOfSight.size,
    accountsUnread: unread ?? (isShrunken ? `${lost} of ${believed.length} accounts are not shown` : returned.cause),
  }
  const stillBehind = accounts.length === 0 && unread !== null ? null : [...open, ...unreadAccounts, ...returned.unread]
  return { told, absent, outOfSight, returned, stillBehind }
}

/**
 * Nobody else waits for somebody who is where Muster may not look: they are told apart, and stay behind. When so many are that all
 * would be told as gone if that were known, it is the target of which too little is seen.
 */
const sightOf = async (
  engine: Reconciler,
  target: TargetId,
  { accounts, hidden, unread }: Read,
  { extent, acceptShrunken }: { readonly extent: 'full' | 'delta'; readonly acceptShrunken: boolean },
): Promise<{ readonly outOfSight: ReadonlySet<string>; readonly unread: string | null }> => {
  const isBelieved = (one: LinkedState) => !one.known_gone && !(one.leaver && one.enabled === false)
  const lost = hidden.filter((one) => isBelieved(one) && !one.out_of_sight).length
  const of =
    lost > 0 && extent === 'delta'
      ? await believedAccounts(engine.db, target)
      : [...accounts, ...hidden].filter(isBelieved).length
  if (!acceptShrunken && tooManyGone({ believed: of, gone: lost }, 'target'))
    return { outOfSight: new Set(), unread: unread ?? `${lost} of ${of} accounts are out of sight` }
  await saveOutOfSight(
    engine.db,
    hidden.map(({ account }) => account),
  )
  return { outOfSight: new Set(hidden.map(({ native_id }) => native_id)), unread }
}

type Read = {
  readonly accounts: readonly LinkedState[]
  readonly drifted: readonly AccountDrift[]
  /** By account, where another name than this is kept. */
  readonly names: ReadonlyMap<number, string>
  /** Why some of them are not among these; null: they all are. */
  readonly unread: string | null
  /** Those who are out of sight. */
  readonly hidden: readonly LinkedState[]
  /** Of whom nothing is known, these among them. */
  readonly unreadAccounts: readonly number[]
}

/** From so many linked accounts on, a list of all is cheaper than asking for each. */
const listFrom = 2_000

const readAccounts = async (
  engine: Reconciler,
  target: TargetId,
  connector: Connector,
  extent: 'full' | 'delta',
  signal: AbortSignal,
): Promise<Read> => {
  const accounts: LinkedState[] = []
  const drifted: AccountDrift[] = []
  const names = new Map<number, string>()
  let unread: string | null = null
  const hidden: LinkedState[] = []
  const unreadAccounts: number[] = []
  const ask = accountReader(connector, signal)
  const many = extent === 'full' && (await linkedFrom(engine.db, target, listFrom))
  const listed = many ? await connector.listAccounts(signal) : null
  // A list that is not complete shows those whom it shows; the others are asked for.
  const shown = new Map(listed?.items.map((item) => [item.nativeId as string, shownAs(item)]))
  for (let after = 0; ; ) {
    const some = await linkedAfter(engine.db, target, extent === 'delta', after, atOnce)
    const last = some.at(-1)
    if (last === undefined) return { accounts, drifted, names, unread, hidden, unreadAccounts }
    after = last.account
    const read = await ask(some.filter(({ native_id }) => !shown.has(native_id)))
    unread ??= read.cause
    const isUntold = ({ native_id }: LinkedState) => read.unread.has(native_id) || read.outOfSight.has(native_id)
    const told = some.filter((one) => !isUntold(one))
    hidden.push(...some.filter(({ native_id }) => read.outOfSight.has(native_id)))
    unreadAccounts.push(...some.filter(isUntold).map(({ account }) => account))
    const seen = new Map([...read.shown].map(([id, item]) => [id, shownAs(item)]))
    accounts.push(...told)
    for (const { account, native_id, kept_name } of told) {
      const name = (seen.get(native_id) ?? shown.get(native_id))?.name ?? null
      if (name !== null && name !== kept_name) names.set(account, name)
    }
    drifted.push(
      ...told.flatMap((one) =>
        accountDrift(one, seen.get(one.native_id) ?? shown.get(one.native_id), connector.manifest),
      ),
    )
  }
}

const shownAs = ({ nativeId, enabled, name }: Pick<SeenAccount, 'nativeId' | 'enabled' | 'name'>): Shown => ({
  enabled,
  name: name === undefined ? null : keptName(nativeId, name),
})

/** Names that nobody kept, and those of which it was told that they are others now. */
const saveNames = async (
  { db }: Reconciler,
  begun: number,
  settleMs: number,
  saved: readonly AccountDrift[],
  { accounts, names }: Read,
): Promise<void> => {
  const told = new Set(saved.flatMap(({ drift, one }) => (isNameChange(drift) ? [one.account] : [])))
  const save = async (since: number, isDue: (one: LinkedState) => boolean) => {
    const due = accounts.filter(isDue).flatMap(({ account }) => {
      const name = names.get(account)
      return name === undefined ? [] : [{ account, name }]
    })
    for (let at = 0; at < due.length; at += atOnce) await saveKeptNames(db, since, due.slice(at, at + atOnce))
  }
  // That nothing of ours explains a change was seen before it was told.
  await save(begun, ({ account }) => told.has(account))
  // What we changed lately may be shown by the name that it had.
  await save(begun - settleMs, ({ account, kept_name }) => kept_name === null && !told.has(account))
}
