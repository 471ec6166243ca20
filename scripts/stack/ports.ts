/** Free ports on loopback. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the range from which systems take the ports of outgoing connections, so that a restart finds its port again. */
const first = 20_000
const last = 32_000

export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

/** `wanted` if it is free and not to be somebody else's, otherwise another one; `isElses` is asked at the very end. */
export async function freePort(wanted?: number, isElses: (port: number) => boolean = () => false): Promise<number> {
  for (let port = wanted ?? randomInt(first, last); ; port = randomInt(first, last))
    if ((await isFree(port)) && !isElses(port)) return port
}

/**
 * An address of 127.77.0.0/16 on which these ports are free, as a number of 16 bits: for a server whose ports cannot be
 * chosen. `wanted` if it is free.
 */
export async function freeAddress(ports: readonly number[], wanted?: number): Promise<number> {
  for (let number = wanted ?? randomInt(257, 65_000); ; number = randomInt(257, 65_000)) {
    const host = `127.77.${number >> 8}.${number & 255}`
    if ((await Promise.all(ports.map((port) => isFree(port, host)))).every((free) => free)) return number
  }
}
