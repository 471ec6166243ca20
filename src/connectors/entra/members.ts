import type { NativeId } from '../../domain/ids.ts'
import type { MemberList, PinnedEntitlement, Snapshot } from '../connector.ts'
import { type Directory, lowPriority } from './directory.ts'
import { failureText, ok } from './errors.ts'
import { createGroupMemory, isHidden, keptBy, prefetch, readGroup } from './groups.ts'
import { readMembers } from './holdings.ts'
import { everyUser, isGuid, usersById } from './users.ts'

/** Groups asked for at once. */
const groupsAtOnce = 3
/** From so many names on, one list of all users is cheaper than asking for each: 15 names a query, 999 users a page. */
const readAllFrom = 3_000

/** Everything that is directly in each group, under its object id, whatever the group is called by now. */
export async function* membersOf(
  directory: Directory,
  refs: readonly PinnedEntitlement[],
  signal: AbortSignal,
): AsyncGenerator<MemberList> {
  const begun: Promise<MemberList>[] = []
  // Of this run alone, like the lists.
  const memory = createGroupMemory(directory.client.now)
  await prefetch(
    directory.client,
    memory,
    refs.map(({ nativeId }) => nativeId),
    lowPriority(signal),
  )
  let next = 0
  const begin = () => {
    const ref = refs[next++]
    if (ref !== undefined) begun.push(listOf({ ...directory, memory }, ref, signal))
  }
  while (next < groupsAtOnce) begin()
  for (let list = begun.shift(); list !== undefined; list = begun.shift()) {
    const done = await list
    begin()
    yield done
  }
}

const listOf = async (
  { client, settings, sizes, memory }: Directory,
  { id: entitlement, nativeId }: PinnedEntitlement,
  signal: AbortSignal,
): Promise<MemberList> => {
  const read = await readMembers(client, nativeId, lowPriority(signal))
  if (!read.ok) return { kind: 'failed', entitlement, cause: failureText(read.failure) }
  if (read.value === null) return { kind: 'missing', entitlement }
  const known = memory.get(nativeId)
  const group = known === undefined ? await readGroup(client, nativeId, lowPriority(signal)) : ok(known)
  if (!group.ok) return { kind: 'failed', entitlement, cause: failureText(group.failure) }
  if (group.value !== null && read.value.length === 0 && isHidden(group.value, settings))
    return { kind: 'failed', entitlement, cause: 'hidden-membership' }
  sizes.set(nativeId, read.value.length)
  if (group.value !== null && keptBy(group.value) !== null)
    return { kind: 'complete', entitlement, members: [], kept: read.value as readonly NativeId[] }
  return { kind: 'complete', entitlement, members: read.value }
}

/** Accounts are users; groups within groups, devices and service principals are not among them. */
export const whoIs = async (
  { client }: Directory,
  members: readonly string[],
  signal: AbortSignal,
): Promise<Snapshot<{ readonly member: string; readonly account: NativeId }>> => {
  const distinct = [...new Set(members)].filter(isGuid) as NativeId[]
  const reading = lowPriority(signal)
  const read =
    distinct.length < readAllFrom
      ? await usersById(client, distinct, ['id'], reading)
      : await everyUser(client, reading)
  if (!read.ok) return { kind: 'partial', items: [], cause: failureText(read.failure) }
  const known: ReadonlySet<string> | ReadonlyMap<NativeId, unknown> = read.value
  return {
    kind: 'complete',
    items: distinct.flatMap((id) => (known.has(id) ? [{ member: id, account: id }] : [])),
  }
}
