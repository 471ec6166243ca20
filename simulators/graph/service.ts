/** One request of Graph from its text to its answer: no sockets here. */
import { type Answer, errorBody, isFailure } from './answer.ts'
import type { App } from './apps.ts'
import type { Calls } from './calls.ts'
import type { Clock } from './clock.ts'
import { type Context, type DeltaSettings, may, type Tenant } from './context.ts'
import { denied, malformed, noSegment, unauthenticated, wrongMethod } from './errors.ts'
import type { Effect, Faults } from './faults.ts'
import { parseQuery } from './query.ts'
import { matchRoute, type Route } from './routes.ts'
import type { Seal } from './seal.ts'
import type { Store } from './store.ts'
import {
  type Buckets,
  costOf,
  draw,
  fullBuckets,
  type Limits,
  percentageHeader,
  priorityOf,
  retryAfterHeader,
} from './throttle.ts'
import type { Checked, Tokens } from './tokens.ts'

export type GraphRequest = {
  readonly method: string
  /** Path and query, beginning with /v1.0. */
  readonly address: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  readonly origin: string
  /** Id of the part of a batch. */
  readonly part: string | null
}

/** What goes back, and what is to be done to the connection instead or besides. */
export type GraphReply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly effect: Effect | null
}

/** A request of Graph, whole or part of a batch, and what was answered. Bodies are text as on the wire. */
export type Exchange = {
  readonly operation: string
  readonly method: string
  readonly address: string
  readonly request: string
  readonly status: number
  readonly contentType: string
  readonly response: string
}

export type Service = {
  readonly handle: (request: GraphRequest) => GraphReply
  readonly check: (authorization: string | undefined) => Checked
  readonly setLimits: (limits: Limits | null) => void
}

export type ServiceParts = {
  readonly tenant: Tenant
  readonly apps: readonly App[]
  readonly store: Store
  readonly tokens: Tokens
  readonly faults: Faults
  readonly calls: Calls
  readonly clock: Clock
  readonly sealing: Seal
  readonly delta: DeltaSettings
  /** null: nothing is throttled. */
  readonly limits: Limits | null
  readonly newId: () => string
  readonly watch: (exchange: Exchange) => void
}

type Accounted = { units: number; writes: number }

