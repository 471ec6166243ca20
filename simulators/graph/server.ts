/** Sockets: TLS on loopback, requests read whole, answers written, connections broken on order. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { handleBatch } from './batch.ts'
import type { Calls } from './calls.ts'
import type { Clock } from './clock.ts'
import type { Effect, Faults } from './faults.ts'
import type { Exchange, GraphReply, GraphRequest, Service } from './service.ts'
import type { Identity } from './token-endpoint.ts'

export type Serving = { readonly port: number; readonly close: () => Promise<void> }

export type ServerParts = {
  readonly service: Service
  readonly identity: Identity
  readonly faults: Faults
  readonly calls: Calls
  readonly clock: Clock
  readonly tls: { readonly certFile: string; readonly keyFile: string }
  /** 0: any free one. */
  readonly port: number
  /** Told of every $batch as a whole; of its parts the service tells. */
  readonly watch: (exchange: Exchange) => void
}

/** Larger than any request of Graph's JSON that we serve. */
const mostBytes = 4 * 1024 * 1024

export const serve = async (parts: ServerParts): Promise<Serving> => {
  const sockets = new Set<Duplex>()
  const server: Server = createServer(
    { key: readFileSync(parts.tls.keyFile), cert: readFileSync(parts.tls.certFile), keepAlive: true },
    (request, response) => {
      answer(parts, request, response, port).catch(() => request.socket.destroy())
    },
  )
  server.keepAliveTimeout = 60_000
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(parts.port, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

const answer = async (parts: ServerParts, request: IncomingMessage, response: ServerResponse, port: number) => {
  const body = await bodyOf(request)
  if (body === undefined) {
    response.writeHead(413).end()
    return
  }
  const reply = replyTo(parts, request, body, port)
  const { effect } = reply
  switch (effect?.kind) {
    case 'drop':
      request.socket.destroy()
      return
    case 'silence':
      return
    case 'cut-body':
      response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) })
      response.write(reply.body.slice(0, Math.floor(reply.body.length / 2)), () => request.socket.destroy())
      return
    case 'delay':
      setTimeout(() => send(response, reply), effect.ms).unref()
      return
    default:
      send(response, reply)
  }
}

const send = (response: ServerResponse, { status, headers, body }: GraphReply): void => {
  if (response.destroyed) return
  response
    .writeHead(status, status === 204 ? headers : { ...headers, 'content-length': Buffer.byteLength(body) })
    .end(body)
}

const replyTo = (parts: ServerParts, request: IncomingMessage, body: string, port: number): GraphReply => {
  const { service, identity, faults, calls, clock } = parts
  const address = request.url ?? '/'
  const method = request.method ?? 'GET'
  const origin = originOf(request, port)
  const headers = headersOf(request)
  const graph: GraphRequest = { method, address, headers, body, origin, part: null }
  const path = address.split('?')[0] ?? ''
  if (path === '/v1.0/$batch') {
    const struck = faults.strike({ operation: 'batch', path: address, body })
    const instead = struck.before ?? null
    if (instead !== null) return bare(instead)
    const reply = handleBatch(service, graph, { epochMs: clock.epochMs(), requestId: randomUUID() })
    const { status, headers: said, body: response } = reply
    const contentType = said['content-type'] ?? ''
    // With a part that never came nothing is answered.
    if (reply.effect === null)
      parts.watch({ operation: 'batch', method, address, request: body, status, contentType, response })
    if (struck.after === null) return reply
    return struck.after.kind === 'status' || struck.after.kind === 'throttle'
      ? bare(struck.after)
      : { ...reply, effect: struck.after }
  }
  if (path.startsWith('/v1.0/')) return service.handle(graph)
  const struck = faults.strike({ operation: 'token', path: address, body: '' })
  const effect = struck.before ?? struck.after
  if (effect !== null) return bare(effect)
  const segments = path.split('/').slice(1)
  const found = identity({
    method,
    segments,
    form: new URLSearchParams(body),
    authorization: headers.authorization,
    origin,
  })
  const known = found ?? { status: 404, body: { error: 'not_found' } }
  calls.add({
    epochMs: clock.epochMs(),
    operation: 'token',
    method,
    address: path,
    status: known.status,
    units: 0,
    writes: 0,
    priority: 'Normal',
    appId: '',
    requestId: '',
    clientRequestId: headers['client-request-id'] ?? '',
    part: null,
    fault: null,
  })
  return {
    status: known.status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(known.body),
    effect: null,
  }
}

/** What an effect answers where there is nothing else to say. */
const bare = (effect: Effect): GraphReply => {
  const status = effect.kind === 'status' ? effect.status : effect.kind === 'throttle' ? 429 : 500
  const retryAfter = 'retryAfter' in effect ? effect.retryAfter : undefined
  return {
    status,
    headers: { 'content-type': 'text/html', ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) },
    body: `<!DOCTYPE html><html><body><h1>${status}</h1></body></html>`,
    effect,
  }
}

/** The name that the client called us by, if it is one of ours. */
const originOf = (request: IncomingMessage, port: number): string => {
  const host = request.headers.host ?? ''
  return /^(localhost|127\.0\.0\.1)(:\d+)?$/.test(host) ? `https://${host}` : `https://127.0.0.1:${port}`
}

const headersOf = (request: IncomingMessage): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )

const bodyOf = async (request: IncomingMessage): Promise<string | undefined> => {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > mostBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
