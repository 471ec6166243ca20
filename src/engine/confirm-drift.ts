import type { Connector } from '../connectors/connector.ts'
import type { NativeId } from '../domain/ids.ts'
import type { Drift } from './save-drift.ts'

const accountsAtOnce = 200

/**
 * A second look, from the other side: what each account holds. A list and the names of its members are two reads, and
 * whoever was renamed between them seems to be gone. What the second look does not show is no drift.
 */
export const confirmDrift = async (
  connector: Connector,
  drift: readonly Drift[],
  signal: AbortSignal,
): Promise<{ readonly drift: readonly Drift[]; readonly unread: readonly Drift[] }> => {
  const accounts = [...new Set(drift.map(({ link }) => link.native_id as NativeId))]
  const holds = new Set<string>()
  const unread = new Set<string>()
  for (let at = 0; at < accounts.length; at += accountsAtOnce) {
    const some = accounts.slice(at, at + accountsAtOnce)
    const read = await connector.grantsOf(some, signal)
    if (read.kind === 'complete')
      for (const { account, entitlement } of read.items) holds.add(`${account} ${entitlement.nativeId}`)
    else for (const account of some) unread.add(account)
  }
  const isSo = ({ kind, entitlementNative, link }: Drift) =>
    holds.has(`${link.native_id} ${entitlementNative}`) === (kind !== 'missing')
  return {
    drift: drift.filter((one) => !unread.has(one.link.native_id) && isSo(one)),
    unread: drift.filter((one) => unread.has(one.link.native_id)),
  }
}