export const openService = (parts: ServiceParts): Service => {
  const { tokens, faults, calls, clock } = parts
  let limits = parts.limits
  const buckets = new Map<string, Buckets>()

  const handle = (request: GraphRequest): GraphReply => {
    const requestId = parts.newId()
    const clientRequestId = request.headers['client-request-id'] ?? requestId
    const url = new URL(request.address, request.origin)
    const segments = segmentsOf(url.pathname)
    const match = matchRoute(request.method, segments ?? [])
    const operation = match.kind === 'found' ? match.route.operation : 'unknown'
    const struck = faults.strike({ operation, path: request.address, body: request.body })
    const counted: Accounted = { units: 0, writes: 0 }
    let effect = struck.before
    let appId = ''
    const answer = (() => {
      if (struck.before !== null) {
        const instead = answerOf(struck.before)
        if (struck.before.kind === 'expire-token') tokens.revokeAll()
        if (instead !== null) return instead
        if (isOfConnection(struck.before)) return { status: 0 } // never sent: nothing happens here
      }
      const checked = tokens.check(request.headers.authorization)
      if (!checked.ok) return unauthenticated(checked.message)
      appId = checked.appId
      if (segments === undefined || match.kind === 'none') return noSegment(segments?.[0] ?? url.pathname)
      if (match.kind === 'other-method') return wrongMethod()
      const done = serve(request, url, match.route, match.path, checked, counted)
      const asked = `${request.origin}${request.address}`
      const shaped = struck.before === null ? done : reshaped(struck.before, done, asked)
      if (struck.after === null) return shaped
      effect = struck.after
      return answerOf(struck.after) ?? reshaped(struck.after, shaped, asked)
    })()
    const headers: Record<string, string> = {
      'request-id': requestId,
      'client-request-id': clientRequestId,
      date: new Date(clock.epochMs()).toUTCString(),
      'cache-control': 'no-cache',
      ...(counted.units > 0 ? { 'x-ms-resource-unit': String(counted.units) } : {}),
      ...answer.headers,
    }
    calls.add({
      epochMs: clock.epochMs(),
      operation,
      method: request.method,
      address: request.address,
      status: answer.status,
      units: counted.units,
      writes: counted.writes,
      priority: priorityOf(request.headers['x-ms-throttle-priority']),
      appId,
      requestId,
      clientRequestId,
      part: request.part,
      fault: effect?.kind ?? null,
    })
    const reply = written(answer, headers, { epochMs: clock.epochMs(), requestId, clientRequestId })
    parts.watch({
      operation,
      method: request.method,
      address: request.address,
      request: request.body,
      status: reply.status,
      contentType: reply.headers['content-type'] ?? '',
      response: reply.body,
    })
    return { ...reply, effect }
  }

  const serve = (
    request: GraphRequest,
    url: URL,
    route: Route,
    path: Readonly<Record<string, string>>,
    caller: Checked & { readonly ok: true },
    counted: Accounted,
  ): Answer => {
    const query = parseQuery(url.searchParams)
    const cost = {
      units: costOf(route.units, {
        hasSelect: 'select' in query && query.select !== null,
        hasExpand: 'select' in query && query.expand,
        top: 'select' in query ? query.top : null,
      }),
      writes: route.isWrite ? 1 : 0,
    }
    const throttled = throttle(request, caller.appId, cost, counted)
    if (throttled.refused !== null) return throttled.refused
    const withShare = (answer: Answer): Answer =>
      throttled.percentage === undefined
        ? answer
        : { ...answer, headers: { ...answer.headers, 'x-ms-throttle-limit-percentage': throttled.percentage } }
    if (!('select' in query)) return withShare(query)
    const app = parts.apps.find(({ clientId }) => clientId === caller.appId)
    const who = {
      appId: caller.appId,
      roles: caller.roles,
      mayWriteAdministrators: app?.mayWriteAdministrators === true,
    }
    if (!may(who, ...route.anyOf)) return withShare(denied())
    const body = bodyOf(request)
    if (body === undefined)
      return withShare(
        malformed(
          'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
        ),
      )
    // aad-advanced-queries: both are needed, except for /$count.
    const isAdvanced =
      request.headers.consistencylevel?.toLowerCase() === 'eventual' &&
      (query.count || url.pathname.endsWith('/$count'))
    const context: Context = {
      store: parts.store,
      tenant: parts.tenant,
      caller: who,
      query,
      path,
      pathname: url.pathname,
      origin: request.origin,
      body,
      isAdvanced,
      epochMs: clock.epochMs(),
      newId: parts.newId,
      seal: parts.sealing.seal,
      unseal: parts.sealing.unseal,
      delta: parts.delta,
      read: parts.store.read(isAdvanced),
    }
    if ('read' in route.act) return withShare(route.act.read(context))
    const decision = route.act.write(context)
    if (!isFailure(decision.answer)) parts.store.commit(decision.changes)
    return withShare(decision.answer)
  }

  const throttle = (
    request: GraphRequest,
    appId: string,
    cost: Accounted,
    counted: Accounted,
  ): { readonly refused: Answer | null; readonly percentage?: string | undefined } => {
    counted.units = cost.units
    counted.writes = cost.writes
    if (limits === null) return { refused: null }
    let mine = buckets.get(appId)
    if (mine === undefined) buckets.set(appId, (mine = fullBuckets()))
    const priority = priorityOf(request.headers['x-ms-throttle-priority'])
    const drawn = draw(mine, limits, { ...cost, priority }, clock.monotonicMs())
    const percentage = percentageHeader(drawn.share)
    if (drawn.refused === null) return { refused: null, percentage }
    const after = retryAfterHeader(drawn.refused.retryAfterMs, limits.retryAfter)
    return {
      refused: tooMany({
        ...(after === undefined ? {} : { 'retry-after': after }),
        ...(percentage === undefined ? {} : { 'x-ms-throttle-limit-percentage': percentage }),
        'x-ms-throttle-scope': `Tenant_Application/${drawn.refused.limit}/${appId}/${parts.tenant.id}`,
        'x-ms-throttle-information': drawn.refused.information,
      }),
    }
  }

  return {
    handle,
    check: tokens.check,
    setLimits: (changed) => {
      limits = changed
      buckets.clear()
    },
  }
}

