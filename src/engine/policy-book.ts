import { knownAttributes } from '../domain/attributes.ts'
import type { DriftPolicy } from '../domain/drift.ts'
import type { EntitlementId, PolicyVersion, TargetId } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import type { Risk } from '../domain/risk.ts'
import { type CompiledPolicy, compilePolicy } from '../policies/compile.ts'
import { parsePolicies } from '../policies/parse.ts'
import type { PolicyWindow } from '../policies/timeline.ts'
import { allEntitlements, type EntitlementRow } from '../store/catalogue.ts'
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
  /** null: in no catalogue. */
  readonly risk: Risk | null
  readonly drift: DriftPolicy
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

/** One for each thread; versions are compiled once. */
export const createPolicyBook = (): PolicyBook => {
  const compiled = new Map<
    number,
    { readonly hash: string; readonly appliedAt: number; readonly policy: CompiledPolicy }
  >()
  let known: ActivePolicy | null = null

  const windowsUpTo = async (
    tx: Queryable,
    version: number,
    entitlements: ActivePolicy['entitlements'],
  ): Promise<readonly PolicyWindow[]> => {
    for (const row of await otherVersions(tx, [...compiled.keys()]))
      compiled.set(row.id, { hash: row.hash, appliedAt: row.applied_at, policy: compileVersion(row, entitlements) })
    return [...compiled]
      .filter(([id]) => id <= version)
      .sort(([a], [b]) => a - b)
      .map(([, { appliedAt, policy }], index) => ({ activeFrom: index === 0 ? null : (appliedAt as Instant), policy }))
  }

  return {
    current: async (tx) => {
      const active = await activeVersion(tx)
      if (active === null) throw new Error('no policy is active: run `muster policy apply`')
      const same = known?.version === active.version
      if (known !== null && same && known.entitlements.size === active.entitlements) return known
      const entitlements = new Map((await allEntitlements(tx)).map((row) => [row.id as EntitlementId, asKnown(row)]))
      const policies = known !== null && same ? known.policies : await windowsUpTo(tx, active.version, entitlements)
      known = {
        version: active.version as PolicyVersion,
        hash: compiled.get(active.version)?.hash ?? '',
        policies,
        entitlements,
      }
      return known
    },
  }
}

const asKnown = (row: EntitlementRow): KnownEntitlement => ({
  ...row,
  id: row.id as EntitlementId,
  target: row.target as TargetId,
})

const compileVersion = (
  row: PolicyVersionRow,
  entitlements: ReadonlyMap<EntitlementId, KnownEntitlement>,
): CompiledPolicy => {
  const idOf = new Map([...entitlements.values()].map(({ id, target, key }) => [JSON.stringify([target, key]), id]))
  // A version was checked when it was applied; targets that muster.yaml has dropped since must not make it unreadable.
  const targets = [...new Set([...entitlements.values()].map(({ target }) => target))]
  const parsed = parsePolicies(row.files, { attributes: knownAttributes, targets })
  if (parsed.kind === 'invalid') throw new Error(`policy version ${row.id} cannot be read by this version of Muster`)
  const ids = new Map<string, { readonly id: EntitlementId; readonly target: TargetId }>()
  for (const { key, target } of parsed.set.entitlements) {
    // A key may have been given to something else since, and the thing another key.
    const stored = row.entitlement_ids[key] as EntitlementId | undefined
    const id = stored ?? idOf.get(JSON.stringify([target, key]))
    if (id !== undefined) ids.set(key, { id, target: target as TargetId })
  }
  return compilePolicy(parsed.set, ids)
}
