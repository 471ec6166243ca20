import { randomUUID } from 'node:crypto'
import { setImmediate as turnOfLoop } from 'node:timers/promises'
import {
  AuthenticationHandler,
  Client,
  type Context,
  type Middleware,
  ResponseType,
} from '@microsoft/microsoft-graph-client'
import { cloudOf } from './clouds.ts'
import type { EntraSettings } from './config.ts'
import { type Failure, failed, ok, type Result, statusFailure } from './errors.ts'
import { parseJson, said } from './said.ts'
import { systemCode } from './token-failure.ts'
import type { Tokens } from './tokens.ts'

export type Priority = 'Low' | 'Normal' | 'High'
export type Request = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** From paths.ts, or a whole link that Graph gave. */
  readonly path: string
  readonly body?: unknown
  readonly priority: Priority
  readonly signal?: AbortSignal | undefined
  /** Of a change: asked right before it is sent; false = the lease is over, and it is not. */
  readonly gate?: Gate | undefined
}
export type Gate = () => boolean
export type Answer = {
  readonly status: number
  readonly body: unknown
  readonly header: (name: string) => string | null
  /** Graph's request id: for the record. */
  readonly requestId: string
  /** A part of this answer says that its token is not taken: the next request gets another. */
  readonly rejectToken?: () => void
}

export type GraphTransport = {
  /** One request, once. Every answer but 2xx is a failure. `heard` gets the headers of any answer. */
  readonly send: (request: Request, heard: (header: Answer['header']) => void) => Promise<Result<Answer>>
  /** Whether a link may be followed: our Graph, and nobody else gets the token. */
  readonly isOurs: (link: string) => boolean
}

/**
 * The one place that talks to Graph. Of the official client it uses address, authentication and headers; its retries,
 * redirects and parsing are left out: each attempt must be seen by the engine, and an answer in HTML be survived.
 */
export const createTransport = (settings: EntraSettings, tokens: Tokens, now: () => number): GraphTransport => {
  const { graph } = cloudOf(settings)
  const customHosts = new Set([new URL(graph).hostname])

  const exchange = async (request: Request, heard: (header: Answer['header']) => void): Promise<Result<Answer>> => {
    const clientRequestId = randomUUID()
    let failure: Failure | undefined
    let used = ''
    const authentication = new AuthenticationHandler({
      getAccessToken: async () => {
        const token = await tokens.token()
        if (token.ok) return (used = token.value)
        failure = token.failure
        throw new Error('no token')
      },
    })
    const wire: Middleware = {
      execute: async (context: Context) => {
        await hearOfClosed()
        if (request.gate !== undefined && !request.gate()) {
          failure = overLease
          throw new Error(overLease.word)
        }
        const signals = [
          AbortSignal.timeout(settings.timeouts.requestMs),
          ...(request.signal === undefined ? [] : [request.signal]),
        ]
        try {
          context.response = await fetch(context.request, {
            ...context.options,
            redirect: 'manual',
            signal: AbortSignal.any(signals),
          } as RequestInit)
        } catch (error) {
          failure = networkFailure(error, clientRequestId)
          throw error
        }
      },
    }
    const client = Client.initWithMiddleware({ baseUrl: graph, middleware: [authentication, wire], customHosts })
    const asked = client
      .api(request.path)
      .responseType(ResponseType.RAW)
      .headers({
        'client-request-id': clientRequestId,
        'x-ms-throttle-priority': request.priority,
        ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      })
    let response: Response
    try {
      response = (await perform[request.method](asked, request.body)) as Response
    } catch (error) {
      return failed(failure ?? networkFailure(error, clientRequestId))
    }
    const header = (name: string): string | null => response.headers.get(name)
    heard(header)
    let text: string
    try {
      text = await response.text()
    } catch (error) {
      return failed({ ...networkFailure(error, clientRequestId), sent: true })
    }
    const body = parseJson(text)
    if (response.status < 200 || response.status > 299) {
      if (response.status === 401) tokens.reject(used)
      return failed(statusFailure(said(response.status, header, body, now())))
    }
    const requestId = header('request-id') ?? clientRequestId
    return ok({ status: response.status, body, header, requestId, rejectToken: () => tokens.reject(used) })
  }

  return {
    isOurs: (link) => URL.canParse(link) && new URL(link).origin === new URL(graph).origin,
    send: async (request, heard) => {
      const first = await exchange(request, heard)
      // A token that ended, or was revoked, while it was in hand: Graph did nothing, and one fresh token decides.
      return !first.ok && first.failure.status === 401 && first.failure.sent ? exchange(request, heard) : first
    },
  }
}

export const overLease: Failure = { status: null, code: '', word: 'lease', sent: false }

/**
 * A connection that the other side closed while it was idle is known to be closed only after the loop has polled and run its
 * closing: else a change would be written into it, and nobody could say whether it arrived; and a read, asked once more, would meet
 * the next such connection.
 */
const hearOfClosed = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn += 1) await turnOfLoop()
}

type Asked = ReturnType<Client['api']>
const perform: Readonly<Record<Request['method'], (asked: Asked, body: unknown) => Promise<unknown>>> = {
  GET: (asked) => asked.get(),
  POST: (asked, body) => asked.post(body ?? ''),
  PATCH: (asked, body) => asked.patch(body),
  DELETE: (asked) => asked.delete(),
}

/** Nobody was reached: no name, no route, nobody listening, or a handshake that failed. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/** The code carries the id that Microsoft's support finds the request by, had it arrived. */
const networkFailure = (error: unknown, clientRequestId: string): Failure => {
  const code = systemCode(error)
  const sent = !neverSent.has(code) && !isHandshake(error)
  const word = code === 'TimeoutError' ? 'timeout' : sent ? 'connection-lost' : 'not-reached'
  return { status: null, code: `${code}/${clientRequestId}`, word, sent }
}

/** Node says it in words only: the connection ended before there was TLS, so no request went out. */
const isHandshake = (error: unknown): boolean =>
  error instanceof Error &&
  (error.message.includes('before secure TLS connection was established') || isHandshake(error.cause))