const tooMany = (headers: Readonly<Record<string, string>>): Answer => ({
  status: 429,
  error: { code: 'TooManyRequests', message: 'Please retry again later.' },
  headers,
})

/** Decoded segments below /v1.0; undefined: not below it. */
const segmentsOf = (pathname: string): readonly string[] | undefined => {
  const [, version, ...segments] = pathname.split('/')
  if (version !== 'v1.0') return undefined
  try {
    return segments.map(decodeURIComponent)
  } catch {
    return undefined
  }
}

const bodyOf = ({ body, headers }: GraphRequest): Readonly<Record<string, unknown>> | undefined => {
  if (body === '') return {}
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) return undefined
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

const isOfConnection = ({ kind }: Effect): boolean => kind === 'drop' || kind === 'silence'

const retryAfterOf = ({ retryAfter }: { readonly retryAfter?: string }): Record<string, string> =>
  retryAfter === undefined ? {} : { 'retry-after': retryAfter }

/** null: this effect leaves the answer alone. */
const answerOf = (effect: Effect): Answer | null => {
  switch (effect.kind) {
    case 'status': {
      const headers = retryAfterOf(effect)
      return effect.body === 'json'
        ? {
            status: effect.status,
            headers,
            error: { code: 'ServiceNotAvailable', message: 'The service is temporarily unavailable.' },
          }
        : {
            status: effect.status,
            headers,
            html: `<!DOCTYPE html><html><head><title>${effect.status}</title></head><body><h1>Our services aren't available right now</h1></body></html>`,
          }
    }
    case 'throttle':
      return tooMany(retryAfterOf(effect))
    case 'expire-token':
      return unauthenticated('Lifetime validation failed, the token is expired.')
    case 'drop':
    case 'silence':
    case 'cut-body':
    case 'repeat-next-link':
    case 'empty-page':
    case 'delay':
      return null
  }
}

const reshaped = (effect: Effect, answer: Answer, asked: string): Answer => {
  if (effect.kind === 'repeat-next-link' && answer.body !== undefined)
    return { ...answer, body: { ...answer.body, '@odata.nextLink': asked } }
  if (effect.kind === 'empty-page' && answer.body?.['@odata.nextLink'] !== undefined)
    return { ...answer, body: { ...answer.body, '@odata.nextLink': asked, value: [] } }
  return answer
}

const written = (
  answer: Answer,
  headers: Record<string, string>,
  at: { readonly epochMs: number; readonly requestId: string; readonly clientRequestId: string },
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } => {
  if (answer.html !== undefined)
    return { status: answer.status, headers: { ...headers, 'content-type': 'text/html' }, body: answer.html }
  if (answer.text !== undefined)
    return { status: answer.status, headers: { ...headers, 'content-type': 'text/plain' }, body: answer.text }
  const body = answer.error === undefined ? answer.body : errorBody(answer.error, at)
  if (body === undefined) return { status: answer.status, headers, body: '' }
  return {
    status: answer.status,
    headers: {
      ...headers,
      'content-type':
        'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
      'odata-version': '4.0',
    },
    body: JSON.stringify(body),
  }
}
