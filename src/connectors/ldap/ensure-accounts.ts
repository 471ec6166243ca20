import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { Operation } from '../connector.ts'
import { accountAttributes, mappedOf, nativeIdOf, observedAccount } from './account.ts'
import { differences, mapAttributes } from './attributes.ts'
import type { Gate, LdapClient } from './client.ts'
import type { LdapSettings } from './config.ts'
import { createAccounts } from './create-accounts.ts'
import { dnKey } from './dn.ts'
import { type Entry, valuesOf } from './entry.ts'
import { outcomeOfRead, outcomeOfWrite } from './errors.ts'
import { missingAccount, readAccounts, refused, retry } from './items.ts'
import { type Holdings, readHoldings } from './read-back.ts'
import { findByKeys, foldKey } from './resolve.ts'

export type EnsureOperation = Extract<Operation, { op: 'ensureAccount' }>

/** An account that is there; `code` is '0' when something was written to it in this call. */
type Present = {
  readonly index: number
  readonly origin: 'created' | 'linked' | 'known'
  readonly code: string
  readonly before: Entry | null
}

/**
 * Finds, links, creates and updates accounts. Every call begins with the search, so that one whose response was lost, when it
 * is repeated, finds what it made.
 */
export const ensureAccounts = async (
  client: LdapClient,
  settings: LdapSettings,
  operations: readonly EnsureOperation[],
  gate: Gate,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const present: Present[] = []
  client.warm()

  const { matched, missing } = await find(client, settings, operations, outcomes)
  const toCreate = missing.filter(({ index, operation }) => {
    if (!operation.create) outcomes[index] = retry('account-missing')
    return operation.create
  })
  for (const { index, result } of await createAccounts(client, settings, toCreate, gate)) {
    if (result === 'created') present.push({ index, origin: 'created', code: '0', before: null })
    else outcomes[index] = result
  }
  for (const { index, operation, entry } of matched) {
    const origin = operation.account === null ? 'linked' : 'known'
    const changes = differences(
      mapAttributes(settings.account, operation.wanted.worker),
      mappedOf(settings, entry),
    ).map(([attribute, values]) => ({ operation: 'replace', attribute, values }) as const)
    const written = changes.length === 0 ? null : await client.modify(entry.dn, nativeIdOf(entry), changes, gate)
    if (written !== null && !written.ok) outcomes[index] = outcomeOfWrite(written.failure, 'account')
    else present.push({ index, origin, code: written === null ? '' : '0', before: entry })
  }
  await prove(client, settings, operations, present, outcomes)
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}

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

/**
 * Reads the accounts again and, of linked ones, the groups: those first, since they are found by name, and the account read
 * afterwards shows whether the name was still the account's.
 */
const prove = async (
  client: LdapClient,
  settings: LdapSettings,
  operations: readonly EnsureOperation[],
  present: readonly Present[],
  outcomes: (Outcome | undefined)[],
): Promise<void> => {
  const linked = present.flatMap(({ origin, before }) => (origin === 'linked' && before !== null ? [before.dn] : []))
  const holdings = linked.length === 0 ? null : await readHoldings(client, settings, linked)
  const again: (Outcome | undefined)[] = new Array(operations.length)
  const toRead = present.filter(({ origin, code }) => origin === 'linked' || code !== '')
  const now = new Map(
    (
      await find(
        client,
        settings,
        toRead.flatMap(({ index, before }) => asRead(operations[index], before)),
        again,
      )
    ).matched.map(({ index, entry }) => [toRead[index]?.index, entry]),
  )
  const failures = new Map(toRead.map(({ index }, at) => [index, again[at]]))

  for (const account of present) {
    const { index, before } = account
    const entry = toRead.includes(account) ? now.get(index) : before
    if (entry === undefined || entry === null) {
      outcomes[index] = failures.get(index) ?? retry('not-so-when-read-back')
    } else if (account.origin === 'linked' && holdings !== null && !holdings.ok) {
      outcomes[index] = outcomeOfRead(holdings.failure, 'account')
    } else if (before !== null && dnKey(before.dn) !== dnKey(entry.dn)) {
      outcomes[index] = retry('renamed-meanwhile')
    } else {
      outcomes[index] = done(settings, account, entry, holdings?.ok ? holdings.value : null)
    }
  }
}

/** The same operation, to be found by native id where that is known by now. */
const asRead = (operation: EnsureOperation | undefined, before: Entry | null): EnsureOperation[] =>
  operation === undefined ? [] : [{ ...operation, account: before === null ? null : nativeIdOf(before) }]

const done = (settings: LdapSettings, { origin, code }: Present, entry: Entry, holdings: Holdings | null): Outcome => {
  const nativeId: NativeId = nativeIdOf(entry)
  return {
    kind: 'done',
    changed: code !== '',
    evidence: { read: 'account-entry', code, account: nativeId, entitlement: null },
    account: { ...observedAccount(settings, entry), origin },
    ...(origin === 'linked' && holdings !== null ? { grants: holdings.groupsOf(entry.dn) } : {}),
  }
}
