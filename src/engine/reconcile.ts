import { auditEntry } from '../audit/entry.ts'
import type { Connector, MemberList, PinnedEntitlement } from '../connectors/connector.ts'
import type { Actor } from '../domain/actor.ts'
import type { EntitlementId, NativeId, TargetId } from '../domain/ids.ts'
import { type Difference, differences, tooManyGone } from '../planning/differences.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import { closeFinding, openFinding } from '../store/findings.ts'
import {
  believedMembers,
  type Linked,
  type Listable,
  linkedAccounts,
  listables,
  saveListedAt,
} from '../store/reconciliations.ts'
import { confirmDrift } from './confirm-drift.ts'
import { type AccountsReconciled, reconcileAccounts } from './reconcile-accounts.ts'
import type { Reconciler } from './reconciler.ts'
import { type Drift, saveDrift } from './save-drift.ts'

export type Reconciliation = {
  readonly target: TargetId
  /** Entitlements of which a complete list was read and compared. */
  readonly listed: number
  readonly members: number
  /** Let in behind our back. */
  readonly appeared: number
  /** Taken out behind our back. */
  readonly missing: number
  /** There when their entitlement was listed for the first time. */
  readonly found: number
  /** Differences that the work in hand explains, or that a second look did not show. */
  readonly passing: number
  /** Members that are accounts of nobody whom Muster knows there, and those that are no accounts. */
  readonly uncorrelated: number
  readonly noAccounts: number
  /** Entitlements of which nothing was learnt, by key, and why. */
  readonly unread: readonly { readonly key: string; readonly cause: string }[]
  /** Lists that lack so much of what was verified that nothing follows from them, by key. */
  readonly shrunken: readonly { readonly key: string; readonly believed: number; readonly gone: number }[]
} & AccountsReconciled

export type ReconcileOptions = {
  readonly actor: Actor
  /** A human has looked: what the lists lack is gone indeed. */
  readonly acceptShrunken?: boolean
  readonly signal: AbortSignal
}

/**
 * Lists who is in each entitlement of the catalogue and compares that with what was verified. What differs, and neither
 * the work in hand nor a second look explains, is written down as drift, and whoever it concerns is evaluated: the one
 * planner decides what follows. Only complete lists count, and none that lacks too much of what was there.
 */
export const reconcile = async (
  engine: Reconciler,
  target: TargetId,
  { actor, acceptShrunken = false, signal }: ReconcileOptions,
): Promise<Reconciliation> => {
  const connector = engine.connectors.get(target)
  if (connector === undefined) throw new Error(`there is no connector for ${target}`)
  // Before the first read: whatever was verified later is newer than what is read here.
  const begun = await databaseNow(engine.db)
  const catalogue = await listables(engine.db, target)
  const { told: accounts, absent } = await reconcileAccounts(engine, target, connector, {
    begun,
    acceptShrunken,
    signal,
  })
  const { lists, unread } = await readLists(connector, catalogue, signal)
  const who = await accountsOf(connector, lists, signal)
  if (who.kind === 'unread') {
    const result = nothingLearnt(target, accounts, [...unread, ...lists.map(({ key }) => ({ key, cause: who.cause }))])
    await conclude(engine, result, actor, begun)
    return result
  }

  const compared: Compared[] = []
  for (const list of lists) compared.push(await compare(engine, target, list, who.accounts))
  const shrunken = acceptShrunken ? [] : shrunkenOf(compared)
  const trusted = compared.filter(({ entitlement }) => !shrunken.some(({ key }) => key === entitlement.key))
  // What an account held that is not there any more is no drift of a grant: the account is told.
  const drift = trusted.flatMap(driftOf).filter(({ link }) => !absent.has(link.native_id))
  const confirmed = await confirmDrift(connector, drift, signal)
  await engine.settings.pause?.('reconcile:compared')
  const saved = await saveDrift(engine, target, confirmed.drift, { begun })
  const notTold = new Set(confirmed.unread.map(({ entitlement }) => entitlement))
  const done = trusted.filter(({ entitlement }) => !notTold.has(entitlement.id))
  await engine.db.transaction((tx) =>
    saveListedAt(
      tx,
      begun,
      done.map(({ entitlement, members }) => ({ entitlement: entitlement.id, members })),
    ),
  )
  const result: Reconciliation = {
    target,
    listed: done.length,
    members: done.reduce((sum, { members }) => sum + members, 0),
    ...saved.counts,
    passing: drift.length - confirmed.unread.length - saved.recorded,
    uncorrelated: compared.reduce((sum, { uncorrelated }) => sum + uncorrelated, 0),
    noAccounts: compared.reduce((sum, { noAccounts }) => sum + noAccounts, 0),
    unread: [
      ...unread,
      ...trusted.flatMap(({ entitlement }) =>
        notTold.has(entitlement.id) ? [{ key: entitlement.key, cause: 'second-look-failed' }] : [],
      ),
    ],
    shrunken,
    ...accounts,
  }
  await conclude(engine, result, actor, begun)
  return result
}

type List = Listable & { readonly members: readonly string[] }

const readLists = async (
  connector: Connector,
  catalogue: readonly Listable[],
  signal: AbortSignal,
): Promise<{ readonly lists: readonly List[]; readonly unread: Reconciliation['unread'] }> => {
  const byId = new Map(catalogue.map((one) => [one.id as EntitlementId, one]))
  const refs = catalogue.map(
    ({ id, lookup, native_id }): PinnedEntitlement => ({
      id: id as EntitlementId,
      lookup,
      nativeId: native_id as NativeId,
    }),
  )
  const lists: List[] = []
  const unread: { key: string; cause: string }[] = []
  for await (const list of connector.membersOf(refs, signal)) {
    const entitlement = byId.get(list.entitlement)
    if (entitlement === undefined) continue
    byId.delete(list.entitlement)
    if (list.kind === 'complete') lists.push({ ...entitlement, members: list.members })
    else unread.push({ key: entitlement.key, cause: causeOf(list) })
  }
  // A connector that forgets one has not read it.
  for (const { key } of byId.values()) unread.push({ key, cause: 'not-listed' })
  return { lists, unread }
}

