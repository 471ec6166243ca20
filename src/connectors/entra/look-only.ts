import type { Outcome } from '../../domain/outcome.ts'
import { missed } from './conclude.ts'
import { confirm } from './confirm.ts'
import type { Directory } from './directory.ts'
import type { Item } from './operations.ts'

/**
 * Revokes in groups whose members are not ours to take out, as far as reads tell: whoever is not in it (any more) has lost what was to
 * be taken away. Of whoever is in it nothing is said.
 */
export const lookOnly = async (
  directory: Directory,
  revokes: readonly Item[],
): Promise<readonly (readonly [number, Outcome])[]> => {
  if (revokes.length === 0) return []
  const looks = await confirm(directory, revokes, { withAccounts: true })
  return revokes.flatMap(({ index }): (readonly [number, Outcome])[] => {
    const seen = looks.get(index)
    if (seen?.kind === 'so') return [[index, missed(directory, directory.client.now())]]
    return seen?.kind === 'told' ? [[index, seen.outcome]] : []
  })
}
