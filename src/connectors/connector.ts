import type { Lane } from '../domain/action.ts'
import type { EntitlementId, NativeId, TargetId } from '../domain/ids.ts'
import type { ObservedAccount, ObservedEntitlement, ObservedIndirect, Outcome } from '../domain/outcome.ts'
import type { AttributeValue } from '../domain/worker-event.ts'
import type { Budget } from './budget.ts'

/** Key → value that finds one person's account, e.g. employeeNumber = person key. Personal data: never logged. */
export type Correlation = { readonly value: string }

/** The entitlement as the catalogue names it, and its pinned native id once it was resolved. */
export type EntitlementRef = {
  readonly id: EntitlementId
  /** Native lookup from the catalogue: an LDAP DN, a Graph group id … */
  readonly lookup: string
  /** null until first resolved. A different native id under the same lookup is refused (`entitlement-changed-identity`). */
  readonly nativeId: NativeId | null
}

/** Wanted account: attribute name of the target → value(s), from the configured mapping. Personal data. */
export type WantedAccount = {
  readonly correlation: Correlation
  /** What the mapping may read: worker attributes plus personKey. */
  readonly worker: Readonly<Record<string, AttributeValue>>
  /** What `attributesHash` of the mapped attributes should be; see `mapAttributes`. */
  readonly attributesHash: string
}

/** One element of a batch. */
export type Operation =
  | {
      readonly op: 'ensureAccount'
      readonly wanted: WantedAccount
      readonly create: boolean
      readonly account: NativeId | null
    }
  /** `away`: whoever is disabled is expected back (leave, suspended): nothing is done to them beyond that. */
  | { readonly op: 'enable' | 'disable'; readonly account: NativeId; readonly away?: boolean }
  /**
   * Whoever is signed in now is signed out, as far as the target can; the outcome tells the account's direct grants, as that
   * of disable does. `held`: native ids of what it held within the last day, gone or not: a session outlives its grant.
   */
  | { readonly op: 'endSessions'; readonly account: NativeId; readonly held?: readonly NativeId[] }
  /** Refused as `protected` with cause.word `accountEnabled` while the account is enabled. */
  | { readonly op: 'deleteAccount'; readonly account: NativeId }
  | { readonly op: 'grant' | 'revoke'; readonly account: NativeId; readonly entitlement: EntitlementRef }

export type EnsureOperation = Extract<Operation, { op: 'ensureAccount' }>

export type ApplyContext = {
  /** Aborts when the lease nears its end: the connector starts no further write and answers `retry` for what it has not begun. */
  readonly signal: AbortSignal
  /** Asked right before each write; false = the lease is no longer safe, do not write. */
  readonly mayWrite: () => boolean
  /**
   * Asked of the accounts that were found for operations which name none, before one is written or linked (see linkable.ts):
   * what to answer with instead, of those that may not be. Absent: all may be.
   */
  readonly linkRefusals?: LinkRefusals
}

/** Cause word of a link refusal: it is known to be the account of somebody else. */
export const linkedToAnother = 'linked-to-another'

export type LinkRefusals = (accounts: readonly NativeId[]) => Promise<ReadonlyMap<NativeId, Outcome>>

/** What `observe` must know beside the operations. */
export type Observing = {
  readonly signal: AbortSignal
  /**
   * For each operation: so long ago, ms, its change may last have been sent; null: none of it can be on its way. null for all:
   * nobody has sent anything. An age, since the clock of who sent it and the connector's are not the same.
   */
  readonly sentMsAgo: readonly (number | null)[] | null
  /**
   * Given where people are only looked for to be shut out: an account that seems to be theirs by an alternative, and is certainly
   * not by what it shows, is nobody's to find where this says `linkedToAnother` (see correlate-others.ts).
   */
  readonly linkRefusals?: LinkRefusals | undefined
}

/** What a connector can do, known without a connection. */
export type Manifest = {
  /** Operations of one entitlement that one call may carry. */
  readonly batchSize: number
  /**
   * How long a read may not yet show a write, ms. 0 = a read shows it at once. Otherwise a change that no read shows yet
   * is `pending`, and `poll` says what became of it: within this time a negative read is «not yet», never a proof.
   */
  readonly settleMs: number
  /** none: the target has no such thing; nobody plans enable or disable there, and leavers lose their grants all the same. */
  readonly disable: 'native' | 'none'
  readonly endSessions: 'native' | 'none'
  /** soft: can be restored for a while. */
  readonly deleteAccount: 'soft' | 'hard' | 'none'
  /** Answers `pending`, and has `poll`. */
  readonly pending: boolean
  /**
   * names: a native id is a name of the person's, as HR or a mail has it. The audit, which nobody can erase, then says Muster's
   * own number of the account instead.
   */
  readonly accountIds: 'opaque' | 'names'
  /** Least privilege: what the target must permit for each thing that Muster does there, in the target's own words. */
  readonly permissions: Readonly<Record<string, readonly string[]>>
}

/** Cause word of an observed `retry`: proven by a complete read, not merely unread. */
export const notSo = 'not-so'

