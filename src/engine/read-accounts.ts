import type { Connector, SeenAccount } from '../connectors/connector.ts'
import type { NativeId } from '../domain/ids.ts'
import { type Asked, accountPatience, apartReader, type Unread } from './read-apart.ts'

export type AccountsRead = Unread & {
  readonly shown: ReadonlyMap<string, SeenAccount>
  /** Those who are where Muster may not look, if they are there at all: not unread, and not known either. By native id. */
  readonly outOfSight: ReadonlySet<string>
}

export type AccountReader = (some: readonly Asked[]) => Promise<AccountsRead>

/**
 * Accounts as the target shows them. A read that is not complete shows those whom it shows, and says nothing of the rest, but that
 * they are out of sight. Only a complete read says of somebody that they are not there.
 */
export const accountReader = (
  { accounts }: Pick<Connector, 'accounts'>,
  signal: AbortSignal,
  patience = accountPatience,
): AccountReader => {
  const shown = new Map<string, SeenAccount>()
  const outOfSight = new Set<string>()
  const read = apartReader(
    async (of, until) => {
      const told = await accounts(
        of.map(({ native_id }) => native_id as NativeId),
        until,
      )
      for (const item of told.items) shown.set(item.nativeId, item)
      if (told.kind === 'complete') return { left: [], tells: true, cause: null }
      const left = of.filter(({ native_id }) => !shown.has(native_id))
      if (told.outOfSight !== true) return { left, tells: told.items.length > 0, cause: told.cause }
      for (const { native_id } of left) outOfSight.add(native_id)
      return { left: [], tells: true, cause: null }
    },
    signal,
    patience,
  )
  return async (some) => {
    shown.clear()
    outOfSight.clear()
    const unread = await read(some)
    return { ...unread, shown: new Map(shown), outOfSight: new Set(outOfSight) }
  }
}
