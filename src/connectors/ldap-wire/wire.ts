import { readFile } from 'node:fs/promises'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import {
  BindRequest,
  type Control,
  ExtendedRequest,
  ExtendedResponse,
  type Message,
  MessageParser,
  UnbindRequest,
} from 'ldapts'
import type { ConnectionSettings } from './connection.ts'
import { bindFailure, type Failure, failed, ok, type Result, resultFailure } from './errors.ts'
import { frameReader } from './framing.ts'
import type { Password } from './password.ts'

/** What the server answered to one request; a result code that is not 0 is a failure instead. */
export type Answer = {
  /** Entries as they came, undecoded: whole LDAP messages. */
  readonly entries: readonly Buffer[]
  readonly references: number
  readonly controls: readonly Control[]
  /** Value of an extended response. */
  readonly value: string | undefined
}

/**
 * One bound connection, made of ldapts' messages without its Client: that one reconnects silently and unbound, loses promises
 * for ever and hides paging cookies. This one never reconnects: once it is not alive, it is thrown away.
 */
export type Wire = {
  readonly isAlive: () => boolean
  /** Sends one request; answers within the timeout (default: the operation timeout), which ends the connection. Never rejects. */
  readonly exchange: (build: (messageId: number) => Message, timeoutMs?: number) => Promise<Result<Answer>>
  /** Milliseconds (performance.now) of the last answer. */
  readonly lastUsed: () => number
  /** Says goodbye and closes. */
  readonly close: () => void
}

type InFlight = {
  readonly message: Message
  readonly entries: Buffer[]
  references: number
  readonly settle: (result: Result<Answer>) => void
}

const searchEntry = 0x64
const searchReference = 0x73
const intermediate = 0x79
const startTlsOid = '1.3.6.1.4.1.1466.20037'

const lost = (code: string, word: string, sent: boolean, message?: string): Failure => ({
  code,
  result: null,
  word,
  sent,
  ...(message === undefined ? {} : { message }),
})

let lastMessageId = 0
/** One series for all connections of a thread, so that a trace tells their requests apart. */
const nextMessageId = (): number => {
  lastMessageId = lastMessageId >= 2 ** 31 - 1 ? 1 : lastMessageId + 1
  return lastMessageId
}

/** Speaks LDAP over an open socket. */
const speak = (socket: Socket, operationMs: number) => {
  const inFlight = new Map<string, InFlight>()
  const parser = new MessageParser()
  let alive = true
  let lastUsed = performance.now()

  const die = (failure: Failure) => {
    if (!alive) return
    alive = false
    socket.destroy()
    for (const request of inFlight.values()) request.settle(failed(failure))
    inFlight.clear()
  }
  parser.on('message', (message) => {
    // Message 0 is the server's notice of disconnection (RFC 4511 §4.4.1).
    if (message.messageId === 0) return die(lost('ECONNRESET', 'disconnected-by-server', true))
    const request = inFlight.get(String(message.messageId))
    if (request === undefined) return
    inFlight.delete(String(message.messageId))
    lastUsed = performance.now()
    if (message.status !== 0) return request.settle(failed(resultFailure(message.status, message.errorMessage)))
    request.settle(
      ok({
        entries: request.entries,
        references: request.references,
        controls: message.controls ?? [],
        value: message instanceof ExtendedResponse ? message.value : undefined,
      }),
    )
  })
  parser.on('error', (error) => die(lost('EPROTO', 'unreadable-answer', true, error.message)))

  const frames = frameReader((frame) => {
    if (frame.operation === searchEntry) inFlight.get(String(frame.messageId))?.entries.push(frame.bytes)
    else if (frame.operation === searchReference) {
      const request = inFlight.get(String(frame.messageId))
      if (request !== undefined) request.references += 1
    } else if (frame.operation !== intermediate) parser.read(frame.bytes, inFlight)
  })
  const onData = (bytes: Buffer) => {
    if (!frames.push(bytes)) die(lost('EPROTO', 'unreadable-answer', true))
  }
  const onError = (error: NodeJS.ErrnoException) =>
    die(lost(error.code ?? 'ECONNRESET', 'connection-lost', true, error.message))
  const onClose = () => die(lost('ECONNRESET', 'connection-lost', true))
  socket.on('data', onData).on('error', onError).on('close', onClose).on('end', onClose)

  return {
    isAlive: () => alive,
    lastUsed: () => lastUsed,
    exchange: (build: (messageId: number) => Message, timeoutMs = operationMs): Promise<Result<Answer>> => {
      if (!alive) return Promise.resolve(failed(lost('ENOTCONN', 'not-connected', false)))
      const message = build(nextMessageId())
      const bytes = message.write()
      return new Promise((resolve) => {
        const id = String(message.messageId)
        // Only this one was too slow: the others lose their connection, and reads are asked again on another.
        const timedOut = () => {
          inFlight.delete(id)
          resolve(failed(lost('ETIMEDOUT', 'operation-timeout', true)))
          die(lost('ECONNRESET', 'connection-given-up', true))
        }
        const timer = setTimeout(timedOut, timeoutMs)
        const settle = (result: Result<Answer>) => {
          clearTimeout(timer)
          resolve(result)
        }
        inFlight.set(id, { message, entries: [], references: 0, settle })
        socket.write(bytes)
      })
    },
    close: () => {
      if (!alive) return
      socket.write(new UnbindRequest({ messageId: nextMessageId() }).write())
      socket.end()
      die(lost('ECONNABORTED', 'closed-here', true))
    },
    /** Takes this conversation off the socket so that TLS can begin on it. */
    detach: () => {
      alive = false
      socket.off('data', onData).off('error', onError).off('close', onClose).off('end', onClose)
    },
  }
}

