import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement } from '../../domain/outcome.ts'
import type { Snapshot } from '../connector.ts'
import type { GraphClient } from './client.ts'
import { failureText } from './errors.ts'
import { type GroupMemory, prefetch, readGroup } from './groups.ts'

/** Display names of groups; what is read is remembered for the change that follows. */
export const entitlementNames = async (
  client: GraphClient,
  memory: GroupMemory,
  ids: readonly NativeId[],
): Promise<Snapshot<ObservedEntitlement>> => {
  await prefetch(client, memory, ids)
  const items: ObservedEntitlement[] = []
  let cause: string | null = null
  for (const nativeId of ids) {
    const read = memory.get(nativeId) ?? (await readGroup(client, nativeId))
    if ('ok' in read && !read.ok) {
      cause = failureText(read.failure)
      continue
    }
    const group = 'ok' in read ? read.value : read
    if (group === null) continue
    memory.put(nativeId, group)
    items.push({ nativeId, name: group.displayName ?? '' })
  }
  return cause === null ? { kind: 'complete', items } : { kind: 'partial', items, cause }
}