/** Cause word of an observed `unknown`: its change may have been sent within the settling time, and no read tells yet. */
export const notSettled = 'not-settled'

/** Cause word of a refused deletion: somebody has opened the account since it was shut. */
export const accountEnabled = 'account-enabled'

/** A connector of bulk work calls this before each request: resolves when no leaver is in hand, or soon anyway. */
export type GiveWay = () => Promise<unknown>
export const atOnce: GiveWay = async () => {}

/** What a connector is given to work with. One is made per lane and process. */
export type ConnectorTools = {
  readonly lane: Lane
  readonly giveWay: GiveWay
  /** Of its target, shared with the other lane and the other processes. */
  readonly budget: Budget
  /** The wall clock, ms since 1970: for the settling window and certificates, never for a decision. */
  readonly now: () => number
  /**
   * Asked before each sign-in with a member of the settings, e.g. `bindPassword`: what the file of its secret reference holds now,
   * so that a rotation needs no restart. null: it came from elsewhere, and the settings have it. Rejects where the file cannot be read.
   */
  readonly secret?: (member: string) => Promise<string | null>
}

export type CheckReport = {
  readonly ok: boolean
  readonly problems: readonly string[]
  /** As whom, by which credential, until when, with which rights: for the doctor's eyes. No secrets, no personal data. */
  readonly facts?: readonly string[]
  /** What could not be asked without a change, e.g. «when the secret ends (Entra does not tell the app)». */
  readonly unknown?: readonly string[]
  /** What would be a problem if changes were sent. */
  readonly beforeEnforce?: readonly string[]
}

/** What Muster is configured to do there beside what it does everywhere: a right that nothing would use is not missed. */
export type Uses = {
  readonly createAccounts: boolean
  readonly deleteAccounts: boolean
  /** Its mode sends changes; else what only changes need is told, and is no problem yet. */
  readonly writes: boolean
}
export const allUses: Uses = { createAccounts: true, deleteAccounts: true, writes: true }

/** A complete read, or the reason why it is not complete. Only `complete` may ever cause a revoke. */
export type Snapshot<T> =
  | { readonly kind: 'complete'; readonly items: readonly T[] }
  | { readonly kind: 'partial'; readonly items: readonly T[]; readonly cause: string }

/**
 * `outOfSight`, of a partial read: the rest are not where accounts are, and Muster may not look where else they may be
 * (`accountOutOfSight`): asking for each tells no more.
 */
export type AccountsSnapshot = Snapshot<SeenAccount> & { readonly outOfSight?: true }

/**
 * `unseen`: names that stand where Muster may not look, as far as it can tell: somebody's account one day, or nobody's. Nothing else
 * waits for them.
 */
export type MembersSnapshot = Snapshot<{ readonly member: string; readonly account: NativeId }> & {
  readonly unseen?: readonly string[]
}

export type IndirectGrant = { readonly account: NativeId } & ObservedIndirect

/**
 * Who is in one entitlement. Members stand under the name that the target lists them by (`whoIs` tells their accounts):
 * a native id, for LDAP a DN. Personal data: never logged, never stored.
 */
