import type { NativeId } from '../../domain/ids.ts'
import type { IndirectGrant, Snapshot } from '../connector.ts'
import { type Directory, lowPriority } from './directory.ts'
import { failureText } from './errors.ts'
import { readGroupsAbove, readHoldings } from './holdings.ts'

/**
 * What these accounts hold because a group of theirs is in another group, or because a rule or another directory keeps them in a group:
 * neither is anybody's to take from them here. Asked of the groups, which are fewer than people
 * and tell what is held both ways; Graph tells no way between the two ends. Directory roles are no entitlements here.
 */
export const indirectGrantsOf = async (
  { client }: Directory,
  ids: readonly NativeId[],
  signal: AbortSignal,
): Promise<Snapshot<IndirectGrant>> => {
  const reading = lowPriority(signal)
  const direct = await readHoldings(client, ids, reading)
  if (!direct.ok) return { kind: 'partial', items: [], cause: failureText(direct.failure) }
  const groups = [...new Set([...direct.value.values()].flatMap((held) => held.map(({ nativeId }) => nativeId)))]
  const above = await readGroupsAbove(client, groups, reading)
  if (!above.ok) return { kind: 'partial', items: [], cause: failureText(above.failure) }
  const items = [...direct.value].flatMap(([account, held]) => {
    const found = new Map<NativeId, IndirectGrant>()
    for (const { nativeId, name, kept } of held)
      if (kept !== null) found.set(nativeId, { account, entitlement: { nativeId, name }, via: kept, path: [nativeId] })
    // In a circle a group is above itself.
    for (const { nativeId: own } of held)
      for (const { nativeId, name } of above.value.get(own) ?? [])
        if (nativeId !== own && !found.has(nativeId))
          found.set(nativeId, { account, entitlement: { nativeId, name }, via: 'nested', path: [own, nativeId] })
    return [...found.values()]
  })
  return { kind: 'complete', items }
}
