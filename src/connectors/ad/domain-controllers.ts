import { atOnce, type GiveWay } from '../connector.ts'
import { createLdapClient, type Dialect, type LdapClient } from '../ldap-wire/client.ts'
import type { ConnectionSettings } from '../ldap-wire/connection.ts'
import { firstValue } from '../ldap-wire/entry.ts'
import type { AdSettings } from './config.ts'
import { domainScope, ExtendedDnControl } from './controls.ts'
import { anyObject } from './filters.ts'
import { guidText, sidText } from './guid.ts'
import { doubtMs, returnMs } from './settling.ts'

const dialect: Dialect = {
  searchControls: [new ExtendedDnControl(), domainScope],
  decoders: new Map([
    ['objectguid', guidText],
    ['invocationid', guidText],
    ['objectsid', sidText],
  ]),
}

/** `settling`: it was switched to a moment ago, or another may have been, and may not know yet what others were told. */
export type Pinned = { readonly client: LdapClient; readonly settling: boolean }

export type DomainControllers = {
  /**
   * The controller for one call. Controllers agree only after seconds or minutes, so reads and writes of a call stay with
   * one; the next call goes to another when this one cannot be reached, and to the first again when that is back: there
   * all lanes and processes meet.
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
  /** When it was last found out whether the first is there, ms since 1970. */
  let asked = 0
  let isAsking = false
  /** `current` has not said of itself that it is in step, or says that it is not; when it was asked, ms since 1970. */
  let isBehind = false
  let heardOf = 0
  const at = (index: number) => clients[index % clients.length] as LdapClient
  const use = (index: number, isInStep = false) => {
    // Several calls may notice at once; the last to switch counts.
    if (since !== null && index === current) return
    since = now()
    if (index !== current) asked = since
    current = index
    isBehind = !isInStep
    if (isBehind) void askCurrent()
  }
  /** Beside the calls. One that came up and has not heard of all changes yet proves nothing by a read, however long it takes. */
  const askCurrent = async () => {
    const [asking, sinceThen] = [current, since]
    heardOf = now()
    const told = await isInStep(at(asking))
    if (asking !== current || sinceThen !== since) return
    isBehind = told !== true
    // What was written elsewhere while it caught up reaches it as late as after a switch.
    if (told === false) since = now()
  }
  /**
   * Beside the calls: none waits for it, and those under way end where they began. One that lets us in and answers nothing is
   * not back, nor one that has been away and does not have its partners' changes yet. One that comes and goes costs a
   * switch a minute, and no read is believed meanwhile: to stay away for longer would part the lanes for longer.
   */
  const askFirst = async () => {
    isAsking = true
    asked = now()
    if ((await isInStep(at(0))) === true) use(0, true)
    isAsking = false
  }
  return {
    pin: async () => {
      const first = current
      if (first !== 0 && !isAsking && now() - asked >= returnMs) void askFirst()
      let pinned = first
      // With one there is no choice, and its own requests find out whether it is there.
      if (clients.length > 1) {
        for (let tried = 0; tried < clients.length; tried += 1) {
          const connected = await at(first + tried).connect()
          // A controller that answers, if only with a refusal, is there.
          if (!connected.ok && connected.failure.result === null && connected.failure.notLetIn !== true) continue
          pinned = (first + tried) % clients.length
          // Where this call stays another may have led the next ones elsewhere meanwhile.
          if (tried > 0 || since === null) use(pinned)
          break
        }
      }
      if (isBehind && now() - heardOf >= returnMs) void askCurrent()
      // As long as it is not known whether the first is back, others may be there already.
      const settling = isAsking || isBehind || (since !== null && now() - since < doubtMs)
      return { client: at(pinned), settling }
    },
    close: () => {
      for (const client of clients) client.close()
    },
  }
}

/**
 * Whether it has synchronised once since it came up (MS-ADTS §3.1.1.3.2, rootDSE attributes): it says nothing of a line to its
 * partners that is cut later. null: no answer.
 */
const isInStep = async (client: LdapClient): Promise<boolean | null> => {
  const root = await client.search(rootDse)
  const [entry] = root.ok ? root.value : []
  return entry === undefined ? null : firstValue(entry, 'isSynchronized') !== 'FALSE'
}
const rootDse = { base: '', scope: 'base', filter: anyObject, attributes: ['isSynchronized'] } as const
