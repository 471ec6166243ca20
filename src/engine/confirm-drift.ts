import type { Connector } from '../connectors/connector.ts'
import type { NativeId } from '../domain/ids.ts'
import { accountPatience, apartReader, inTurn } from './read-apart.ts'
import type { Drift } from './save-drift.ts'

const accountsAtOnce = 200

/**
 * A second look, from the other side: what each account holds. A list and the names of its members are two reads, and
 * whoever was renamed between them seems to be gone. What the second look does not show is no drift. Where Muster may not look
 * there is none, and the list is believed in whom it shows. `turn`: another one in each run (inTurn).
 */
export const confirmDrift = async (
  connector: Pick<Connector, 'grantsOf'>,
  drift: readonly Drift[],
  {
    outOfSight,
    turn,
    signal,
  }: { readonly outOfSight: ReadonlySet<string>; readonly turn: number; readonly signal: AbortSignal },
): Promise<{ readonly drift: readonly Drift[]; readonly unread: readonly Drift[] }> => {
  const isSeen = ({ link }: Drift) => !outOfSight.has(link.native_id)
  const byAccount = Map.groupBy(drift.filter(isSeen), ({ link }) => link.native_id)
  const holds = new Set<string>()
  const isShown = ({ entitlementNative, link }: Drift) => holds.has(`${link.native_id} ${entitlementNative}`)
  const read = apartReader(
    async (of, until) => {
      const told = await connector.grantsOf(
        of.map(({ native_id }) => native_id as NativeId),
        until,
      )
      for (const { account, entitlement } of told.items) holds.add(`${account} ${entitlement.nativeId}`)
      if (told.kind === 'complete') return { left: [], tells: true, cause: null }
      // A read that is not complete says what somebody holds, and never what they do not.
      const left = of.filter(({ native_id }) => !byAccount.get(native_id)?.every(isShown))
      return { left, tells: told.items.length > 0, cause: told.cause }
    },
    signal,
    accountPatience,
  )
  const unread = new Set<string>()
  const asked = [...byAccount].map(([native_id, of]) => ({ native_id, leaver: of.some(({ link }) => link.leaver) }))
  for (const some of inTurn(asked, accountsAtOnce, turn)) for (const id of (await read(some)).unread) unread.add(id)
  const isUnread = (one: Drift) => unread.has(one.link.native_id) && !isShown(one)
  const isSo = (one: Drift) => (isShown(one) || !isSeen(one)) === (one.kind !== 'missing')
  return {
    drift: drift.filter((one) => !isUnread(one) && isSo(one)),
    unread: drift.filter(isUnread),
  }
}
