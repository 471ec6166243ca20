import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { missingAccount, refused, retry } from '../ldap-wire/answers.ts'
import type { Gate, LdapClient, Took } from '../ldap-wire/client.ts'
import { causeOf, type Failure, isElementCaused, outcomeOfRead } from '../ldap-wire/errors.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import { readAccounts } from './account.ts'
import type { AdSettings } from './config.ts'
import { outcomeOfChange } from './errors.ts'
import { readGroupById } from './groups.ts'
import { guidDn } from './guid.ts'
import type { Written } from './written.ts'

export type GroupChange = {
  readonly group: NativeId
  readonly change: 'add' | 'delete'
  readonly accounts: readonly NativeId[]
}

/** Elements refused one by one before the rest of a call waits for another go: a batch that can never succeed costs little. */
const maxSingleRefusals = 32
/** Reading the accounts again and sending the difference; more means that somebody else works against us. */
const maxDifferences = 3

/**
 * Codes that AD gives when one value of a batch is there already, or not any more, or names nobody: 68 and 20 for an
 * addition, 53 and 16 for a removal, 32 for either, none of them saying which. 53 also means refused by a policy.
 */
const settledByReading: ReadonlySet<number> = new Set([16, 20, 32, 53, 68])

/**
 * Adds members to one group or removes them, by value-level modifies (never a replace: it would lose whoever came in
 * between). A modify is all or nothing: when it fails for one value, what is left to do is read, and when that does not
 * settle it, the batch is halved until the value stands alone. `accounts` still need the change, as read just before.
 */
export const changeMembers = async (
  client: LdapClient,
  settings: AdSettings,
  pace: Pace,
  { group, change, accounts }: GroupChange,
  gate: Gate,
): Promise<ReadonlyMap<NativeId, Written | Outcome>> => {
  const results = new Map<NativeId, Written | Outcome>()
  const put = (some: readonly NativeId[], result: Written | Outcome) => {
    for (const id of some) results.set(id, result)
  }
  let singleRefusals = 0
  /** Set by what stops the whole call: a broken connection, the lease, a busy server, a group that is gone. */
  let stop: Outcome | undefined

  /** The accounts that still need the change, or undefined when that could not be read. */
  const difference = async (some: readonly NativeId[]): Promise<readonly NativeId[] | undefined> => {
    const [members, there] = await Promise.all([
      readAccounts(client, settings, some, 'asShown'),
      readGroupById(client, group),
    ])
    if (!members.ok || !there.ok || there.value === null) {
      stop = !members.ok
        ? outcomeOfRead(members.failure, 'account')
        : !there.ok
          ? outcomeOfRead(there.failure, 'entitlement')
          : refused('entitlement-missing', 'no-such-group')
      put(some, stop)
      return undefined
    }
    const left: NativeId[] = []
    for (const id of some) {
      const account = members.value.get(id)
      if (account === undefined) put([id], missingAccount)
      else if (!account.groups.ok) put([id], outcomeOfRead(account.groups.failure, 'account'))
      else if (account.groups.value.has(group) === (change === 'add'))
        put([id], { kind: 'written', changed: false, code: '' })
      else left.push(id)
    }
    return left
  }

  const refuse = (id: NativeId, failure: Failure) => {
    singleRefusals += 1
    const outcome = outcomeOfChange(failure, 'account')
    // It was read: the account is there, the group too, and it is not so. 68 is no name that is taken here.
    const isContended = failure.result === 68 || failure.result === 20 || failure.result === 16
    put([id], isContended ? { kind: 'retry', cause: causeOf(failure) } : outcome)
  }

  const send = async (some: readonly NativeId[], differences = 0): Promise<void> => {
    if (some.length === 0) return
    if (stop !== undefined || singleRefusals >= maxSingleRefusals) return put(some, stop ?? retry('not-begun'))
    const took: Took = (ms) => pace.took(change, some.length, ms)
    const values = some.map(guidDn)
    const result = await client.modify(
      guidDn(group),
      [],
      [{ operation: change, attribute: 'member', values }],
      gate,
      0,
      took,
    )
    if (result.ok) return put(some, { kind: 'written', changed: true, code: '0' })
    const { failure } = result
    const isSettled = failure.result !== null && settledByReading.has(failure.result)
    if (isSettled && differences < maxDifferences) {
      const rest = await difference(some)
      if (rest === undefined) return
      // Nothing was settled by reading: one value is refused for a reason of its own.
      return rest.length < some.length ? send(rest, differences + 1) : apart(rest, failure, differences)
    }
    if (isSettled || (isElementCaused(failure) && failure.result !== 50)) return apart(some, failure, differences)
    // 50: the right to write `member` is the group's; no value would fare better alone.
    stop = outcomeOfChange(failure, 'entitlement')
    put(some, stop)
    // What was not sent is surely not applied, whatever became of what was sent.
    if (stop.kind === 'unknown') stop = { kind: 'retry', cause: causeOf(failure) }
  }

  const apart = async (some: readonly NativeId[], failure: Failure, differences: number): Promise<void> => {
    if (some.length === 1 && some[0] !== undefined) return refuse(some[0], failure)
    const half = Math.ceil(some.length / 2)
    await send(some.slice(0, half), differences)
    return send(some.slice(half), differences)
  }

  const left = [...new Set(accounts)]
  while (left.length > 0) await send(left.splice(0, pace.size(change)))
  return results
}
