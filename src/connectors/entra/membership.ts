import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { refused, retry } from './answers.ts'
import { batchLimit } from './client.ts'
import { cloudOf } from './clouds.ts'
import { missed, type Written } from './conclude.ts'
import type { Directory } from './directory.ts'
import { causeOf, type Failure, isElementCaused, isMissing, outcomeOfRead, outcomeOfWrite } from './errors.ts'
import { readGroup } from './groups.ts'
import { readHoldings } from './holdings.ts'
import { directoryObject, membership, newMember, oneGroup } from './paths.ts'
import type { Gate } from './transport.ts'
import { chunksOf, usersNow } from './users.ts'

export type Results = ReadonlyMap<NativeId, Written | Outcome>

/** Members refused one by one before the rest of a call waits for another go: a batch that can never succeed costs little. */
const maxSingleRefusals = 20

/** The words of a member that is there already. A hint only: reads decide (Graph's texts are no contract). */
const alreadyThere = /already exist/i

/**
 * Adds members to one group, 20 a request, one request at a time. Such a request is all or nothing: one that is refused is
 * followed by a read and by the difference, and what is refused again is sent member by member.
 */
export const addMembers = async (
  directory: Directory,
  group: NativeId,
  ids: readonly NativeId[],
  gate: Gate,
): Promise<Results> => {
  const { client, settings } = directory
  const { graph } = cloudOf(settings)
  const results = new Map<NativeId, Written | Outcome>()
  const put = (some: readonly NativeId[], result: Written | Outcome) => {
    for (const id of some) results.set(id, result)
  }
  let singleRefusals = 0
  /** Set by what stops the whole call: a lost connection, the lease, a limit, a group that is gone. */
  let stop: Outcome | undefined
  const halt = (some: readonly NativeId[], outcome: Outcome) => {
    put(some, outcome)
    // What was not sent is surely not applied, whatever became of what was sent.
    stop = outcome.kind === 'unknown' ? { kind: 'retry', cause: outcome.cause } : outcome
  }

  const together = async (some: readonly NativeId[], attempt: number): Promise<void> => {
    if (stop !== undefined) return put(some, stop)
    if (some.length <= 1) return single(some)
    const body = { 'members@odata.bind': some.map((id) => directoryObject(graph, id)) }
    const sent = await client.write({ method: 'PATCH', resource: oneGroup(group), body }, gate)
    if (sent.ok) return put(some, { kind: 'written', said: 'accepted', changed: true, code: sent.value.requestId })
    if (!isElementCaused(sent.failure)) return halt(some, outcomeOfWrite(sent.failure, 'entitlement'))
    const rest = await difference(some)
    if (rest === undefined) return
    // Whoever does not show is asked about alone; the others need not suffer for it.
    if (attempt === 1 && rest.willing.length < some.length) await together(rest.willing, 2)
    else await single(rest.willing)
    return single(rest.strange)
  }

  /** Those that are not in the group yet, and those that were not found at all; undefined: it could not be read. */
  const difference = async (some: readonly NativeId[]) => {
    const holdings = await readHoldings(client, some)
    if (!holdings.ok) {
      halt(some, outcomeOfRead(holdings.failure, 'entitlement'))
      return undefined
    }
    const isMember = (id: NativeId) => holdings.value.get(id)?.some(({ nativeId }) => nativeId === group) === true
    put(some.filter(isMember), { kind: 'written', said: 'so-already', changed: false, code: '' })
    return {
      willing: some.filter((id) => holdings.value.has(id) && !isMember(id)),
      strange: some.filter((id) => !holdings.value.has(id)),
    }
  }

  const single = async (some: readonly NativeId[]): Promise<void> => {
    for (const id of some) {
      if (stop !== undefined || singleRefusals >= maxSingleRefusals) {
        put([id], stop ?? retry('not-begun'))
        continue
      }
      const body = { '@odata.id': directoryObject(graph, id) }
      const sent = await client.write({ method: 'POST', resource: newMember(group), body }, gate)
      if (sent.ok) put([id], { kind: 'written', said: 'accepted', changed: true, code: sent.value.requestId })
      else if (!isElementCaused(sent.failure)) halt([id], outcomeOfWrite(sent.failure, 'entitlement'))
      else await explain(id, sent.failure)
    }
  }

  /** A refused member is one that is there, one that does not exist, or one that Graph does not want; or the group is gone. */
  const explain = async (id: NativeId, failure: Failure): Promise<void> => {
    if (failure.status === 400 && alreadyThere.test(failure.message ?? ''))
      return put([id], { kind: 'written', said: 'so-already', changed: false, code: '' })
    const [read, users] = await Promise.all([readGroup(client, group), usersNow(client, [id], ['id'])])
    if (!read.ok) return halt([id], outcomeOfRead(read.failure, 'entitlement'))
    if (read.value === null) {
      directory.memory.forget(group)
      return halt([id], refused('entitlement-missing', 'no-such-group', failure.code))
    }
    singleRefusals += 1
    if (!users.ok) return put([id], outcomeOfRead(users.failure, 'account'))
    if (!users.value.has(id)) return put([id], missed(directory, client.now()))
    // Both are there: Graph's replica that took the change did not know one of them yet.
    return put([id], isMissing(failure) ? retry('not-replicated', failure.code) : outcomeOfWrite(failure, 'account'))
  }

  for (const some of chunksOf([...new Set(ids)], batchLimit)) await together(some, 1)
  return results
}

export type Pair = { readonly group: NativeId; readonly member: NativeId }

/**
 * Takes members out of groups, 20 a request, of whatever groups; each stands alone. A 404 tells nothing yet: the proof that
 * follows reads. Answers in the order of `pairs`.
 */
export const removeMembers = async (
  { client }: Directory,
  pairs: readonly Pair[],
  gate: Gate,
): Promise<readonly (Written | Outcome)[]> => {
  const results: (Written | Outcome)[] = []
  let stop: Outcome | undefined
  for (const some of chunksOf(pairs, batchLimit)) {
    if (stop !== undefined) {
      for (const _ of some) results.push(stop)
      continue
    }
    const answers = await client.writeMany(
      some.map(({ group, member }) => ({ method: 'DELETE', resource: membership(group, member) })),
      gate,
    )
    for (const answer of answers) {
      if (answer.ok) results.push({ kind: 'written', said: 'accepted', changed: true, code: answer.value.requestId })
      else if (isMissing(answer.failure)) results.push({ kind: 'written', said: 'absent', changed: false, code: '' })
      else {
        const outcome = outcomeOfWrite(answer.failure, 'entitlement')
        results.push(outcome)
        if (outcome.kind === 'throttled' || outcome.kind === 'retry') stop = outcome
        else if (outcome.kind === 'unknown') stop = { kind: 'retry', cause: causeOf(answer.failure) }
      }
    }
  }
  return results
}
