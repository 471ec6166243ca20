import type { ListedAccount } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import { linkedAccounts } from '../store/reconciliations.ts'
import type { Engine } from './engine.ts'

/** nobody: linked to no person. left: of a leaver, and open. */
export type Stray = ListedAccount & { readonly is: 'nobody' | 'left'; readonly person: string | null }

export type Strays =
  | { readonly kind: 'read'; readonly accounts: number; readonly strays: readonly Stray[] }
  | { readonly kind: 'unread'; readonly cause: string }

const atOnce = 5_000

/**
 * Accounts of a target that belong to nobody Muster knows, and those of leavers that are open. Reads the target now; stores
 * nothing, for what is listed is personal data of people who may have nothing to do with us.
 */
export const strayAccounts = async (
  { db, connectors }: Pick<Engine, 'db' | 'connectors'>,
  target: TargetId,
  signal: AbortSignal,
): Promise<Strays> => {
  const connector = connectors.get(target)
  if (connector === undefined) return { kind: 'unread', cause: 'no connector' }
  const listed = await connector.listAccounts(signal)
  if (listed.kind === 'partial') return { kind: 'unread', cause: listed.cause }
  const strays: Stray[] = []
  for (let at = 0; at < listed.items.length; at += atOnce) {
    const some = listed.items.slice(at, at + atOnce)
    const linked = new Map(
      (
        await linkedAccounts(
          db,
          target,
          some.map(({ nativeId }) => nativeId),
        )
      ).map((one) => [one.native_id, one]),
    )
    for (const account of some) {
      const link = linked.get(account.nativeId)
      if (link === undefined) strays.push({ ...account, is: 'nobody', person: null })
      // Where accounts cannot be shut, an open one says nothing.
      else if (link.leaver && account.enabled && connector.manifest.disable === 'native')
        strays.push({ ...account, is: 'left', person: link.person_key })
    }
  }
  return { kind: 'read', accounts: listed.items.length, strays }
}
