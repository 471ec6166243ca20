import type { Outcome } from '../../domain/outcome.ts'
import { differences, mapAttributes } from '../attribute-mapping.ts'
import { type ApplyContext, type EnsureOperation, notSo } from '../connector.ts'
import { missingAccount, retry, unproved } from '../ldap-wire/answers.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import type { Entry } from '../ldap-wire/entry.ts'
import { failed, outcomeOfRead } from '../ldap-wire/errors.ts'
import { linkable } from '../linkable.ts'
import { type Account, accountsOf, hiddenAccount, mappedOf, observedAccount } from './account.ts'
import type { AdSettings } from './config.ts'
import { createAccounts } from './create-accounts.ts'
import { outcomeOfChange } from './errors.ts'
import { guidOf } from './extended-dn.ts'
import { find } from './find-accounts.ts'
import { unreadable } from './held-groups.ts'
import { protectionOf } from './protected.ts'
import { unverified } from './written.ts'

type Origin = 'created' | 'linked' | 'known'
/** An account that is there; `code` is '0' when something was written to it in this call. */
type Present = {
  readonly index: number
  readonly origin: Origin
  readonly code: string
  readonly entry: Entry | null
}
type Shown = Present & { readonly entry: Entry }

/**
 * Finds, links, creates and updates accounts. Every call begins with the search, so that one whose response was lost, when it
 * is repeated, finds what it made.
 */
export const ensureAccounts = async (
  client: LdapClient,
  settings: AdSettings,
  operations: readonly EnsureOperation[],
  gate: Gate,
  context: Pick<ApplyContext, 'linkRefusals'>,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const present: Present[] = []
  client.warm()
  const { matched, missing } = await find(client, settings, operations, outcomes)
  const toCreate = missing.filter(({ index, operation }) => {
    if (!operation.create) outcomes[index] = missingAccount
    return operation.create
  })
  for (const { index, result } of await createAccounts(client, settings, toCreate, gate)) {
    if (result === 'created') present.push({ index, origin: 'created', code: '0', entry: null })
    else outcomes[index] = result
  }
  for (const { index, operation, entry } of await linkable(matched, ({ entry }) => guidOf(entry), context, outcomes)) {
    const written = await update(client, settings, operation, entry, gate)
    if (typeof written !== 'string') outcomes[index] = written
    else present.push({ index, origin: operation.account === null ? 'linked' : 'known', code: written, entry })
  }
  await prove(client, settings, operations, present, outcomes)
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}

/** The result code of what was written, '' when nothing differs. */
const update = async (
  client: LdapClient,
  settings: AdSettings,
  operation: EnsureOperation,
  entry: Entry,
  gate: Gate,
): Promise<string | Outcome> => {
  const changes = differences(
    mapAttributes(settings.account.attributes, operation.wanted.worker),
    mappedOf(settings, entry),
  ).map(([attribute, values]) => ({ operation: 'replace', attribute, values }) as const)
  if (changes.length === 0) return ''
  const protection = protectionOf(settings, entry, operation.op)
  if (protection !== undefined) return protection
  const guid = guidOf(entry)
  if (guid === undefined) return retry('unreadable-account')
  const result = await client.modify(`<GUID=${guid}>`, [], changes, gate)
  return result.ok ? '0' : outcomeOfChange(result.failure, 'account')
}

/** What was written is read again; what was not tells itself, with the groups that it holds. */
const prove = async (
  client: LdapClient,
  settings: AdSettings,
  operations: readonly EnsureOperation[],
  present: readonly Present[],
  outcomes: (Outcome | undefined)[],
): Promise<void> => {
  const again: (Outcome | undefined)[] = new Array(operations.length)
  const toRead = present.filter(({ code }) => code !== '')
  const { matched } = await find(
    client,
    settings,
    toRead.flatMap(({ index, entry }) => asRead(operations[index], entry)),
    again,
  )
  const now = new Map(matched.map(({ index, entry }) => [toRead[index]?.index, entry]))
  const failures = new Map(toRead.map(({ index }, at) => [index, again[at]]))
  const shown: Shown[] = []
  for (const one of present) {
    const entry = (one.code === '' ? one.entry : now.get(one.index)) ?? null
    if (entry !== null) shown.push({ ...one, entry })
    else outcomes[one.index] = unproved(failures.get(one.index) ?? retry(notSo), one.code !== '')
  }
  const isNew = ({ origin }: Shown) => origin === 'created'
  await tell(client, settings, shown.filter(isNew), 'asShown', outcomes)
  await tell(
    client,
    settings,
    shown.filter((one) => !isNew(one)),
    'proven',
    outcomes,
  )
}

const tell = async (
  client: LdapClient,
  settings: AdSettings,
  shown: readonly Shown[],
  groups: 'proven' | 'asShown',
  outcomes: (Outcome | undefined)[],
): Promise<void> => {
  const entries = shown.map(({ entry }) => entry)
  const accounts = await accountsOf(client, settings, entries, groups)
  for (const [at, { index, origin, code }] of shown.entries()) {
    const account = accounts[at] ?? failed(unreadable)
    outcomes[index] = account.ok
      ? presentAccount(settings, account.value, origin, code)
      : unproved(outcomeOfRead(account.failure, 'account'), code !== '')
  }
}

/** The same operation, to be found by native id where that is known by now. */
const asRead = (operation: EnsureOperation | undefined, entry: Entry | null): EnsureOperation[] =>
  operation === undefined ? [] : [{ ...operation, account: entry === null ? null : (guidOf(entry) ?? null) }]

export const presentAccount = (settings: AdSettings, account: Account, origin: Origin, code: string): Outcome => {
  const observed = observedAccount(settings, account)
  if (observed === null) return hiddenAccount
  const { groups } = account
  // A new one holds nothing yet.
  if (origin !== 'created' && !groups.ok) return unverified(groups.failure, code !== '')
  return {
    kind: 'done',
    changed: code !== '',
    evidence: { read: 'account-entry', code, account: account.guid, entitlement: null },
    account: { ...observed, origin },
    ...(origin === 'created' || !groups.ok ? {} : { grants: [...groups.value.values()] }),
  }
}
