import type { NativeId } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { ApplyContext } from './connector.ts'

/** Nobody can tell whether it may be, nor whom to link. */
const unreadable: Outcome = { kind: 'retry', cause: { code: '', word: 'unreadable-account' } }

type Found = { readonly index: number; readonly operation: { readonly account: NativeId | null } }

/**
 * Those of the accounts found that may be written or linked. Whoever may not, and who is not told by a native id, is
 * answered in `outcomes`. An account that its operation names has passed already: only found ones are asked about.
 */
export const linkable = async <T extends Found>(
  matched: readonly T[],
  idOf: (match: T) => NativeId | undefined,
  { linkRefusals }: Pick<ApplyContext, 'linkRefusals'>,
  outcomes: (Outcome | undefined)[],
): Promise<readonly T[]> => {
  const found = matched.filter(({ operation }) => operation.account === null)
  const ids = [...new Set(found.flatMap((match) => idOf(match) || []))]
  const refusals = ids.length === 0 ? undefined : await linkRefusals?.(ids)
  return matched.filter((match) => {
    if (match.operation.account !== null) return true
    const id = idOf(match) || null
    const refusal = id === null ? unreadable : (refusals?.get(id) ?? null)
    if (refusal !== null) outcomes[match.index] = refusal
    return refusal === null
  })
}