export type MemberList = {
  readonly entitlement: EntitlementId
} /** `kept`: accounts that are in it by a rule or another directory (`indirectGrantsOf`), and therefore not among the members. */ & (
  | { readonly kind: 'complete'; readonly members: readonly string[]; readonly kept?: readonly NativeId[] }
  /** A complete read says that the pinned thing is not there. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly cause: string }
)

/** A change that the target has taken on and not finished, as its `pending` outcome named it. */
export type PendingOperation = { readonly operation: Operation; readonly handle: string }

/**
 * What may differ from a cursor on: hints for where to read, never facts. A list or an account that is not named has not
 * changed since.
 */
export type Changes =
  | {
      readonly kind: 'changes'
      readonly entitlements: readonly NativeId[]
      readonly accounts: readonly NativeId[]
      /** All that are there, where that is cheap to say: a change log may keep silent of deletions. */
      readonly there?: readonly NativeId[]
      readonly cursor: string
    }
  /** The target does not know the cursor any more (or there was none): read everything; go on from this one. */
  | { readonly kind: 'from-now'; readonly cursor: string }
  | { readonly kind: 'failed'; readonly cause: string }

/** `name`: as in ListedAccount, where names change. Personal data: never logged, never stored. */
export type SeenAccount = ObservedAccount & { readonly name?: string }

/** An account as the target shows it, whoever's it is. Personal data: never logged, never stored. */
export type ListedAccount = {
  readonly nativeId: NativeId
  /** What the target's people call it: a DN, a UPN, a user name. */
  readonly name: string
  /** The person key that stands on it; null: none. */
  readonly key: string | null
  readonly enabled: boolean
  /** Nobody's, because the target made it for itself. */
  readonly builtIn?: true
}

/** The account that Muster is bound as; the role that it runs as. */
export type OwnThing =
  | { readonly kind: 'account'; readonly nativeId: NativeId }
  /** lookup: as the catalogue names it; what is made anew under that name is Muster's as well. */
  | { readonly kind: 'entitlement'; readonly nativeId: NativeId; readonly lookup?: string }

/** An entitlement of which is known what it is. */
export type PinnedEntitlement = EntitlementRef & { readonly nativeId: NativeId }

/**
 * The contract of every target. A connector never throws for what the remote says or fails to say: outcomes are values
 * of the same length and order as the operations. It keeps no state of its own beyond connections.
 */
export type Connector = {
  readonly target: TargetId
  readonly manifest: Manifest
  /** Reachability, identity bound as, permissions present. Without `uses`: all of them. */
  readonly check: (signal: AbortSignal, uses?: Uses) => Promise<CheckReport>
  /** Pure: the stable hash of the mapped attributes that this worker should have on this target. */
  readonly attributesHash: (worker: Readonly<Record<string, AttributeValue>>) => string
  /**
   * Pure: the stable hash of all that an account made for this worker would have, its name included. Another hash is another
   * wish: what was refused under the old name may be tried under the new one.
   */
  readonly creationHash: (worker: Readonly<Record<string, AttributeValue>>) => string
  /** `keptBy`: our word for whose rule, directory or push says who is in it, where that is not Muster's to say. */
  readonly resolveEntitlements: (
    refs: readonly EntitlementRef[],
    signal: AbortSignal,
  ) => Promise<
    readonly (
      | { readonly kind: 'found'; readonly nativeId: NativeId; readonly keptBy?: string }
      | { readonly kind: 'missing' }
      | { readonly kind: 'failed'; readonly cause: string }
    )[]
  >
  /**
   * What the target calls these now; whoever is not among the items of a complete read is not there. Only where a catalogue may
   * name one by something else (an id), or where names change while ids stay.
   */
  readonly entitlementNames?: (ids: readonly NativeId[], signal: AbortSignal) => Promise<Snapshot<ObservedEntitlement>>
  /** Changes and reads back: `done` is said only on evidence read after the write. */
  readonly apply: (operations: readonly Operation[], context: ApplyContext) => Promise<readonly Outcome[]>
  /**
   * Reads only. done(changed: false): it is as the operation wants. retry with cause.word `notSo`: a complete read says
   * that it is not. unknown: the read did not tell. refused: as apply would. An ensureAccount is done when the account
   * is there, with the hash of the attributes that it has: the caller compares. What may have been sent less than settleMs
   * ago is `unknown` with cause.word `notSettled`, whatever reads show (see settled.ts).
   */
  readonly observe: (operations: readonly Operation[], observing: Observing) => Promise<readonly Outcome[]>
  /**
   * What became of `pending` changes, read only: done | pending (not yet) | retry with cause.word `notSo` (surely not there:
   * it failed, or the settling time is over) | unknown (could not be read) | refused. Only where the manifest says `pending`.
   */
  readonly poll?: (pending: readonly PendingOperation[], signal: AbortSignal) => Promise<readonly Outcome[]>
  /** Direct grants of accounts, managed or not. What a partial read shows is believed; only a complete one says that somebody holds no more. */
  readonly grantsOf: (
    accounts: readonly NativeId[],
    signal: AbortSignal,
  ) => Promise<Snapshot<{ readonly account: NativeId; readonly entitlement: ObservedEntitlement }>>
  /**
   * What accounts hold by other ways than a grant of their own, managed or not; never part of `grantsOf`. Only where a target
   * has such ways: without it, nobody there holds anything indirectly.
   */
  readonly indirectGrantsOf?: (accounts: readonly NativeId[], signal: AbortSignal) => Promise<Snapshot<IndirectGrant>>
  /** Direct members of each of these, one list each, in this order; never a part of a list. */
  readonly membersOf: (refs: readonly PinnedEntitlement[], signal: AbortSignal) => AsyncIterable<MemberList>
  /** Which accounts these members are. Complete: a name that is neither among the items nor `unseen` is no account (a group, nobody). */
  readonly whoIs: (members: readonly string[], signal: AbortSignal) => Promise<MembersSnapshot>
  /** Whom a partial read shows is believed; only a complete one says of anybody that they are not there. */
  readonly accounts: (nativeIds: readonly NativeId[], signal: AbortSignal) => Promise<AccountsSnapshot>
  /** All of them, linked or not: where accounts are looked for when people are correlated. */
  readonly listAccounts: (signal: AbortSignal) => Promise<Snapshot<ListedAccount>>
  /** Where the target keeps a change log. null: from now on. A cursor is text without personal data. */
  readonly changes?: (cursor: string | null, signal: AbortSignal) => Promise<Changes>
  /**
   * Whether this account is neither written nor linked (see connectors/protecting): muster.yaml says so, or it is Muster's own.
   * null: the target does not tell whether it is.
   */
  readonly protects?: (account: NativeId, signal: AbortSignal) => Promise<boolean | null>
  /** Where Muster itself is something of the target's: that is neither written, linked nor granted, whatever anybody wants. */
  readonly own?: (signal: AbortSignal) => Promise<Snapshot<OwnThing>>
  readonly close: () => Promise<void>
}
