import { workerAttributes } from '../domain/attributes.ts'
import type { EntitlementId, PolicyVersion, TargetId } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import { type CompiledPolicy, compilePolicy } from '../policies/compile.ts'
import { parsePolicies } from '../policies/parse.ts'
import type { PolicyWindow } from '../policies/timeline.ts'
import { entitlementsAfter } from '../store/catalogue.ts'
import type { Queryable } from '../store/database.ts'
import { activeVersion, otherVersions, type PolicyVersionRow } from '../store/policy-versions.ts'

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

export const createPolicyBook = (): PolicyBook => {
  const compiled = new Map<number, { readonly hash: string; readonly appliedAt: number; readonly policy: CompiledPolicy }>()
  let known: ActivePolicy | null = null
  let newest = -1

  const load = async (tx: Queryable, version: number): Promise<ActivePolicy> => {
    const entitlements = new Map<EntitlementId, KnownEntitlement>()
    for (const row of await entitlementsAfter(tx, 0)) entitlements.set(row.id as EntitlementId, asKnown(row))
    for (const row of await otherVersions(tx, [...compiled.keys()]))
      compiled.set(row.id, { hash: row.hash, appliedAt: row.applied_at, policy: compileVersion(row, entitlements) })
    const ids = [...compiled.keys()].filter((id) => id <= version).sort((a, b) => a - b)
    const policies = ids.map((id, index): PolicyWindow => {
      const { appliedAt, policy } = compiled.get(id) as { appliedAt: number; policy: CompiledPolicy }
      return { activeFrom: index === 0 ? null : (appliedAt as Instant), policy }
    })
    return { version: version as PolicyVersion, hash: compiled.get(version)?.hash ?? '', policies, entitlements }
  }

  return {
    current: async (tx) => {
      const active = await activeVersion(tx)
      if (active === null) throw new Error('no policy is active: run `muster policy apply`')
      if (known?.version !== active.version) {
        known = await load(tx, active.version)
        newest = Math.max(0, ...known.entitlements.keys())
      } else if (newest < active.newestEntitlement) {
        const entitlements = new Map(known.entitlements)
        for (const row of await entitlementsAfter(tx, newest)) entitlements.set(row.id as EntitlementId, asKnown(row))
        known = { ...known, entitlements }
        newest = Math.max(newest, ...entitlements.keys())
      }
      return known
    },
  }
}

const asKnown = (row: { id: number; key: string | null; target: string; lookup: string; managed: boolean; protected: boolean }): KnownEntitlement => ({
  ...row,
  id: row.id as EntitlementId,
  target: row.target as TargetId,
})

const compileVersion = (row: PolicyVersionRow, entitlements: ReadonlyMap<EntitlementId, KnownEntitlement>): CompiledPolicy => {
  const idOf = new Map([...entitlements.values()].map(({ id, target, key }) => [JSON.stringify([target, key]), id]))
  // A version was checked when it was applied; targets that muster.yaml has dropped since must not make it unreadable.
  const targets = [...new Set([...entitlements.values()].map(({ target }) => target))]
  const parsed = parsePolicies(row.files, { attributes: workerAttributes, targets })
  if (parsed.kind === 'invalid') throw new Error(`policy version ${row.id} cannot be read by this version of Muster`)
  const ids = new Map<string, { readonly id: EntitlementId; readonly target: TargetId }>()
  for (const { key, target } of parsed.set.entitlements) {
    const id = idOf.get(JSON.stringify([target, key]))
    if (id !== undefined) ids.set(key, { id, target: target as TargetId })
  }
  return compilePolicy(parsed.set, ids)
}
