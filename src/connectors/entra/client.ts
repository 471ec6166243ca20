import { z } from 'zod'
import type { ConnectorTools } from '../connector.ts'
import { type Failure, failed, isThrottled, laterPageFailure, ok, type Result, statusFailure } from './errors.ts'
import type { Cost, Pacing } from './pacing.ts'
import { batch, type Resource } from './paths.ts'
import { said } from './said.ts'
import type { Answer, Gate, GraphTransport, Priority } from './transport.ts'
import { createTurns } from './turns.ts'

export type Reading = { readonly priority?: Priority; readonly signal?: AbortSignal | undefined }
export type Change = {
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  readonly resource: Resource
  readonly body?: unknown
}

export type GraphClient = {
  readonly read: (resource: Resource, reading?: Reading) => Promise<Result<Answer>>
  /** Every page from this one on, or a failure: never a part. Answers the last page's delta link, where there is one. */
  readonly pages: (
    resource: Resource,
    take: (items: readonly unknown[]) => void,
    reading?: Reading,
  ) => Promise<Result<string | null>>
  readonly write: (change: Change, gate: Gate) => Promise<Result<Answer>>
  /** Up to 20 reads, or 20 changes, in one request; each has an answer of its own, in this order. */
  readonly readMany: (resources: readonly Resource[], reading?: Reading) => Promise<readonly Result<Answer>[]>
  readonly writeMany: (changes: readonly Change[], gate: Gate) => Promise<readonly Result<Answer>[]>
  readonly isOurs: GraphTransport['isOurs']
  readonly now: () => number
}

type Part = { readonly method: Method; readonly resource: Resource; readonly body?: unknown }
type How = { readonly gate?: Gate; readonly reading?: Reading | undefined }

/** Graph takes at most 20 in one $batch, and 20 in one `members@odata.bind`. */
export const batchLimit = 20

const page = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
})
const parts = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.number(),
      headers: z.record(z.string(), z.unknown()).optional(),
      body: z.unknown().optional(),
    }),
  ),
})

const stopped: Failure = { status: null, code: '', word: 'stopped', sent: false }
const strange = (word: string): Failure => ({ status: null, code: '', word, sent: true })

