import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { fillWhole } from '../attribute-mapping.ts'
import type { Operation } from '../connector.ts'
import type { Alternative } from './alternatives.ts'
import { missingAccount, refused } from './answers.ts'
import { type Entry, valuesOf } from './entry.ts'
import { outcomeOfRead, type Result } from './errors.ts'
import { type Found, foldKey } from './resolve.ts'

export type EnsureOperation = Extract<Operation, { op: 'ensureAccount' }>

type Outcomes = (Outcome | undefined)[]

export type Missing = { readonly index: number; readonly operation: EnsureOperation }
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

/** What the alternatives go by, and how they look. */
export type AlternativeSearch = {
  readonly correlation: string
  readonly alternatives: readonly Alternative[]
  /** The accounts whose `property` has one of the values, read with the correlation and all that is verified. */
  readonly find: (alternative: Alternative, values: readonly string[]) => Promise<Result<Found>>
  readonly idOf: (entry: Entry) => NativeId | undefined
}

/**
 * Looks for whoever is missing by the alternatives in their order; the first that finds anything decides. A name may have been
 * somebody else's: what is not certain is for a human, and an account that two claim is neither's.
 */
export const correlateOthers = async (
  { correlation, alternatives, find, idOf }: AlternativeSearch,
  { matched, missing }: Correlated,
  outcomes: Outcomes,
): Promise<Correlated> => {
  const others: Matched[] = []
  let left = missing
  for (const alternative of alternatives) {
    const values = new Map(left.map(({ index, operation }) => [index, valueFor(alternative, operation)]))
    const asked = [...values.values()].filter((value) => value !== null)
    if (asked.length === 0) continue
    const read = await find(alternative, asked)
    left = left.filter(({ index, operation }) => {
      const value = values.get(index) ?? null
      if (value === null) return true
      if (!read.ok) {
        outcomes[index] = outcomeOfRead(read.failure, 'account')
        return false
      }
      // The directory may have found more than is equal here.
      const entries = (read.value.get(foldKey(value)) ?? []).filter((entry) =>
        hasValue(entry, alternative.property, value, alternative),
      )
      const entry = entries[0]
      if (entry === undefined) return true
      if (entries.length > 1) outcomes[index] = refused('account-ambiguous', 'several-accounts')
      // Whose key that is need not be known to anybody: it is not this person's.
      else if (valuesOf(entry, correlation).length > 0)
        outcomes[index] = refused('account-ambiguous', 'has-another-key')
      else if (!isVerified(entry, alternative, operation))
        outcomes[index] = refused('account-ambiguous', 'alternative-not-verified')
      else others.push({ index, operation, entry })
      return false
    })
  }
  const accountOf = (entry: Entry) => idOf(entry) || entry.dn
  const claims = Map.groupBy([...matched, ...others], ({ entry }) => accountOf(entry))
  const certain = others.filter(({ index, entry }) => {
    const isOnly = claims.get(accountOf(entry))?.length === 1
    if (!isOnly) outcomes[index] = refused('account-ambiguous', 'claimed-by-several')
    return isOnly
  })
  return { matched: [...matched, ...certain], missing: left }
}

/** null: the worker lacks what it takes, or what is left of it is nothing to the directory. */
const valueFor = ({ template }: Alternative, { wanted }: EnsureOperation): string | null => {
  const value = fillWhole(template, wanted.worker)
  return value === null || foldKey(value) === '' ? null : value
}

const hasValue = (entry: Entry, attribute: string, value: string, { compare }: Alternative): boolean =>
  valuesOf(entry, attribute).some((one) => (compare === 'exact' ? one === value : foldKey(one) === foldKey(value)))

const isVerified = (entry: Entry, alternative: Alternative, { wanted }: EnsureOperation): boolean =>
  Object.entries(alternative.verify).every(([attribute, template]) => {
    const value = fillWhole(template, wanted.worker)
    return value !== null && foldKey(value) !== '' && hasValue(entry, attribute, value, alternative)
  })

const isExactly = (values: readonly string[], value: string): boolean => values.length === 1 && values[0] === value