const opened = <S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  timeoutMs: number,
): Promise<Result<S>> =>
  new Promise((resolve) => {
    const finish = (result: Result<S>) => {
      clearTimeout(timer)
      socket.off('error', onError)
      if (!result.ok) {
        socket.on('error', () => {})
        socket.destroy()
      }
      resolve(result)
    }
    const onError = (error: NodeJS.ErrnoException) =>
      finish(failed(lost(error.code ?? 'ECONNFAILED', 'connect-failed', false, error.message)))
    const timer = setTimeout(() => finish(failed(lost('ETIMEDOUT', 'connect-timeout', false))), timeoutMs)
    socket.once('error', onError).once(event, () => finish(ok(socket)))
  })

/** Connects, secures and binds. Nothing but a bound connection ever leaves this function. */
export const openWire = async (settings: ConnectionSettings, password: Password): Promise<Result<Wire>> => {
  const bindPassword = await password.now()
  if (!bindPassword.ok) return bindPassword
  const { connectMs, operationMs } = settings.timeouts
  const url = new URL(settings.url)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'ldaps:'
  const port = url.port === '' ? (secure ? 636 : 389) : Number(url.port)
  let tls: ConnectionOptions = {}
  if (settings.security !== 'plain') {
    const ca =
      settings.caFile === undefined
        ? undefined
        : await readFile(settings.caFile, 'utf8').catch((error: NodeJS.ErrnoException) => error)
    if (ca instanceof Error)
      return failed({ code: ca.code ?? 'ENOENT', result: null, word: 'ca-file-unreadable', sent: false })
    // `host` is what the certificate is checked against; SNI may not carry an address.
    tls = {
      host,
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
    }
  }

  const first = secure
    ? await opened(connectTls({ ...tls, port }), 'secureConnect', connectMs)
    : await opened(connectTcp({ host, port }), 'connect', connectMs)
  if (!first.ok) return first
  let socket: Socket = first.value
  socket.setNoDelay(true).setKeepAlive(true, 30_000)
  let wire = speak(socket, operationMs)
  if (settings.security === 'startTls') {
    const upgrade = await wire.exchange((messageId) => new ExtendedRequest({ messageId, oid: startTlsOid }))
    if (!upgrade.ok) {
      wire.close()
      return failed({ ...upgrade.failure, sent: false })
    }
    wire.detach()
    const upgraded = await opened(connectTls({ ...tls, socket }), 'secureConnect', connectMs)
    if (!upgraded.ok) {
      socket.destroy()
      return upgraded
    }
    socket = upgraded.value
    wire = speak(socket, operationMs)
  }
  const bound = await wire.exchange(
    (messageId) => new BindRequest({ messageId, dn: settings.bindDn, password: bindPassword.value }),
  )
  if (bound.ok) return ok(wire)
  wire.close()
  const failure = bindFailure(bound.failure)
  if (failure.notLetIn === true) password.refused(bindPassword.value, failure)
  return failed(failure)
}
