import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { Alternative } from '../alternatives.ts'
import type { EnsureOperation, Observing } from '../connector.ts'
import { ambiguous, correlateOthers as byAlternatives, type Missing } from '../correlate-others.ts'
import { missingAccount } from './answers.ts'
import { type Entry, valuesOf } from './entry.ts'
import { outcomeOfRead, type Result } from './errors.ts'
import { type Found, foldKey } from './resolve.ts'

type Outcomes = (Outcome | undefined)[]

export type Matched = Missing & { readonly entry: Entry }
export type Correlated = { readonly matched: readonly Matched[]; readonly missing: readonly Missing[] }

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
  idOf: AlternativeSearch['idOf'],
  outcomes: Outcomes,
): Correlated => {
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
    const doubted = (word: string) => ambiguous(word, correlation, entries.map(idOf))
    if (entries.length > 1) outcomes[index] = doubted('several-accounts')
    else if ((spellings.get(foldKey(value))?.size ?? 0) > 1) outcomes[index] = doubted('keys-differ-only-in-case')
    else if (entry === undefined) missing.push({ index, operation })
    else if (!isExactly(valuesOf(entry, correlation), value)) outcomes[index] = doubted('correlation-not-exact')
    else matched.push({ index, operation, entry })
  }
  return { matched, missing }
}

/** What the alternatives go by, and how they look. */
export type AlternativeSearch = {
  readonly correlation: string
  readonly alternatives: readonly Alternative[]
  /** The accounts whose `property` has one of the values, read with the correlation and all that is verified. */
  readonly find: (alternative: Alternative, values: readonly string[]) => Promise<Result<Found>>
  readonly idOf: (entry: Entry) => NativeId | undefined
} & Pick<Observing, 'linkRefusals'>

/** Looks for whoever is missing by the alternatives. */
export const correlateOthers = async (
  { find, idOf, ...search }: AlternativeSearch,
  { matched, missing }: Correlated,
  outcomes: Outcomes,
): Promise<Correlated> => {
  const told = await byAlternatives<Entry>(
    {
      ...search,
      valuesOf,
      foldKey,
      idOf: (entry) => idOf(entry) || entry.dn,
      nativeIdOf: idOf,
      find: async (alternative, values) => {
        const read = await find(alternative, values)
        return read.ok ? read : { ok: false, outcome: outcomeOfRead(read.failure, 'account') }
      },
    },
    matched.map(({ entry }) => entry),
    missing,
    outcomes,
  )
  const others = told.found.map(({ index, operation, account }) => ({ index, operation, entry: account }))
  return { matched: [...matched, ...others], missing: told.missing }
}

const isExactly = (values: readonly string[], value: string): boolean => values.length === 1 && values[0] === value
