import type { Directory } from './directory.ts'
import { type Look, type Looking, type Looks, look } from './look.ts'
import type { Item } from './operations.ts'

/** Reads of one moment that do not agree: some replica has not seen the change yet. */
export type Confirmed = Look | { readonly kind: 'wavering'; readonly look: Look }

/**
 * Looks as often in a row as the settings say. Replicas of Graph answer in turn, so what counts is that several reads, one
 * after the other, show the same.
 */
export const confirm = async (
  directory: Directory,
  items: readonly Item[],
  looking: Looking,
): Promise<ReadonlyMap<number, Confirmed>> => {
  const results = new Map<number, Confirmed>()
  let left = items
  for (let round = 1; left.length > 0; round += 1) {
    const looks: Looks = await look(directory, left, looking)
    const again: Item[] = []
    for (const item of left) {
      const now = looks.get(item.index)
      if (now === undefined) continue
      const before = results.get(item.index)
      if (before !== undefined && before.kind !== now.kind) results.set(item.index, { kind: 'wavering', look: now })
      else {
        results.set(item.index, now)
        if (isPositive(now)) again.push(item)
      }
    }
    left = round < directory.settings.settle.confirmations ? again : []
  }
  return results
}

/** What would be acted upon; «not so» and a failed read are asked again by whoever waits for them. */
const isPositive = (now: Look): boolean => now.kind === 'so' || (now.kind === 'told' && now.outcome.kind === 'refused')
