import { ExtendedRequest } from 'ldapts'
import type { ConnectionSettings } from './connection.ts'
import { type Failure, failed, ok, type Result } from './errors.ts'
import type { Password } from './password.ts'
import { openWire, type Wire } from './wire.ts'

/** "Who am I?" (RFC 4532). */
export const whoAmIOid = '1.3.6.1.4.1.4203.1.11.3'
/** After so long without an answer a connection is asked whether it still is one before a write is trusted to it. */
const idleMs = 10_000
const closed: Failure = { code: 'closed', result: null, word: 'connector-closed', sent: false }

/** Holds at most one bound connection, opened when it is needed. */
export const createSlot = (settings: ConnectionSettings, password: Password) => {
  let wire: Wire | undefined
  let opening: Promise<Result<Wire>> | undefined
  let isClosed = false

  const open = async (): Promise<Result<Wire>> => {
    if (wire?.isAlive()) {
      // An idle connection may have been dropped without a word that reached us.
      const answer = await wire.exchange(
        (messageId) => new ExtendedRequest({ messageId, oid: whoAmIOid }),
        settings.timeouts.connectMs,
      )
      if (answer.ok || answer.failure.result !== null) return ok(wire)
    }
    const opened = await openWire(settings, password)
    if (!opened.ok) return opened
    if (isClosed) {
      opened.value.close()
      return failed(closed)
    }
    wire = opened.value
    return opened
  }

  return {
    get: (): Promise<Result<Wire>> => {
      if (isClosed) return Promise.resolve(failed(closed))
      if (opening !== undefined) return opening
      if (wire?.isAlive() && performance.now() - wire.lastUsed() < idleMs) return Promise.resolve(ok(wire))
      opening = open().finally(() => {
        opening = undefined
      })
      return opening
    },
    close: () => {
      isClosed = true
      wire?.close()
    },
  }
}
