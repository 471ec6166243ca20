import type { Connector } from '../connectors/connector.ts'
import type { NativeId } from '../domain/ids.ts'
import type { Drift } from './save-drift.ts'

const accountsAtOnce = 200
/** Single accounts, of leavers and of others each, that cannot be read before it is the target that cannot. */
const mostFailures = 8

/**
 * A second look, from the other side: what each account holds. A list and the names of its members are two reads, and
 * whoever was renamed between them seems to be gone. What the second look does not show is no drift.
 */
export const confirmDrift = async (
  connector: Connector,
  drift: readonly Drift[],
  signal: AbortSignal,
): Promise<{ readonly drift: readonly Drift[]; readonly unread: readonly Drift[] }> => {
  // Leavers among themselves: somebody else's trouble is not theirs.
  const [leavers, others] = [true, false].map((leaver) => [
    ...new Set(drift.flatMap(({ link }) => (link.leaver === leaver ? [link.native_id as NativeId] : []))),
  ]) as [NativeId[], NativeId[]]
  const holds = new Set<string>()
  const unread = new Set<string>()
  let failures = 0
  const read = async (some: readonly NativeId[]): Promise<void> => {
    if (some.length === 0) return
    signal.throwIfAborted()
    const told = await connector.grantsOf(some, signal)
    if (told.kind === 'complete')
      for (const { account, entitlement } of told.items) holds.add(`${account} ${entitlement.nativeId}`)
    else if (some.length === 1 || failures > mostFailures) {
      failures += 1
      for (const account of some) unread.add(account)
    } else {
      const middle = Math.ceil(some.length / 2)
      await read(some.slice(0, middle))
      await read(some.slice(middle))
    }
  }
  for (const accounts of [leavers, others]) {
    failures = 0
    for (let at = 0; at < accounts.length; at += accountsAtOnce) await read(accounts.slice(at, at + accountsAtOnce))
  }
  const isSo = ({ kind, entitlementNative, link }: Drift) =>
    holds.has(`${link.native_id} ${entitlementNative}`) === (kind !== 'missing')
  return {
    drift: drift.filter((one) => !unread.has(one.link.native_id) && isSo(one)),
    unread: drift.filter((one) => unread.has(one.link.native_id)),
  }
}
