import type { EntitlementId, PolicyVersion, TargetId } from '../domain/ids.ts'
import type { PolicyWindow } from '../policies/timeline.ts'
import type { Queryable } from '../store/database.ts'

export type KnownEntitlement = {
  readonly id: EntitlementId
  /** Catalogue key; null = seen on the target only. */
  readonly key: string | null
  readonly target: TargetId
  readonly lookup: string
  readonly managed: boolean
  readonly protected: boolean
}

/** The policy that decides now, compiled, with the versions that judge the past. */
export type ActivePolicy = {
  readonly version: PolicyVersion
  readonly hash: string
  /** Ascending; the last is the active one. */
  readonly policies: readonly PolicyWindow[]
  /** Entitlements of the catalogue, and those seen on targets. */
  readonly entitlements: ReadonlyMap<EntitlementId, KnownEntitlement>
}

export type PolicyBook = {
  /** The active policy as the caller's transaction sees it: one indexed read; compiled again only when it changed. */
  readonly current: (tx: Queryable) => Promise<ActivePolicy>
}