const causeOf = (list: Exclude<MemberList, { kind: 'complete' }>): string =>
  list.kind === 'missing' ? 'entitlement-missing' : list.cause

type Accounts = ReadonlyMap<string, NativeId>

const accountsOf = async (
  connector: Connector,
  lists: readonly List[],
  signal: AbortSignal,
): Promise<
  { readonly kind: 'read'; readonly accounts: Accounts } | { readonly kind: 'unread'; readonly cause: string }
> => {
  const names = new Set<string>()
  for (const { members } of lists) for (const member of members) names.add(member)
  const read = await connector.whoIs([...names], signal)
  return read.kind === 'complete'
    ? { kind: 'read', accounts: new Map(read.items.map(({ member, account }) => [member, account])) }
    : { kind: 'unread', cause: read.cause }
}

type Compared = {
  readonly entitlement: Listable
  readonly members: number
  readonly believed: number
  readonly differences: readonly Difference[]
  /** Of those who are there unexpectedly. */
  readonly linked: ReadonlyMap<string, Linked>
  readonly uncorrelated: number
  readonly noAccounts: number
}

const compare = async (engine: Reconciler, target: TargetId, list: List, accounts: Accounts): Promise<Compared> => {
  const believed = await believedMembers(engine.db, list.id)
  const seen = new Set(list.members.flatMap((member) => accounts.get(member) ?? []))
  const found = differences(new Set(believed.map(({ native_id }) => native_id)), seen)
  const unknown = found.flatMap(({ account }) => account)
  const linked = new Map(
    (unknown.length === 0 ? [] : await linkedAccounts(engine.db, target, unknown)).map((one) => [one.native_id, one]),
  )
  const strangers = found.filter(({ kind, account }) => kind === 'there' && !linked.has(account)).length
  return {
    entitlement: list,
    members: seen.size - strangers,
    believed: believed.length,
    differences: found.filter(({ account }) => linked.has(account)),
    linked,
    uncorrelated: strangers,
    noAccounts: list.members.filter((member) => !accounts.has(member)).length,
  }
}

const goneOf = ({ differences: all }: Compared): number => all.filter(({ kind }) => kind === 'gone').length

/** Each list for itself, and all together: a directory that shows a fifth less than was verified shows too little. */
const shrunkenOf = (compared: readonly Compared[]): Reconciliation['shrunken'] => {
  const told = (one: Compared) => ({ key: one.entitlement.key, believed: one.believed, gone: goneOf(one) })
  const all = compared.map(told)
  const whole = all.reduce(
    (sum, { believed, gone }) => ({ believed: sum.believed + believed, gone: sum.gone + gone }),
    {
      believed: 0,
      gone: 0,
    },
  )
  if (tooManyGone(whole, 'target')) return all.filter(({ gone }) => gone > 0)
  return all.filter((one) => tooManyGone(one, 'entitlement'))
}

const driftOf = ({ entitlement, differences: all, linked }: Compared): readonly Drift[] =>
  all.flatMap(({ kind, account }) => {
    const link = linked.get(account)
    if (link === undefined) return []
    const drift = kind === 'gone' ? 'missing' : entitlement.members_read_at === null ? 'found' : 'appeared'
    return [{ kind: drift, entitlement: entitlement.id, entitlementNative: entitlement.native_id, link } as const]
  })

const nothingLearnt = (
  target: TargetId,
  accounts: AccountsReconciled,
  unread: Reconciliation['unread'],
): Reconciliation => ({
  target,
  listed: 0,
  members: 0,
  appeared: 0,
  missing: 0,
  found: 0,
  passing: 0,
  uncorrelated: 0,
  noAccounts: 0,
  unread,
  shrunken: [],
  ...accounts,
})

/** What a human should see of the run itself; what differs is told by evaluation, person by person. */
const conclude = async (engine: Reconciler, result: Reconciliation, actor: Actor, begun: number): Promise<void> => {
  const { target, unread, shrunken, uncorrelated, accountsUnread } = result
  const tell = async (
    kind: string,
    open: boolean,
    urgent: boolean,
    detail: Readonly<Record<string, string | number>>,
  ) =>
    open
      ? openFinding(engine.db, { kind, key: target, urgent, identityId: null, detail: { target, ...detail } })
      : closeFinding(engine.db, kind, target)
  const keys = (of: readonly { readonly key: string }[]) =>
    of
      .slice(0, 10)
      .map(({ key }) => key)
      .join(', ')
  await tell('reconcile-incomplete', unread.length > 0 || accountsUnread !== null, false, {
    entitlements: unread.length,
    first: keys(unread),
    cause: unread[0]?.cause ?? accountsUnread ?? '',
  })
  await tell('reconcile-shrunken', shrunken.length > 0, true, {
    entitlements: shrunken.length,
    first: keys(shrunken),
    gone: shrunken.reduce((sum, { gone }) => sum + gone, 0),
  })
  await tell('members-uncorrelated', uncorrelated > 0, false, { members: uncorrelated })
  await engine.db.transaction(async (tx) => {
    const at = await databaseNow(tx)
    const { unread: notRead, shrunken: tooSmall, ...counts } = result
    await appendAudit(tx, at, [
      auditEntry(
        'reconciled',
        at,
        {},
        { actor, readAt: new Date(begun).toISOString(), ...counts, unread: notRead.length, shrunken: tooSmall.length },
      ),
    ])
  })
}
