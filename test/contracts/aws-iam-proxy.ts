/**
 * Between the connector and moto: what breaks on the way, what IAM says that moto never does, and its service model, which
 * every request and every answer but the errors put in its place is held against.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type AskIam, iamErrorXml, refusedByIam } from '../../simulators/aws/iam.ts'
import { refusedAsQuery, type Signers, signers } from '../../simulators/aws/signers.ts'
import { queryProblems, requestProblems } from '../support/aws-query-model.ts'
import type { Phase } from './world.ts'

export type Act =
  | 'drop'
  | 'no-answer'
  /** An error of IAM's query protocol. */
  | { readonly status: number; readonly code: string; readonly message?: string }
  /** Such a body, whatever moto would say. */
  | { readonly xml: string }
  /** A server of IAM that is behind: answers what this action with these parameters was answered before. */
  | 'stale'
  /** Something else happens at this moment. */
  | (() => Promise<unknown>)

export type Fault = {
  /** `UpdateAssumeRolePolicy`, or `*write`. */
  readonly action: string
  readonly phase: Phase
  readonly act: Act
  /** So often; 1 unless said. */
  readonly times?: number
}

export type FaultProxy = {
  readonly url: string
  /** Who signs, and whose signature is not taken any more. */
  readonly signers: Signers
  readonly arm: (...faults: readonly Fault[]) => void
  readonly disarm: () => void
  /** Actions that came, in order. */
  readonly calls: () => readonly string[]
  readonly forgetCalls: () => void
  /** Pages so small, whatever is asked for; null: as asked. */
  readonly setPageSize: (items: number | null) => void
  /** The account's «role trust policy length», until `disarm`; 4,096 unless said. */
  readonly setTrustQuota: (characters: number) => void
  /** What did not fit the service model. */
  readonly modelProblems: readonly string[]
  readonly dropAll: () => void
  readonly down: () => Promise<void>
  readonly up: () => Promise<void>
}

/** An answer without the id of its request. */
const essence = (body: Buffer | undefined): string => (body ?? '').toString().replace(/<RequestId>[^<]*/, '')

/** As far as Service Quotas raises it. */
const largestTrustQuota = 4_096

const isWrite = (action: string): boolean => !/^(Get|List)/.test(action)

export const startProxy = async (upstream: string): Promise<FaultProxy> => {
  let armed: { readonly fault: Fault; left: number }[] = []
  let calls: string[] = []
  const known = signers()
  let pageSize: number | null = null
  let trustQuota = largestTrustQuota
  const modelProblems: string[] = []
  /** Action and parameters → answers that differed, in order. */
  const answers = new Map<
    string,
    readonly { readonly status: number; readonly type: string; readonly body: Buffer }[]
  >()

  const due = (action: string, phase: Phase): Act | null => {
    const found = armed.find(
      ({ fault, left }) =>
        left > 0 &&
        fault.phase === phase &&
        (fault.action === action || (fault.action === '*write' && isWrite(action))),
    )
    if (found === undefined) return null
    found.left -= 1
    return found.fault.act
  }
  /** true: the exchange is over. */
  const spoil = async (act: Act | null, form: URLSearchParams, response: ServerResponse): Promise<boolean> => {
    if (act === null || act === 'stale') return false
    // An error may be one that no model lists: a load balancer's, or one of every service.
    if (typeof act !== 'function')
      modelProblems.push(
        ...(typeof act === 'object' && 'xml' in act ? queryProblems(form, 200, act.xml) : requestProblems(form)),
      )
    if (act === 'drop') response.socket?.resetAndDestroy()
    else if (typeof act === 'function') {
      await act()
      return false
    } else if (act !== 'no-answer' && 'xml' in act) {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(act.xml)
    } else if (act !== 'no-answer') {
      const { status, code, message = code } = act
      response.writeHead(status, { 'content-type': 'text/xml' }).end(iamErrorXml({ code, message }))
    }
    return true
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const asked = Buffer.concat(chunks).toString('utf8')
    const body = Buffer.from(pageSize === null ? asked : asked.replace(/\bMaxItems=\d+/, `MaxItems=${pageSize}`))
    const form = new URLSearchParams(body.toString('utf8'))
    const action = form.get('Action') ?? ''
    calls.push(action)
    const refusal = known.admit(request.headers, asked)
    if (refusal !== null) {
      const { status, code, message } = refusedAsQuery(refusal)
      return void (await spoil({ status, code, message }, form, response))
    }
    const before = due(action, 'before-commit')
    if (await spoil(before, form, response)) return
    const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers
    const forward = (text: string | Buffer) =>
      fetch(`${upstream}${request.url ?? '/'}`, {
        method: request.method ?? 'POST',
        headers: Object.entries(headers).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value.toString()] as [string, string]],
        ),
        body: text,
      })
    const ask: AskIam = async (asking) => (await forward(new URLSearchParams(asking).toString())).text()
    const refused = await refusedByIam(form, ask, trustQuota)
    const answer =
      refused === null ? await forward(body) : new Response(iamErrorXml(refused), { status: refused.status })
    const now = {
      status: answer.status,
      type: answer.headers.get('content-type') ?? 'text/xml',
      body: Buffer.from(await answer.arrayBuffer()),
    }
    modelProblems.push(...queryProblems(form, now.status, now.body.toString('utf8')))
    const key = body.toString('utf8')
    const past = answers.get(key) ?? []
    const said = before === 'stale' ? (past.findLast((one) => essence(one.body) !== essence(now.body)) ?? now) : now
    if (past.length === 0 || essence(past.at(-1)?.body) !== essence(now.body)) answers.set(key, [...past, now])
    if (await spoil(due(action, 'after-commit'), form, response)) return
    response.writeHead(said.status, { 'content-type': said.type }).end(said.body)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 600_000
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  let port = 0
  const up = () =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        port = (server.address() as AddressInfo).port
        resolve()
      })
    })
  const dropAll = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  await up()
  return {
    url: `http://127.0.0.1:${port}`,
    signers: known,
    arm: (...faults) => {
      armed.push(...faults.map((fault) => ({ fault, left: fault.times ?? 1 })))
    },
    disarm: () => {
      armed = []
      trustQuota = largestTrustQuota
    },
    calls: () => calls,
    forgetCalls: () => {
      calls = []
    },
    setPageSize: (items) => {
      pageSize = items
    },
    setTrustQuota: (characters) => {
      trustQuota = characters
    },
    modelProblems,
    dropAll,
    down: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        dropAll()
      }),
    up,
  }
}