/** Requests in their turn: after the leavers', within the budget, at most so many at once. */
export const createGraphClient = (
  transport: GraphTransport,
  pacing: Pacing,
  tools: Pick<ConnectorTools, 'lane' | 'giveWay' | 'now'>,
  requestsAtOnce: number,
): GraphClient => {
  const turns = createTurns(requestsAtOnce)
  const usual: Priority = tools.lane === 'leaver' ? 'High' : 'Normal'

  const exchange = async (
    method: Method,
    path: string,
    wish: Cost,
    { body, gate, reading }: { body?: unknown; gate?: Gate; reading?: Reading | undefined },
  ): Promise<Result<Answer>> =>
    turns(async () => {
      const priority = tools.lane === 'leaver' ? usual : (reading?.priority ?? usual)
      const cost: Cost = { ...wish, isLow: priority === 'Low' }
      if (reading?.signal?.aborted === true) return failed(stopped)
      await tools.giveWay()
      const turn = await pacing.turn(cost, reading?.signal)
      if (!turn.ok) return turn
      let heard = Promise.resolve()
      const send = () =>
        transport.send({ method, path, body, priority, signal: reading?.signal, gate }, (header) => {
          heard = pacing.heard(header, cost)
        })
      let result = await send()
      // A read that met a connection just closed changed nothing, and is asked once more.
      if (!result.ok && gate === undefined && result.failure.word === 'connection-lost' && !reading?.signal?.aborted)
        result = await send()
      await heard
      if (!result.ok && isThrottled(result.failure)) await pacing.stop(result.failure, cost)
      return result
    })

  const pages: GraphClient['pages'] = async (resource, take, reading) => {
    const seen = new Set<string>()
    let path: string = resource.path
    for (;;) {
      const read = await exchange('GET', path, { units: resource.units, writes: 0 }, { reading })
      if (!read.ok) return seen.size === 0 ? read : failed(laterPageFailure(read.failure))
      const body = page.safeParse(read.value.body)
      if (!body.success) return failed(strange('page-not-legible'))
      take(body.data.value)
      const next = body.data['@odata.nextLink']
      if (next === undefined) return ok(body.data['@odata.deltaLink'] ?? null)
      if (!transport.isOurs(next)) return failed(strange('foreign-link'))
      if (seen.has(next)) return failed(strange('repeated-link'))
      seen.add(next)
      path = next
    }
  }

  const many = async (changes: readonly Part[], how: How, mayRenew = true): Promise<readonly Result<Answer>[]> => {
    const requests = changes.map(({ method, resource, body }, at) => ({
      id: String(at + 1),
      method,
      url: resource.path,
      ...(body === undefined ? {} : { body, headers: { 'Content-Type': 'application/json' } }),
    }))
    const cost: Cost = {
      units: changes.reduce((sum, { resource }) => sum + resource.units, 0),
      writes: how.gate === undefined ? 0 : changes.length,
      isLow: how.reading?.priority === 'Low' && tools.lane !== 'leaver',
    }
    const sent = await exchange('POST', batch.path, cost, { ...how, body: { requests } })
    if (!sent.ok) return changes.map(() => sent)
    const body = parts.safeParse(sent.value.body)
    const byId = new Map(body.success ? body.data.responses.map((part) => [part.id, part]) : [])
    const answers: Result<Answer>[] = []
    for (const [at] of changes.entries()) {
      const part = byId.get(String(at + 1))
      const header = headerOf(part?.headers, sent.value)
      if (part === undefined) answers.push(failed(strange('part-missing')))
      else if (part.status >= 200 && part.status <= 299)
        answers.push(ok({ status: part.status, body: part.body, header, requestId: header('request-id') ?? '' }))
      else answers.push(failed(statusFailure(said(part.status, header, part.body, tools.now()))))
    }
    for (const answer of answers) if (!answer.ok && isThrottled(answer.failure)) await pacing.stop(answer.failure, cost)
    // Its token ended on the way: Graph did nothing for these parts, and one fresh token decides.
    const strangers = answers.flatMap((answer, at) => (!answer.ok && answer.failure.status === 401 ? [at] : []))
    if (strangers.length === 0 || !mayRenew) return answers
    sent.value.rejectToken?.()
    const again = await many(
      strangers.flatMap((at) => changes[at] ?? []),
      how,
      false,
    )
    for (const [position, at] of strangers.entries()) answers[at] = again[position] ?? failed(strange('part-missing'))
    return answers
  }

  return {
    read: (resource, reading) => exchange('GET', resource.path, { units: resource.units, writes: 0 }, { reading }),
    pages,
    write: ({ method, resource, body }, gate) =>
      exchange(method, resource.path, { units: resource.units, writes: 1 }, { body, gate }),
    readMany: async (resources, reading) => {
      const [only] = resources
      if (only === undefined) return []
      if (resources.length === 1)
        return [await exchange('GET', only.path, { units: only.units, writes: 0 }, { reading })]
      return many(
        resources.map((resource) => ({ method: 'GET', resource })),
        { reading },
      )
    },
    writeMany: async (changes, gate) => {
      const [only] = changes
      if (only === undefined) return []
      if (changes.length > 1) return many(changes, { gate })
      return [
        await exchange(
          only.method,
          only.resource.path,
          { units: only.resource.units, writes: 1 },
          { body: only.body, gate },
        ),
      ]
    },
    isOurs: transport.isOurs,
    now: tools.now,
  }
}

/** The same client, whose reads end with this signal. */
export const heeding = (client: GraphClient, signal: AbortSignal): GraphClient => ({
  ...client,
  read: (resource, reading) => client.read(resource, { signal, ...reading }),
  pages: (resource, take, reading) => client.pages(resource, take, { signal, ...reading }),
  readMany: (resources, reading) => client.readMany(resources, { signal, ...reading }),
})

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** Headers of a part of a $batch, in whatever case; the request id is that of the whole where the part has none. */
const headerOf = (headers: Readonly<Record<string, unknown>> | undefined, whole: Answer) => (name: string) => {
  const own = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1]
  if (own !== undefined) return String(own)
  return name === 'request-id' ? whole.requestId : null
}
