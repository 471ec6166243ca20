import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { outcomeOfRead, refusal } from '../aws-wire/errors.ts'
import type { ApplyContext, EnsureOperation } from '../connector.ts'
import { readHoldings } from './holdings.ts'
import type { Iam } from './iam.ts'
import { hashOfName, sessionNameOf } from './session-name.ts'

/**
 * Nothing is created: the account is the name by which the federation will call this person's sessions. Whoever is newly
 * linked may be named in roles already, so these are told.
 */
export const ensureAccounts = async (
  iam: Iam,
  operations: readonly EnsureOperation[],
  { linkRefusals }: Pick<ApplyContext, 'linkRefusals'>,
): Promise<readonly Outcome[]> => {
  // The correlation value is the person key, whatever else the worker says.
  const names = operations.map(({ wanted }) =>
    sessionNameOf(iam.settings, { ...wanted.worker, personKey: wanted.correlation.value }),
  )
  const linked = operations.flatMap(({ account }, at) => (account === null ? (names[at] ?? []) : []))
  const holdings = await readHoldings(iam, linked)
  const refusals = linked.length === 0 ? undefined : await linkRefusals?.(linked)
  return operations.map(({ account }, at): Outcome => {
    const name = names[at] ?? null
    if (name === null) return refusal('invalid', 'no-session-name')
    // The federation will call them otherwise from now on: what the old name holds is another account's.
    if (account !== null && account !== name) return refusal('account-missing', 'named-otherwise-now')
    const notLinked = account === null ? refusals?.get(name) : undefined
    if (notLinked !== undefined) return notLinked
    if (account === null && !holdings.ok) return outcomeOfRead(holdings.failure)
    return {
      kind: 'done',
      changed: false,
      evidence: { read: 'session-name', code: '', account: name, entitlement: null },
      account: { ...observedAccount(name), origin: account === null ? 'linked' : 'known' },
      ...(account === null && holdings.ok
        ? { grants: holdings.value.flatMap((one) => (one.account === name ? [one.entitlement] : [])) }
        : {}),
    }
  })
}

export const observedAccount = (name: NativeId) => ({
  nativeId: name,
  enabled: true,
  attributesHash: hashOfName(name),
})
