import type { NativeId } from '../domain/ids.ts'
import type { Outcome, RefusalReason } from '../domain/outcome.ts'
import type { Alternative } from './alternatives.ts'
import { fillWhole } from './attribute-mapping.ts'
import { type EnsureOperation, linkedToAnother, type Observing } from './connector.ts'

export type Missing = { readonly index: number; readonly operation: EnsureOperation }
export type Claim<Account> = Missing & { readonly account: Account }

/** What the alternatives go by, and how a target's accounts look. */
export type AlternativeSearch<Account> = {
  /** The property that holds the person key. */
  readonly correlation: string
  readonly alternatives: readonly Alternative[]
  /** The accounts whose `property` has one of the values, by folded value, read with the correlation and all that is verified. */
  readonly find: (
    alternative: Alternative,
    values: readonly string[],
  ) => Promise<
    | { readonly ok: true; readonly value: ReadonlyMap<string, readonly Account[]> }
    | { readonly ok: false; readonly outcome: Outcome }
  >
  readonly valuesOf: (account: Account, property: string) => readonly string[]
  /** A value as the target would show it. */
  readonly spell?: (property: string, value: string) => string
  /** Values that the target takes for the same become one text; nothing to it: empty. */
  readonly foldKey: (value: string) => string
  /** Tells accounts apart. */
  readonly idOf: (account: Account) => string
  readonly nativeIdOf: (account: Account) => NativeId | undefined
} & Pick<Observing, 'linkRefusals'>

const hasAnotherKey = 'has-another-key'
const notVerified = 'alternative-not-verified'

/** `by`: the property that found the accounts. */
export const ambiguous = (word: string, by: string, accounts: readonly (NativeId | undefined)[]): Outcome => ({
  kind: 'refused',
  reason: 'account-ambiguous' satisfies RefusalReason,
  cause: { code: '', word },
  doubt: { by, accounts: accounts.filter((one) => one !== undefined && one !== '') as readonly NativeId[] },
})

const foundMeanwhile: Outcome = { kind: 'retry', cause: { code: '', word: 'found-meanwhile' } }

/**
 * Looks for whoever is missing by the alternatives in their order; the first that finds anything decides. A name may have been
 * somebody else's: what is not certain is for a human, and an account that two claim is neither's. `taken`: the accounts of those
 * that were found otherwise. What cannot be told is answered in `outcomes`, never guessed.
 */
export const correlateOthers = async <Account>(
  search: AlternativeSearch<Account>,
  taken: readonly Account[],
  missing: readonly Missing[],
  outcomes: (Outcome | undefined)[],
): Promise<{ readonly found: readonly Claim<Account>[]; readonly missing: readonly Missing[] }> => {
  const { alternatives, find, idOf } = search
  const found: (Claim<Account> & { readonly by: string })[] = []
  let left = missing
  for (const alternative of alternatives) {
    const values = new Map(
      left.map(({ index, operation }) => [index, valueFor(search, alternative.template, operation)]),
    )
    const asked = [...values.values()].filter((value) => value !== null)
    if (asked.length === 0) continue
    const read = await find(alternative, asked)
    const doubted: Doubted[] = []
    left = left.filter(({ index, operation }) => {
      const value = values.get(index) ?? null
      if (value === null) return true
      if (!read.ok) {
        outcomes[index] = read.outcome
        return false
      }
      // The target may have found more than is equal here.
      const accounts = (read.value.get(search.foldKey(value)) ?? []).filter((account) =>
        hasValue(search, account, alternative.property, value, alternative),
      )
      const account = accounts[0]
      if (account === undefined) return true
      const doubt = doubtOf(search, alternative, accounts, account, operation)
      if (doubt === null) found.push({ index, operation, account, by: alternative.property })
      else {
        outcomes[index] = doubt
        if (isAnothers(search, account, operation, doubt)) doubted.push({ index, operation, id: idOf(account) })
      }
      return false
    })
    const passed = await anothers(doubted, search)
    for (const { index } of passed) outcomes[index] = undefined
    left = [...left, ...passed]
  }
  const claims = Map.groupBy([...taken, ...found.map(({ account }) => account)], idOf)
  const certain = found.filter(({ index, account, by }) => {
    const isOnly = claims.get(idOf(account))?.length === 1
    if (!isOnly) outcomes[index] = ambiguous('claimed-by-several', by, [search.nativeIdOf(account)])
    return isOnly
  })
  return { found: certain, missing: left }
}

type Doubted = Missing & { readonly id: string }

/**
 * Whose account shows another key, or lacks what parts people, and is known to be linked to somebody else: a name that was given
 * again. For a joiner a human looks before a second account is made; of whoever is only looked for to be shut out nobody could
 * ever mend it. Whatever else is not certain stays so: their own account may bear a wrong key.
 */
const anothers = async (
  doubted: readonly Doubted[],
  { linkRefusals }: Pick<Observing, 'linkRefusals'>,
): Promise<readonly Missing[]> => {
  if (linkRefusals === undefined || doubted.length === 0) return []
  const refusals = await linkRefusals([...new Set(doubted.map(({ id }) => id as NativeId))])
  return doubted.flatMap(({ index, operation, id }) => {
    const refusal = refusals.get(id as NativeId)
    return refusal?.kind === 'refused' && refusal.cause.word === linkedToAnother ? [{ index, operation }] : []
  })
}

/** By what it shows: another key, theirs not beside it, or not what should agree. */
const isAnothers = <Account>(
  { valuesOf, foldKey, correlation }: AlternativeSearch<Account>,
  account: Account,
  { create, wanted }: EnsureOperation,
  doubt: Outcome,
): boolean =>
  !create &&
  doubt.kind === 'refused' &&
  (doubt.cause.word === hasAnotherKey || doubt.cause.word === notVerified) &&
  !valuesOf(account, correlation).some((key) => foldKey(key) === foldKey(wanted.correlation.value))

const doubtOf = <Account>(
  search: AlternativeSearch<Account>,
  alternative: Alternative,
  accounts: readonly Account[],
  account: Account,
  operation: EnsureOperation,
): Outcome | null => {
  const doubted = (word: string) => ambiguous(word, alternative.property, accounts.map(search.nativeIdOf))
  if (accounts.length > 1) return doubted('several-accounts')
  const keys = search.valuesOf(account, search.correlation)
  // Nobody had it a moment ago: the next search finds it by it.
  if (keys.length === 1 && keys[0] === operation.wanted.correlation.value) return foundMeanwhile
  // Whose key that is need not be known to anybody: it is not this person's.
  if (keys.length > 0) return doubted(hasAnotherKey)
  const isVerified = Object.entries(alternative.verify).every(([property, template]) => {
    const value = valueFor(search, template, operation)
    return value !== null && hasValue(search, account, property, search.spell?.(property, value) ?? value, alternative)
  })
  return isVerified ? null : doubted(notVerified)
}

/** null: the worker lacks what it takes, or what is left of it is nothing to the target. */
const valueFor = (
  { foldKey }: Pick<AlternativeSearch<never>, 'foldKey'>,
  template: string,
  { wanted }: EnsureOperation,
): string | null => {
  const value = fillWhole(template, wanted.worker)
  return value === null || foldKey(value) === '' ? null : value
}

const hasValue = <Account>(
  { valuesOf, foldKey }: AlternativeSearch<Account>,
  account: Account,
  property: string,
  value: string,
  { compare }: Alternative,
): boolean =>
  valuesOf(account, property).some((one) => (compare === 'exact' ? one === value : foldKey(one) === foldKey(value)))
