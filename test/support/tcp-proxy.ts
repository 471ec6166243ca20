/** A TCP proxy with faults, between a client under test and a real server. */

import type { AddressInfo } from 'node:net'
import { connect as connectTo, createServer, type Socket } from 'node:net'

export type Direction = 'to-server' | 'to-client'

/** What happens to a piece of traffic: `reset` breaks the connection before it is passed on, `swallow` loses it silently. */
export type Verdict = 'pass' | 'reset' | 'swallow'

/**
 * Sees every piece of traffic before it is passed on. A promise holds that direction of that connection until it settles:
 * something else can be done in between, or the answer made slow, or never given.
 */
export type Watcher = (bytes: Buffer, direction: Direction, connection: Connection) => Verdict | Promise<Verdict>
/** The same for both its directions, and no other's. */
export type Connection = object

export type TcpProxy = {
  readonly port: number
  /** Connections that stand now. */
  readonly connections: () => number
  /** Replaces the watcher; null passes everything. */
  readonly watch: (watcher: Watcher | null) => void
  /** Resets all connections that stand. */
  readonly resetAll: () => void
  /** While refusing, a new connection is reset at once. */
  readonly refuse: (refusing: boolean) => void
  readonly close: () => Promise<void>
}

export async function tcpProxy(
  upstream: { readonly host: string; readonly port: number },
  host = '127.0.0.1',
): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let watcher: Watcher | null = null
  let refusing = false

  const server = createServer((client) => {
    if (refusing) {
      client.resetAndDestroy()
      return
    }
    const remote = connectTo(upstream)
    const pair = [client, remote] as const
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      remote.destroy()
    }
    for (const socket of pair) socket.setNoDelay(true).on('error', end).on('close', end)
    forward(client, remote, 'to-server', pair)
    forward(remote, client, 'to-client', pair)
  })

  const forward = (from: Socket, to: Socket, direction: Direction, pair: Connection) => {
    let queue = Promise.resolve()
    from.on('data', (bytes) => {
      queue = queue.then(async () => {
        const verdict = watcher === null ? 'pass' : await watcher(bytes, direction, pair)
        if (verdict === 'reset') {
          from.resetAndDestroy()
          to.resetAndDestroy()
        } else if (verdict === 'pass' && !to.destroyed) to.write(bytes)
      })
    })
    from.on('end', () => void queue.then(() => to.end()))
  }

  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => pairs.size,
    watch: (next) => {
      watcher = next
    },
    resetAll: () => {
      for (const [client, remote] of pairs) {
        client.resetAndDestroy()
        remote.resetAndDestroy()
      }
    },
    refuse: (next) => {
      refusing = next
    },
    close: async () => {
      for (const [client, remote] of pairs) {
        client.destroy()
        remote.destroy()
      }
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
