import type { NativeId } from './ids.ts'

/** What the target itself said, for the record: code and a word of ours, never its message (may be personal data). */
export type Cause = {
  /** The target's own result code, e.g. LDAP '32', 'ETIMEDOUT'. */
  readonly code: string
  /** Our word for it. */
  readonly word: string
  /** The target's own text; goes only into the erasable side table. */
  readonly message?: string
  /** The trouble is not this operation's: the target was not reached, did not answer, or was not well itself (5xx). */
  readonly elsewhere?: true
  /**
   * Only another hand brings it about (an identity provider, another directory): waited for, however long. Native ids of what feeds it,
   * on whatever target that is; empty: not told.
   */
  readonly awaited?: readonly string[]
}

/** Words for what was not begun, since the lease ended or the call stopped at another operation. */
const neverBegun: ReadonlySet<string> = new Set(['lease', 'not-begun'])

/** Nothing was told of this operation in particular: however often it happens, it is not the operation's failure. */
export const isElsewhere = ({ word, elsewhere }: Cause): boolean => elsewhere === true || neverBegun.has(word)

export const refusalReasons = [
  'entitlement-missing',
  'entitlement-changed-identity',
  'account-missing',
  'account-ambiguous',
  'name-taken',
  'not-allowed',
  'invalid',
  'limit',
  'protected',
  'configuration',
  /** The target does not take what Muster signs in with: nothing was done, and nobody in particular is to blame. */
  'credential',
] as const
export type RefusalReason = (typeof refusalReasons)[number]

/**
 * Cause word of a refusal: the account is not where accounts are, and Muster may not look where else it may be. Nobody knows whether it
 * is gone, and soon repeating tells no more.
 */
export const accountOutOfSight = 'account-out-of-sight'

/**
 * Cause word of a refused revoke: it is sent, the target takes it, and no read that Muster may do can ever prove it. So it is never
 * done: a human has to look, and soon repeating tells no more.
 */
export const sentUnproved = 'sent-unproved'

/** How a state was proved: read back from the target after the change, by which read. */
export type Evidence = {
  /** What was read, e.g. 'member-values', 'account-entry', 'bind-refused'. */
  readonly read: string
  /** The target's own result code of the change, '0' when it said success, '' when no change was needed. */
  readonly code: string
  readonly account: NativeId
  readonly entitlement: NativeId | null
}

export type ObservedAccount = {
  readonly nativeId: NativeId
  readonly enabled: boolean
  /** Hash of the mapped attributes as configured; equal to the wanted hash when nothing differs. */
  readonly attributesHash: string
}

/** Accounts of which it is not certain that one is a person's. */
export type Doubt = {
  /** The property that found them; null: not told. */
  readonly by: string | null
  readonly accounts: readonly NativeId[]
}

/** What we KNOW after a call (facts/connectors §5). Expected trouble is data; only bugs throw. */
export type Outcome =
  | {
      readonly kind: 'done'
      /** false: it was so already. */
      readonly changed: boolean
      readonly evidence: Evidence
      /** ensureAccount, enable, disable. */
      readonly account?: ObservedAccount & {
        readonly origin: 'created' | 'linked' | 'known'
        /** false: found while a change may be on its way; it is there, and its state and attributes may be of before. */
        readonly settled?: false
        /** enable, disable: what a read before the change showed, the change being proved against it. undefined = not known. */
        readonly wasEnabled?: boolean
      }
      /**
       * ensureAccount (when the account was there already), disable and endSessions: native ids of the groups that hold the account
       * directly, from a complete read. undefined = not read.
       */
      readonly grants?: readonly ObservedEntitlement[]
      /**
       * ensureAccount of an account that was not linked, or linked unread: what it holds indirectly, from a complete read. No connector says it
       * here: the engine asks it (`indirectGrantsOf`) before anything is granted to the account. undefined = not read.
       */
      readonly indirect?: readonly ObservedIndirect[]
      /**
       * What the configuration asks for beside the operation, and could not be brought about: a leaver's move, for one. The
       * operation itself is done; a human should see this, and repeating it tries again.
       */
      readonly unfinished?: readonly Cause[]
    }
  | { readonly kind: 'pending'; readonly handle: string; readonly pollAfterMs: number }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number; readonly scope: string }
  /** Surely not applied; worth another go. */
  | { readonly kind: 'retry'; readonly retryAfterMs?: number; readonly cause: Cause }
  /** May have been applied: read back before anything else. */
  | { readonly kind: 'unknown'; readonly cause: Cause }
  | {
      readonly kind: 'refused'
      readonly reason: RefusalReason
      readonly cause: Cause
      /** What a human can do instead, prepared for them: native ids, and no other personal data. Findings show it. */
      readonly todo?: string
      /** account-ambiguous: what it is that is not certain. */
      readonly doubt?: Doubt
    }

export type ObservedEntitlement = {
  readonly nativeId: NativeId
  /** The target's name for it (DN, display name): for the catalogue of unmanaged entitlements. */
  readonly name: string
}

export type KeptBy = 'rule' | 'sync'

/** Whether the account itself is in it, and neither a grant nor a revoke could say so. */
export const isKept = ({ via }: { readonly via: string }): boolean => via === 'rule' || via === 'sync'

/** Access that no grant of the account gives, and no revoke of one takes away. */
export type ObservedIndirect = {
  readonly entitlement: ObservedEntitlement
  /** `rule`: who is in it a rule says; `sync`: another directory; both keep their members, whatever is asked of the target. */
  readonly via: 'nested' | 'primary' | KeptBy
  /** Native ids on the way, as far as the target tells it: the account's own group first, the entitlement itself last. */
  readonly path: readonly NativeId[]
}
