import type { Listable } from '../store/reconciliations.ts'
import type { Change } from './reconciler.ts'
import type { Drift } from './save-drift.ts'

/** As people read it. */
export const changesOf = (catalogue: readonly Listable[], drift: readonly Drift[]): readonly Change[] => {
  const keys = new Map(catalogue.map(({ id, key }) => [id, key]))
  return drift.map(({ kind, entitlement, link }) => ({
    drift: kind,
    person: link.person_key,
    entitlement: keys.get(entitlement) ?? String(entitlement),
  }))
}
