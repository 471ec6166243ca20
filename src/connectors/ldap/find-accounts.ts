import type { Outcome } from '../../domain/outcome.ts'
import type { Operation } from '../connector.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Entry, valuesOf } from '../ldap-wire/entry.ts'
import { outcomeOfRead } from '../ldap-wire/errors.ts'
import { findByKeys, foldKey } from '../ldap-wire/resolve.ts'
import { accountAttributes } from './account.ts'
import type { LdapSettings } from './config.ts'
import { missingAccount, readAccounts, refused } from './items.ts'

export type EnsureOperation = Extract<Operation, { op: 'ensureAccount' }>

export type Missing = { readonly index: number; readonly operation: EnsureOperation }
export type Matched = Missing & { readonly entry: Entry }

/** Looks every account up: known ones by their native id, the others by the correlation attribute. */
export const find = async (
  client: LdapClient,
  settings: LdapSettings,
  operations: readonly EnsureOperation[],
  outcomes: (Outcome | undefined)[],
): Promise<{ readonly matched: readonly Matched[]; readonly missing: readonly Missing[] }> => {
  const attributes = [...accountAttributes(settings), settings.correlation]
  const unknown = operations.filter(({ account }) => account === null).map(({ wanted }) => wanted.correlation.value)
  const [known, correlated] = await Promise.all([
    readAccounts(
      client,
      settings,
      operations.flatMap(({ account }) => (account === null ? [] : [account])),
      attributes,
    ),
    findByKeys(client, { base: settings.peopleBase, attribute: settings.correlation, keys: unknown, attributes }),
  ])
  // The directory takes keys that differ only in case for the same; people do not.
  const spellings = new Map<string, Set<string>>()
  for (const value of unknown) spellings.set(foldKey(value), (spellings.get(foldKey(value)) ?? new Set()).add(value))

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
    else if (!isExactly(valuesOf(entry, settings.correlation), value))
      outcomes[index] = refused('account-ambiguous', 'correlation-not-exact')
    else matched.push({ index, operation, entry })
  }
  return { matched, missing }
}

const isExactly = (values: readonly string[], value: string): boolean => values.length === 1 && values[0] === value
