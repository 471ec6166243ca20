import { Socket } from 'node:net'

/**
 * A socket that writes once what one turn of the event loop gives it. The driver sends each statement by itself, also where
 * a transaction has several to send: a system call each, and a wake-up of the server.
 */
export class GatheringSocket extends Socket {
  override uncork(): void {
    process.nextTick(() => super.uncork())
  }
}
