import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { attributesHash, differences } from '../attribute-mapping.ts'
import type { EnsureOperation } from '../connector.ts'
import { missingAccount } from './answers.ts'
import { wantedAttributes } from './attributes.ts'
import type { Directory } from './directory.ts'
import { outcomeOfRead } from './errors.ts'
import { findProperties } from './find-accounts.ts'
import { grantsAmong, type Holdings, readHoldings } from './holdings.ts'
import { isSynced, mappedOf, observedAccount, type User, valuesOf } from './user.ts'
import { usersNow } from './users.ts'

/** An account that is there, or that Graph said it made. */
export type Present = {
  readonly index: number
  readonly operation: EnsureOperation
  readonly id: NativeId
  readonly origin: 'created' | 'linked' | 'known'
  readonly changed: boolean
  /** Graph's request id of the change; '' when nothing was changed. */
  readonly code: string
  /** As it was read before, where nothing had to be changed. */
  readonly user: User | null
}

/** What the reads show: the outcome, or «not yet», with what the last read said. */
export type Proved =
  | { readonly kind: 'proved'; readonly outcome: Outcome }
  | { readonly kind: 'not-yet'; readonly outcome: Outcome | null }

/** Reads changed accounts again, so often in a row as the settings say, and of linked ones the groups. */
export const proveAccounts = async (
  directory: Directory,
  present: readonly Present[],
): Promise<ReadonlyMap<number, Proved>> => {
  const { client, settings } = directory
  const proved = new Map<number, Proved>()
  const shown = new Map<number, User>()
  for (const { index, user } of present) if (user !== null) shown.set(index, user)
  let left = present.filter(({ user }) => user === null)
  for (let round = 1; left.length > 0 && round <= settings.settle.confirmations; round += 1) {
    const read = await usersNow(
      client,
      left.map(({ id }) => id),
      findProperties(settings),
    )
    left = left.filter((account) => {
      const { index, id } = account
      const user = read.ok ? read.value.get(id) : undefined
      if (user !== undefined && isAsWanted(directory, account, user)) {
        shown.set(index, user)
        return true
      }
      shown.delete(index)
      const outcome = !read.ok ? outcomeOfRead(read.failure, 'account') : user === undefined ? missingAccount : null
      proved.set(index, { kind: 'not-yet', outcome })
      return false
    })
  }
  const linked = present.filter(({ index, origin }) => origin === 'linked' && shown.has(index)).map(({ id }) => id)
  const holdings = linked.length === 0 ? null : await readHoldings(client, linked)
  for (const account of present) {
    const user = shown.get(account.index)
    if (user === undefined) continue
    if (account.origin === 'linked' && holdings !== null && !holdings.ok)
      proved.set(account.index, { kind: 'not-yet', outcome: outcomeOfRead(holdings.failure, 'account') })
    else
      proved.set(account.index, {
        kind: 'proved',
        outcome: told(directory, account, user, holdings?.ok ? holdings.value : null),
      })
  }
  return proved
}

const isAsWanted = ({ settings }: Directory, { operation }: Present, user: User): boolean => {
  if (isSynced(user)) return true
  const { worker, correlation } = operation.wanted
  if (operation.account === null && valuesOf(user, settings.correlation)[0] !== correlation.value) return false
  return differences(wantedAttributes(settings, worker), mappedOf(settings, user)).length === 0
}

/** `done`. What an Active Directory masters is not ours to set: its attributes are told as they are wanted. */
export const told = (
  { settings }: Directory,
  { operation, origin, changed, code }: Pick<Present, 'operation' | 'origin' | 'changed' | 'code'>,
  user: User,
  holdings: Holdings | null,
): Outcome => {
  const observed = observedAccount(settings, user)
  const wantedHash = attributesHash(wantedAttributes(settings, operation.wanted.worker))
  const held = origin === 'linked' ? holdings?.get(observed.nativeId) : undefined
  return {
    kind: 'done',
    changed,
    evidence: { read: 'account-entry', code, account: observed.nativeId, entitlement: null },
    account: { ...observed, ...(isSynced(user) ? { attributesHash: wantedHash } : {}), origin },
    ...(held === undefined ? {} : { grants: grantsAmong(held) }),
  }
}
