import type { TargetId } from '../domain/ids.ts'
import type { Engine } from './engine.ts'
import type { Drift } from './save-drift.ts'

/** What reconciliation needs of the engine: the command line has no more. */
export type Reconciler = Pick<Engine, 'db' | 'connectors' | 'nudge'> & {
  readonly settings: Pick<Engine['settings'], 'pause'>
}

export type Correlated = {
  /** Accounts that are somebody's, found by a read where no action looks for them. */
  readonly linked: number
  /** People for whom a human must say which account is theirs. */
  readonly ambiguous: number
  /** Why the rest was not looked for; null: all were. */
  readonly uncorrelatedPeople: string | null
}

export type AccountsReconciled = {
  readonly accounts: number
  /** Shut as far as Muster knew, or to be shut, and found open: to be shut again. */
  readonly reopened: number
  /** Open as far as Muster knew, and found shut: told, never opened. */
  readonly shutElsewhere: number
  /** Called otherwise, or elsewhere: told. */
  readonly renamed: number
  /** Not there any more: told. */
  readonly gone: number
  /** Where Muster may not look, if they are there at all: nobody else waits for them. */
  readonly outOfSight: number
  /** Why nothing is known of the rest; null: all were read. */
  readonly accountsUnread: string | null
}

export type IndirectReconciled = {
  /** Entitlements of the catalogue that somebody holds indirectly since now. */
  readonly indirect: number
  /** Why of some accounts it is not known what they hold indirectly; null: of all that were read, it is. */
  readonly indirectUnread: string | null
}

export type Reconciliation = {
  readonly target: TargetId
  /** delta: only what its change log named, and what was behind. */
  readonly extent: 'full' | 'delta'
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
  /** What changed, for whoever asked; holds person keys. */
  readonly changes: readonly Change[]
  /** Entitlements of which nothing was learnt, by key, and why. */
  readonly unread: readonly { readonly key: string; readonly cause: string }[]
  /** Lists that lack so much of what was verified that nothing follows from them, by key. */
  readonly shrunken: readonly { readonly key: string; readonly believed: number; readonly gone: number }[]
} & AccountsReconciled &
  Correlated &
  IndirectReconciled

export type Change = { readonly drift: Drift['kind']; readonly person: string; readonly entitlement: string }
