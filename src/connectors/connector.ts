import type { EntitlementId, NativeId, TargetId } from '../domain/ids.ts'
import type { ObservedAccount, ObservedEntitlement, Outcome } from '../domain/outcome.ts'
import type { AttributeValue } from '../domain/worker-event.ts'

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
  | { readonly op: 'enable' | 'disable'; readonly account: NativeId }
  | { readonly op: 'grant' | 'revoke'; readonly account: NativeId; readonly entitlement: EntitlementRef }

export type ApplyContext = {
  /** Aborts when the lease nears its end: the connector starts no further write and answers `retry` for what it has not begun. */
  readonly signal: AbortSignal
  /** Asked right before each write; false = the lease is no longer safe, do not write. */
  readonly mayWrite: () => boolean
}

export type Manifest = {
  /** Operations of one entitlement that one call may carry. */
  readonly batchSize: number
  /** How long a read may not yet show a write. */
  readonly settleMs: number
  /** Attribute values to which accounts can be disabled natively. */
  readonly disable: 'native' | 'none'
}

/** Cause word of an observed `retry`: proven by a complete read, not merely unread. */
export const notSo = 'not-so'

/** A connector of bulk work calls this before each request: resolves when no leaver is in hand, or soon anyway. */
export type GiveWay = () => Promise<unknown>
export const atOnce: GiveWay = async () => {}

export type CheckReport = { readonly ok: boolean; readonly problems: readonly string[] }

/** A complete read, or the reason why it is not complete. Only `complete` may ever cause a revoke. */
export type Snapshot<T> =
  | { readonly kind: 'complete'; readonly items: readonly T[] }
  | { readonly kind: 'partial'; readonly items: readonly T[]; readonly cause: string }

/**
 * Who is in one entitlement. Members stand under the name that the target lists them by (`whoIs` tells their accounts):
 * a native id, for LDAP a DN. Personal data: never logged, never stored.
 */
export type MemberList = { readonly entitlement: EntitlementId } & (
  | { readonly kind: 'complete'; readonly members: readonly string[] }
  /** A complete read says that the pinned thing is not there. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly cause: string }
)

/** An entitlement of which is known what it is. */
export type PinnedEntitlement = EntitlementRef & { readonly nativeId: NativeId }

/**
 * The contract of every target. A connector never throws for what the remote says or fails to say: outcomes are values
 * of the same length and order as the operations. It keeps no state of its own beyond connections.
 */
export type Connector = {
  readonly target: TargetId
  readonly manifest: Manifest
  /** Reachability, identity bound as, permissions present. */
  readonly check: (signal: AbortSignal) => Promise<CheckReport>
  /** Pure: the stable hash of the mapped attributes that this worker should have on this target. */
  readonly attributesHash: (worker: Readonly<Record<string, AttributeValue>>) => string
  /**
   * Pure: the stable hash of all that an account made for this worker would have, its name included. Another hash is another
   * wish: what was refused under the old name may be tried under the new one.
   */
  readonly creationHash: (worker: Readonly<Record<string, AttributeValue>>) => string
  readonly resolveEntitlements: (
    refs: readonly EntitlementRef[],
    signal: AbortSignal,
  ) => Promise<
    readonly (
      | { readonly kind: 'found'; readonly nativeId: NativeId }
      | { readonly kind: 'missing' }
      | { readonly kind: 'failed'; readonly cause: string }
    )[]
  >
  /** Changes and reads back: `done` is said only on evidence read after the write. */
  readonly apply: (operations: readonly Operation[], context: ApplyContext) => Promise<readonly Outcome[]>
  /**
   * Reads only. done(changed: false): it is as the operation wants. retry with cause.word `notSo`: a complete read says
   * that it is not. unknown: the read did not tell. refused: as apply would. An ensureAccount is done when the account
   * is there, with the hash of the attributes that it has: the caller compares.
   */
  readonly observe: (operations: readonly Operation[], signal: AbortSignal) => Promise<readonly Outcome[]>
  /** Direct grants of accounts, managed or not. */
  readonly grantsOf: (
    accounts: readonly NativeId[],
    signal: AbortSignal,
  ) => Promise<Snapshot<{ readonly account: NativeId; readonly entitlement: ObservedEntitlement }>>
  /** Direct members of each of these, one list each, in this order; never a part of a list. */
  readonly membersOf: (refs: readonly PinnedEntitlement[], signal: AbortSignal) => AsyncIterable<MemberList>
  /** Which accounts these members are. Complete: a name that is not among the items is no account (a group, nobody, an entry elsewhere). */
  readonly whoIs: (
    members: readonly string[],
    signal: AbortSignal,
  ) => Promise<Snapshot<{ readonly member: string; readonly account: NativeId }>>
  readonly accounts: (nativeIds: readonly NativeId[], signal: AbortSignal) => Promise<Snapshot<ObservedAccount>>
  readonly close: () => Promise<void>
}
