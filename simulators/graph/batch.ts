/** JSON batching: up to 20 parts, each one a request of its own; the outer 200 says nothing of them. */
import { errorBody } from './answer.ts'
import type { GraphReply, GraphRequest, Service } from './service.ts'

type Part = {
  readonly id: string
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly dependsOn: readonly string[]
}

const mostParts = 20

/** A whole batch, or why it is none. */
export const handleBatch = (
  service: Service,
  request: GraphRequest,
  at: { readonly epochMs: number; readonly requestId: string },
): GraphReply => {
  const clientRequestId = request.headers['client-request-id'] ?? at.requestId
  const ids = { 'request-id': at.requestId, 'client-request-id': clientRequestId }
  const fail = (status: number, code: string, message: string): GraphReply => ({
    status,
    headers: { ...ids, 'content-type': 'application/json' },
    body: JSON.stringify(
      errorBody({ code, message }, { epochMs: at.epochMs, requestId: at.requestId, clientRequestId }),
    ),
    effect: null,
  })
  if (request.method !== 'POST')
    return fail(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.')
  const parts = partsOf(request)
  if (typeof parts === 'string') return fail(400, 'BadRequest', parts)
  const checked = service.check(request.headers.authorization)
  if (!checked.ok) return fail(401, 'InvalidAuthenticationToken', checked.message)
  const replies = new Map<string, GraphReply>()
  for (const part of parts) {
    const isBlocked = part.dependsOn.some((id) => (replies.get(id.toLowerCase())?.status ?? 424) >= 400)
    const { body } = part
    replies.set(
      part.id.toLowerCase(),
      isBlocked
        ? fail(424, 'FailedDependency', 'Failed because of a failed dependency.')
        : service.handle({
            method: part.method.toUpperCase(),
            address: `/v1.0/${part.url.replace(/^\//, '')}`,
            headers: {
              ...Object.fromEntries(
                Object.entries(part.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
              ),
              authorization: request.headers.authorization,
              'client-request-id': clientRequestId,
            },
            body: body === undefined ? '' : JSON.stringify(body),
            origin: request.origin,
            part: part.id,
          }),
    )
  }
  const lost = [...replies.values()].find(({ effect }) => effect?.kind === 'drop' || effect?.kind === 'silence')
  return {
    status: 200,
    headers: { ...ids, 'content-type': 'application/json' },
    body: JSON.stringify({ responses: parts.map((part) => responseOf(part.id, replies.get(part.id.toLowerCase()))) }),
    effect: lost?.effect ?? null,
  }
}

const responseOf = (id: string, reply: GraphReply | undefined) => {
  const { date: _, ...headers } = reply?.headers ?? {}
  const isJson = headers['content-type']?.startsWith('application/json') === true
  return {
    id,
    status: reply?.status ?? 500,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [spelt(name), value])),
    // json-batching: what is no JSON stands there as text.
    ...(reply === undefined || reply.body === '' ? {} : { body: isJson ? JSON.parse(reply.body) : reply.body }),
  }
}

/** As the documented answers of batches spell them. */
const spelt = (name: string): string =>
  ({
    'content-type': 'Content-Type',
    'cache-control': 'Cache-Control',
    'retry-after': 'Retry-After',
    location: 'Location',
    'odata-version': 'OData-Version',
  })[name] ?? name

const partsOf = ({ body }: GraphRequest): readonly Part[] | string => {
  const whole = read(body)
  if (!Array.isArray(whole) || whole.length === 0) return 'Invalid batch payload format.'
  if (whole.length > mostParts) return `Number of batch request steps exceeds the maximum value of ${mostParts}.`
  const parts: Part[] = []
  const seen = new Set<string>()
  for (const value of whole as readonly unknown[]) {
    const {
      id,
      method,
      url,
      headers = {},
      body: content,
      dependsOn = [],
    } = (value ?? {}) as Partial<Record<keyof Part, unknown>>
    if (typeof id !== 'string' || id === '' || typeof method !== 'string' || typeof url !== 'string')
      return 'Invalid batch payload format: id, method and url are required.'
    if (/^https?:/i.test(url)) return 'Invalid batch payload format: url must be relative.'
    // «Must be unique in the batch», «not case-sensitive».
    if (seen.has(id.toLowerCase())) return `Request Id ${id} has to be unique in a batch.`
    if (typeof headers !== 'object' || headers === null || !Array.isArray(dependsOn))
      return 'Invalid batch payload format.'
    if (dependsOn.some((other) => typeof other !== 'string' || !seen.has(other.toLowerCase())))
      return `Request ${id} depends on a request that does not come before it.`
    const named = headers as Readonly<Record<string, string>>
    // «When a body is included with the request, the headers object must contain a value for Content-Type».
    if (content !== undefined && !Object.keys(named).some((name) => name.toLowerCase() === 'content-type'))
      return `Write request id : ${id} does not contain Content-Type header or body.`
    seen.add(id.toLowerCase())
    parts.push({ id, method, url, headers: named, body: content, dependsOn: dependsOn as readonly string[] })
  }
  return parts
}

const read = (body: string): unknown => {
  try {
    return (JSON.parse(body) as { readonly requests?: unknown } | null)?.requests
  } catch {
    return undefined
  }
}
