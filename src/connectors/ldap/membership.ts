import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { AttributeChange, Gate, LdapClient, Took } from '../ldap-wire/client.ts'
import {
  causeOf,
  type Failure,
  isAlready,
  isElementCaused,
  outcomeOfRead,
  outcomeOfWrite,
} from '../ldap-wire/errors.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import type { LdapSettings } from './config.ts'
import { whileIts } from './controls.ts'
import { readMembers } from './read-back.ts'

/** The server said that it is so, or a read did: not proved yet. */
export type Written = {
  readonly kind: 'written'
  readonly changed: boolean /** Result code of the change; '' when none was sent. */
  readonly code: string
}

export type GroupChange = {
  readonly groupDn: string
  readonly group: NativeId
  readonly change: 'add' | 'delete'
  /** DNs of the members as the server spelled them. */
  readonly dns: readonly string[]
}

/** Elements refused one by one before the rest of a call waits for another go: a batch that can never succeed costs little. */
const maxSingleRefusals = 32
/** Reading the group and sending the difference; more means that somebody else works against us. */
const maxDifferences = 3
const objectClassViolation = 65
/**
 * Of values in one modify. ldapts' writer moves what is longer than 65,535 bytes by one without making room for it, and loses
 * a byte should its buffer be exactly full.
 */
const maxBytes = 60_000
const renamedGroup: Outcome = {
  kind: 'refused',
  reason: 'entitlement-changed-identity',
  cause: { code: '', word: 'another-entry' },
}
const waiting: Outcome = { kind: 'retry', cause: { code: '', word: 'not-begun' } }

/**
 * Adds members to one group or removes them, by value-level modifies of many values. One bad value fails alone: a batch that
 * the server refuses for one of its values is halved until that value stands alone.
 */
export const changeMembers = async (
  client: LdapClient,
  settings: LdapSettings,
  pace: Pace,
  { groupDn, group, change, dns }: GroupChange,
  gate: Gate,
): Promise<ReadonlyMap<string, Written | Outcome>> => {
  const { memberAttribute, placeholder } = settings.group
  const results = new Map<string, Written | Outcome>()
  const put = (some: readonly string[], result: Written | Outcome) => {
    for (const dn of some) results.set(dn, result)
  }
  let singleRefusals = 0
  /** Set by what stops the whole call: a broken connection, the lease, a busy server, a group that is not the one meant. */
  let stop: Outcome | undefined

  const modify = (values: readonly string[], took: Took, withPlaceholder = false) => {
    const changes: AttributeChange[] = [{ operation: change, attribute: memberAttribute, values }]
    if (withPlaceholder) changes.unshift({ operation: 'add', attribute: memberAttribute, values: [placeholder] })
    return client.modify(groupDn, whileIts(group), changes, gate, 0, took)
  }

  /** The members that still need the change, or undefined when the group could not be read. */
  const difference = async (some: readonly string[]): Promise<readonly string[] | undefined> => {
    const members = await readMembers(client, settings, groupDn, some)
    if (!members.ok || members.value.nativeId !== group) {
      stop = members.ok ? renamedGroup : outcomeOfRead(members.failure, 'entitlement')
      put(some, stop)
      return undefined
    }
    const { present } = members.value
    const isSo = (dn: string) => present.has(dn) === (change === 'add')
    put(some.filter(isSo), { kind: 'written', changed: false, code: '' })
    return some.filter((dn) => !isSo(dn))
  }

  const refuse = async (dn: string, failure: Failure) => {
    // 53 is also said where there is nothing to do: what counts is whether the value is there.
    if (failure.result === 53 && (await difference([dn]))?.length === 0) return
    put([dn], outcomeOfWrite(failure, 'entitlement'))
    singleRefusals += 1
  }

  const send = async (some: readonly string[], differences = 0): Promise<void> => {
    if (some.length === 0) return
    if (stop !== undefined || singleRefusals >= maxSingleRefusals) return put(some, waiting)
    const took: Took = (ms) => pace.took(change, some.length, ms)
    let result = await modify(some, took)
    if (!result.ok && result.failure.result === objectClassViolation && change === 'delete')
      result = await modify(some, took, true)
    if (result.ok) return put(some, { kind: 'written', changed: true, code: '0' })
    const { failure } = result
    if (isAlready(failure) && differences < maxDifferences) {
      const rest = await difference(some)
      return rest === undefined ? undefined : send(rest, differences + 1)
    }
    if (isElementCaused(failure) || isAlready(failure)) {
      if (some.length === 1) return refuse(some[0] ?? '', failure)
      const half = Math.ceil(some.length / 2)
      await send(some.slice(0, half), differences)
      return send(some.slice(half), differences)
    }
    stop = outcomeOfWrite(failure, 'entitlement')
    put(some, stop)
    // What was not sent is surely not applied, whatever became of what was sent.
    if (stop.kind === 'unknown') stop = { kind: 'retry', cause: causeOf(failure) }
  }

  const left = [...new Set(dns)]
  while (left.length > 0) {
    const some = left.splice(0, fitting(left, pace.size(change)))
    if (stop !== undefined) put(some, stop)
    else await send(some)
  }
  return results
}

/** How many of the first values one modify carries: at most `most`, and at least one. */
const fitting = (values: readonly string[], most: number): number => {
  let bytes = 0
  let count = 0
  for (const value of values) {
    bytes += Buffer.byteLength(value)
    if (count >= most || (count > 0 && bytes > maxBytes)) break
    count += 1
  }
  return count
}
