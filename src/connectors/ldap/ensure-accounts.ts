import { dnKey } from '../../domain/dn.ts'
import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { differences, mapAttributes } from '../attribute-mapping.ts'
import { type ApplyContext, type EnsureOperation, notSo } from '../connector.ts'
import { missingAccount, retry, unproved } from '../ldap-wire/answers.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import type { Entry } from '../ldap-wire/entry.ts'
import { outcomeOfRead, outcomeOfWrite } from '../ldap-wire/errors.ts'
import { linkable } from '../linkable.ts'
import { mappedOf, nativeIdOf, observedAccount } from './account.ts'
import type { LdapSettings } from './config.ts'
import { whileIts } from './controls.ts'
import { createAccounts } from './create-accounts.ts'
import { find } from './find-accounts.ts'
import { type Holdings, readHoldings } from './read-back.ts'

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
    if (result === 'created') present.push({ index, origin: 'created', code: '0', before: null })
    else outcomes[index] = result
  }
  for (const { index, operation, entry } of await linkable(
    matched,
    ({ entry }) => nativeIdOf(entry),
    context,
    outcomes,
  )) {
    const origin = operation.account === null ? 'linked' : 'known'
    const changes = differences(
      mapAttributes(settings.account.attributes, operation.wanted.worker),
      mappedOf(settings, entry),
    ).map(([attribute, values]) => ({ operation: 'replace', attribute, values }) as const)
    const written =
      changes.length === 0 ? null : await client.modify(entry.dn, whileIts(nativeIdOf(entry)), changes, gate)
    if (written !== null && !written.ok) outcomes[index] = outcomeOfWrite(written.failure, 'account')
    else present.push({ index, origin, code: written === null ? '' : '0', before: entry })
  }
  await prove(client, settings, operations, present, outcomes)
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}

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
    const written = account.code !== ''
    const entry = toRead.includes(account) ? now.get(index) : before
    if (entry === undefined || entry === null) {
      outcomes[index] = unproved(failures.get(index) ?? retry(notSo), written)
    } else if (account.origin === 'linked' && holdings !== null && !holdings.ok) {
      outcomes[index] = unproved(outcomeOfRead(holdings.failure, 'account'), written)
    } else if (before !== null && dnKey(before.dn) !== dnKey(entry.dn)) {
      outcomes[index] = unproved(retry('renamed-meanwhile'), written)
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
