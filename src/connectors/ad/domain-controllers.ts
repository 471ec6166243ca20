import { atOnce, type GiveWay } from '../connector.ts'
import { createLdapClient, type Dialect, type LdapClient } from '../ldap-wire/client.ts'
import type { ConnectionSettings } from '../ldap-wire/connection.ts'
import type { AdSettings } from './config.ts'
import { domainScope, ExtendedDnControl } from './controls.ts'
import { guidText, sidText } from './guid.ts'
import { settleMs } from './settling.ts'

const dialect: Dialect = {
  searchControls: [new ExtendedDnControl(), domainScope],
  decoders: new Map([
    ['objectguid', guidText],
    ['invocationid', guidText],
    ['objectsid', sidText],
  ]),
}

/** `settling`: it was switched to a moment ago, and may not know yet what others were told. */
export type Pinned = { readonly client: LdapClient; readonly settling: boolean }

export type DomainControllers = {
  /**
   * The controller for one call. Controllers agree only after seconds or minutes, so reads and writes of a call stay with
   * one; the next call goes to another when this one cannot be reached.
   */
  readonly pin: () => Promise<Pinned>
  readonly close: () => void
}

export const createDomainControllers = (
  settings: AdSettings & Pick<ConnectionSettings, 'currentPassword'>,
  giveWay: GiveWay = atOnce,
  now: () => number = Date.now,
): DomainControllers => {
  const { urls, bindName, ...rest } = settings
  const clients = urls.map((url) => createLdapClient({ ...rest, url, bindDn: bindName }, giveWay, dialect))
  let current = 0
  /** Since when calls go to `current`, ms since 1970. At first too: another process may have written to another one. */
  let since: number | null = null
  const at = (index: number) => clients[index % clients.length] as LdapClient
  return {
    pin: async () => {
      const first = current
      // With one there is no choice, and its own requests find out whether it is there.
      if (clients.length > 1) {
        for (let tried = 0; tried < clients.length; tried += 1) {
          const connected = await at(first + tried).connect()
          // A controller that answers, if only with a refusal, is there.
          if (!connected.ok && connected.failure.result === null && connected.failure.notLetIn !== true) continue
          const next = (first + tried) % clients.length
          // Several calls may notice at once; the last to switch counts.
          if (since === null || next !== current) since = now()
          current = next
          break
        }
      }
      return { client: at(current), settling: since !== null && now() - since < settleMs }
    },
    close: () => {
      for (const client of clients) client.close()
    },
  }
}
