/** Asks the simulator without sockets, with a clock that stands still, and holds every exchange to Microsoft's schema. */
import { expect } from 'vitest'
import type { App } from '../../../../simulators/graph/apps.ts'
import { handleBatch } from '../../../../simulators/graph/batch.ts'
import { steppedClock } from '../../../../simulators/graph/clock.ts'
import {
  defaultApp,
  defaultTenantId,
  type Graph,
  type GraphOptions,
  openGraph,
} from '../../../../simulators/graph/graph.ts'
import { violationsOf } from '../../../../simulators/graph/schema/conformance.ts'

export const origin = 'https://127.0.0.1:8443'
export const startMs = Date.parse('2026-11-20T08:00:00Z')

export type Said = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  // biome-ignore lint/suspicious/noExplicitAny: answers are read like a foreign client reads them; the schema judges them
  readonly body: any
}
type More = { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>>; readonly token?: string }

export type Asking = Graph & {
  readonly ask: (line: string, more?: More) => Said
  readonly batch: (requests: readonly unknown[]) => Said
  readonly advance: (ms: number) => void
  readonly token: (app?: App) => string
  readonly ref: (id: string) => string
  /** Every page of a collection, by its nextLinks. */
  readonly all: (address: string) => readonly Readonly<Record<string, unknown>>[]
}

export const asking = (options: GraphOptions = {}): Asking => {
  const clock = steppedClock(startMs)
  const graph = openGraph({
    clock,
    seed: 7,
    ...options,
    watch: (exchange) => expect(violationsOf(exchange)).toEqual([]),
  })
  const token = (app: App = graph.apps[0] ?? defaultApp): string => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: app.clientId,
      client_secret: app.secrets?.[0] ?? '',
      scope: 'https://graph.microsoft.com/.default',
    })
    const segments = [graph.tenant.id, 'oauth2', 'v2.0', 'token']
    const said = graph.identity({ method: 'POST', segments, form, authorization: undefined, origin })
    return String(said?.body.access_token ?? '')
  }
  let mine = token()
  const send = (method: string, address: string, { body, headers, token: other }: More) => ({
    method,
    address,
    headers: {
      authorization: `Bearer ${other ?? mine}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? '' : JSON.stringify(body),
    origin,
    part: null,
  })
  const read = ({
    status,
    headers,
    body,
  }: {
    status: number
    headers: Readonly<Record<string, string>>
    body: string
  }): Said => ({
    status,
    headers,
    body: headers['content-type']?.startsWith('application/json') === true ? JSON.parse(body) : body,
  })
  const ask = (line: string, more: More = {}): Said => {
    const [method = '', ...rest] = line.split(' ')
    const address = rest.join(' ').replace(origin, '')
    const path = address.startsWith('/v1.0') ? address : `/v1.0${address}`
    return read(graph.service.handle(send(method, path.replaceAll(' ', '%20'), more)))
  }
  return {
    ...graph,
    ask,
    batch: (requests) =>
      read(
        handleBatch(graph.service, send('POST', '/v1.0/$batch', { body: { requests } }), {
          epochMs: clock.epochMs(),
          requestId: 'batch',
        }),
      ),
    advance: (ms) => {
      clock.advance(ms)
      if (ms < 3_600_000) return
      mine = token() // as a client does when its token is old
    },
    token,
    ref: (id) => `${origin}/v1.0/directoryObjects/${id}`,
    all: (address) => {
      const items: Record<string, unknown>[] = []
      for (let next: string | undefined = address; next !== undefined; ) {
        const { status, body } = ask(`GET ${next}`)
        expect(status).toBe(200)
        items.push(...body.value)
        next = body['@odata.nextLink']
      }
      return items
    },
  }
}

export const newUser = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  accountEnabled: true,
  displayName: name,
  mailNickname: name,
  userPrincipalName: `${name}@bank.example`,
  passwordProfile: { password: 'Correct-horse-9', forceChangePasswordNextSignIn: true },
  ...more,
})
export const newGroup = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  displayName: name,
  mailEnabled: false,
  mailNickname: name,
  securityEnabled: true,
  ...more,
})
export const codeOf = ({ status, body }: Said): string => `${status} ${body?.error?.code}`
export const tenant = defaultTenantId
