import { dnKey } from '../../domain/dn.ts'
import type { Cause, Outcome } from '../../domain/outcome.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import { firstValue, valuesOf } from '../ldap-wire/entry.ts'
import { causeOf, type Failure, failed, type Result } from '../ldap-wire/errors.ts'
import { type Account, isBelow, readEntries } from './account.ts'
import type { AdSettings } from './config.ts'
import { outcomeOfChange } from './errors.ts'
import { parseExtendedDn, splitDn } from './extended-dn.ts'
import { guidDn } from './guid.ts'
import { unreadable } from './held-groups.ts'
import { forgottenPassword } from './password.ts'

/**
 * What is done to a disabled account, in this order. Each step is on its own: one that fails leaves the others to be done.
 * All name the account by its GUID, since the move changes its DN.
 */
type Step = {
  readonly name: string
  /** Whether a read shows that nothing is left to do. */
  readonly isDone: (settings: AdSettings, account: Account) => boolean
  readonly carryOut: (client: LdapClient, settings: AdSettings, account: Account, gate: Gate) => Promise<Failed>
}
type Failed = Failure | null

const gone: Failure = { code: '', result: null, word: 'no-such-object', sent: false }

const steps: readonly Step[] = [
  {
    name: 'clear-manager',
    isDone: ({ leaver }, { entry }) => !leaver.clearManager || valuesOf(entry, 'manager').length === 0,
    carryOut: (client, _, { guid }, gate) =>
      failureOf(client.modify(guidDn(guid), [], [{ operation: 'replace', attribute: 'manager', values: [] }], gate)),
  },
  {
    name: 'reset-password',
    // The new password must be changed at the next sign-in, which only a reset (or nobody ever) has set.
    isDone: ({ leaver }, { entry }) => !leaver.resetPassword || firstValue(entry, 'pwdLastSet') === '0',
    carryOut: (client, _, { guid }, gate) =>
      failureOf(
        client.modify(
          guidDn(guid),
          [],
          [
            { operation: 'replace', attribute: 'unicodePwd', values: [forgottenPassword()] },
            { operation: 'replace', attribute: 'pwdLastSet', values: ['0'] },
          ],
          gate,
        ),
      ),
  },
  {
    name: 'move',
    isDone: ({ leaver }, { dn }) => leaver.moveTo === undefined || isBelow(dn, leaver.moveTo),
    carryOut: (client, settings, account, gate) =>
      failureOf(moveTo(client, settings, account, settings.leaver.moveTo ?? '', gate)),
  },
]

const failureOf = async (
  request: Promise<{ readonly ok: true } | { readonly ok: false; readonly failure: Failure }>,
): Promise<Failed> => {
  const result = await request
  return result.ok ? null : result.failure
}

/** The move names the RDN that the account has: read again, or it would be renamed back to what it was. */
const moveTo = async (
  client: LdapClient,
  settings: AdSettings,
  { guid }: Account,
  parent: string,
  gate: Gate,
): Promise<Result<null>> => {
  const now = await readEntries(client, settings, [guid])
  // Nothing was sent yet, whatever became of the read.
  if (!now.ok) return failed({ ...now.failure, sent: false })
  const entry = now.value.get(guid)
  if (entry === undefined) return failed(gone)
  const name = parseExtendedDn(entry.dn)
  return name === null ? failed(unreadable) : client.move(guidDn(guid), splitDn(name.dn).rdn, parent, gate)
}

/** Carries out what is left to do. `again`: the password too, whoever set it since: the account was just disabled. */
export const partWith = async (
  client: LdapClient,
  settings: AdSettings,
  account: Account,
  again: boolean,
  gate: Gate,
): Promise<{ readonly changed: boolean; readonly failures: ReadonlyMap<string, Failure> }> => {
  const failures = new Map<string, Failure>()
  let changed = false
  for (const { name, isDone, carryOut } of steps) {
    const isForced = again && name === 'reset-password' && settings.leaver.resetPassword
    if (isDone(settings, account) && !isForced) continue
    const failure = await carryOut(client, settings, account, gate)
    if (failure === null) changed = true
    else failures.set(name, failure)
  }
  return { changed, failures }
}

/** Steps that a read of the account does not show as done, with what the controller said of them. */
export const unfinishedOf = (
  settings: AdSettings,
  account: Account,
  failures: ReadonlyMap<string, Failure>,
): readonly Cause[] =>
  steps
    .filter(({ name, isDone }) => failures.has(name) || !isDone(settings, account))
    .map(({ name }) => {
      const failure = failures.get(name)
      if (failure === undefined) return { code: '', word: `${name}-not-so` }
      const outcome = outcomeOfChange(failure, 'account')
      return { ...causeOf(failure), word: `${name}-${'cause' in outcome ? outcome.cause.word : outcome.kind}` }
    })

/** Somebody who comes back leaves the leavers' OU before the account is enabled. null: nothing to do, or done. */
export const bringBack = async (
  client: LdapClient,
  settings: AdSettings,
  account: Account,
  gate: Gate,
): Promise<{ readonly moved: boolean; readonly refusal: Outcome | null }> => {
  const { leaver, peopleBase } = settings
  if (leaver.moveTo === undefined || !isBelow(account.dn, leaver.moveTo)) return { moved: false, refusal: null }
  if (isBelow(account.dn, peopleBase) && dnKey(splitDn(account.dn).parent) === dnKey(peopleBase))
    return { moved: false, refusal: null }
  const result = await moveTo(client, settings, account, peopleBase, gate)
  if (result.ok) return { moved: true, refusal: null }
  if (result.failure.result === 32) {
    const cause = { ...causeOf(result.failure), word: 'people-base-missing' }
    return { moved: false, refusal: { kind: 'refused', reason: 'configuration', cause } }
  }
  return { moved: false, refusal: outcomeOfChange(result.failure, 'account') }
}
