import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { Operation } from '../connector.ts'
import { missingAccount, refused } from './answers.ts'
import { type Entry, valuesOf } from './entry.ts'
import { outcomeOfRead, type Result } from './errors.ts'
import { type Found, foldKey } from './resolve.ts'

export type EnsureOperation = Extract<Operation, { op: 'ensureAccount' }>

export type Missing = { readonly index: number; readonly operation: EnsureOperation }
export type Matched = Missing & { readonly entry: Entry }

/** The person keys that must be looked up: those of operations that name no account. */
export const keysOf = (operations: readonly EnsureOperation[]): readonly string[] =>
  operations.filter(({ account }) => account === null).map(({ wanted }) => wanted.correlation.value)

/**
 * Which entry each operation is about: the known one by native id, the others by the correlation attribute. What cannot be
 * told is answered in `outcomes`, never guessed.
 */
export const correlate = (
  operations: readonly EnsureOperation[],
  known: Result<ReadonlyMap<NativeId, Entry>>,
  correlated: Result<Found>,
  correlation: string,
  outcomes: (Outcome | undefined)[],
): { readonly matched: readonly Matched[]; readonly missing: readonly Missing[] } => {
  // The directory takes keys that differ only in case for the same; people do not.
  const spellings = new Map<string, Set<string>>()
  for (const value of keysOf(operations))
    spellings.set(foldKey(value), (spellings.get(foldKey(value)) ?? new Set()).add(value))

  const matched: Matched[] = []
  const missing: Missing[] = []
  for (const [index, operation] of operations.entries()) {
    const read = operation.account === null ? correlated : known
    if (!read.ok) {
      outcomes[index] = outcomeOfRead(read.failure, 'account')
      continue
    }
    if (operation.account !== null) {
      const entry = known.ok ? known.value.get(operation.account) : undefined
      if (entry === undefined) outcomes[index] = missingAccount
      else matched.push({ index, operation, entry })
      continue
    }
    const { value } = operation.wanted.correlation
    const entries = correlated.ok ? (correlated.value.get(foldKey(value)) ?? []) : []
    const entry = entries[0]
    if (entries.length > 1) outcomes[index] = refused('account-ambiguous', 'several-accounts')
    else if ((spellings.get(foldKey(value))?.size ?? 0) > 1)
      outcomes[index] = refused('account-ambiguous', 'keys-differ-only-in-case')
    else if (entry === undefined) missing.push({ index, operation })
    else if (!isExactly(valuesOf(entry, correlation), value))
      outcomes[index] = refused('account-ambiguous', 'correlation-not-exact')
    else matched.push({ index, operation, entry })
  }
  return { matched, missing }
}

const isExactly = (values: readonly string[], value: string): boolean => values.length === 1 && values[0] === value
