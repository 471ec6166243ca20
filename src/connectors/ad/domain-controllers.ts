import { atOnce, type GiveWay } from '../connector.ts'
import { createLdapClient, type Dialect, type LdapClient } from '../ldap-wire/client.ts'
import type { AdSettings } from './config.ts'
import { domainScope, ExtendedDnControl } from './controls.ts'
import { guidText, sidText } from './guid.ts'

const dialect: Dialect = {
  searchControls: [new ExtendedDnControl(), domainScope],
  decoders: new Map([
    ['objectguid', guidText],
    ['invocationid', guidText],
    ['objectsid', sidText],
  ]),
}

export type DomainControllers = {
  /**
   * The controller for one call. Controllers agree only after seconds or minutes, so reads and writes of a call stay with
   * one; the next call goes to another when this one cannot be reached.
   */
  readonly pin: () => Promise<LdapClient>
  readonly close: () => void
}

export const createDomainControllers = (settings: AdSettings, giveWay: GiveWay = atOnce): DomainControllers => {
  const { urls, bindName, ...rest } = settings
  const clients = urls.map((url) => createLdapClient({ ...rest, url, bindDn: bindName }, giveWay, dialect))
  let current = 0
  const at = (index: number) => clients[index % clients.length] as LdapClient
  return {
    pin: async () => {
      const first = current
      // With one there is no choice, and its own requests find out whether it is there.
      if (clients.length > 1) {
        for (let tried = 0; tried < clients.length; tried += 1) {
          const connected = await at(first + tried).connect()
          // A controller that answers, if only with a refusal, is there.
          if (!connected.ok && connected.failure.result === null) continue
          current = (first + tried) % clients.length
          break
        }
      }
      return at(current)
    },
    close: () => {
      for (const client of clients) client.close()
    },
  }
}
