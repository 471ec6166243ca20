/**
 * AWS IAM Identity Center on a loopback port: moto keeps the state, the rules here supply what it lacks or gets wrong
 * (README.md lists each), and faults come by a schedule. Signatures are not checked.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { assignments } from './assignments.ts'
import { type Act, faults } from './faults.ts'
import { groups } from './groups.ts'
import { type AskIam, type IamError, iamErrorXml, refusedByIam } from './iam.ts'
import { inspect } from './inspector.ts'
import { memberships } from './memberships.ts'
import { moto } from './moto.ts'
import { permissionSets } from './permission-sets.ts'
import { type Rights, simulated } from './rights.ts'
import type { Behind, Rules } from './rules.ts'
import { refusedAsJson, refusedAsQuery, signers } from './signers.ts'
import type { Call, Simulator, SimulatorOptions } from './simulator.ts'
import { createState } from './state.ts'
import { type Throttle, throttle } from './throttle.ts'
import { users } from './users.ts'
import { type Answer, AwsError, type Json, readBody, record, type Service, type Target, targetOf } from './wire.ts'

const witnessHeader = 'x-simulator-witness'

export const startSimulator = async (options: SimulatorOptions): Promise<Simulator> => {
  const region = options.region ?? 'eu-central-1'
  const upstream = moto(options.moto, region)
  const { Instances } = await upstream.ask('sso-admin', 'ListInstances', {})
  const instance = record(Array.isArray(Instances) ? Instances[0] : null)
  const behind: Behind = {
    moto: upstream,
    state: createState(),
    identityStoreId: String(instance.IdentityStoreId),
    instanceArn: String(instance.InstanceArn),
    pageSize: options.pageSize ?? 100,
    now: Date.now,
  }
  const asynchronous = assignments()
  const rules: Readonly<Record<Service, Rules>> = {
    identitystore: { ...users, ...groups, ...memberships },
    'sso-admin': { ...permissionSets, ...asynchronous.rules },
  }
  let callsPerSecond = options.callsPerSecond ?? 20
  const limit: Throttle = throttle(() => callsPerSecond, behind.now)
  const schedule = faults()
  const known = signers()
  let rights: Rights | null = null
  let calls: Call[] = []

  /** One after the other: two calls together must not both find the same thing absent. */
  let last: Promise<unknown> = Promise.resolve()
  const ask = (target: Target, body: Json): Promise<Json> => {
    const turn = last.then(() => answer(target, body))
    last = turn.catch(() => {})
    return turn
  }
  const answer = async ({ service, operation }: Target, body: Json): Promise<Json> => {
    if (service === 'identitystore' && body.IdentityStoreId !== behind.identityStoreId)
      throw new AwsError('ResourceNotFoundException', 'IDENTITY_STORE not found.', { ResourceType: 'IDENTITY_STORE' })
    const rule = rules[service][operation]
    return rule === undefined ? upstream.ask(service, operation, body) : rule(body, behind)
  }
  const answerOf = async (work: () => Promise<Json>): Promise<Answer> => {
    try {
      return { status: 200, body: await work() }
    } catch (error) {
      if (error instanceof AwsError) return error.answer
      return { status: 500, body: { __type: 'InternalServerException', Message: String(error) } }
    }
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request)
    const target = targetOf(request.headers['x-amz-target']?.toString())
    if (request.url?.startsWith('/_simulator/')) {
      const said = inspect(request.method ?? 'GET', request.url.slice('/_simulator'.length), body, simulator)
      return send(response, said)
    }
    const isWitness = request.headers[witnessHeader] !== undefined
    const refusal = isWitness ? null : known.admit(request.headers, body)
    if (target === null) {
      if (refusal !== null) return sendIamError(response, refusedAsQuery(refusal))
      const form = new URLSearchParams(body)
      if (form.get('Action') !== 'SimulatePrincipalPolicy') return passOn(request, body, response, options.moto)
      const said = simulated(form, rights)
      return typeof said === 'string' ? sendXml(response, 200, said) : sendIamError(response, said)
    }
    const asked = record(body === '' ? {} : JSON.parse(body))
    if (isWitness) return send(response, await answerOf(() => ask(target, asked)))

    const note = (answer: string) => calls.push({ at: behind.now(), ...target, answer })
    if (refusal !== null) {
      const said = refusedAsJson(refusal)
      note(String(said.body.__type))
      return send(response, said)
    }
    const before = schedule.at(target.operation, 'before')
    const early = await spoil(before, response)
    if (early !== null) return void note(early)
    const answer = await answerOf(async () => {
      limit.take(target.service)
      return ask(target, asked)
    })
    const after = schedule.at(target.operation, 'after')
    const late = await spoil(after, response)
    if (late !== null) return void note(late)
    note(answer.status === 200 ? 'ok' : String(answer.body.__type))
    options.watch?.(target, asked, answer)
    const repeats = after?.kind === 'repeat-token' && asked.NextToken !== undefined
    send(response, repeats ? { ...answer, body: { ...answer.body, NextToken: asked.NextToken } } : answer)
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  // Longer than any client keeps an idle connection: who drops it is up to `dropAll`.
  server.keepAliveTimeout = 600_000
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  let port = options.port ?? 0
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
  const down = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      dropAll()
    })
  await up()

  const simulator: Simulator = {
    url: `http://127.0.0.1:${port}`,
    identityStoreId: behind.identityStoreId,
    instanceArn: behind.instanceArn,
    state: behind.state,
    assignments: asynchronous,
    moto: upstream,
    faults: schedule,
    signers: known,
    setRights: (said) => {
      rights = said
    },
    calls: () => calls,
    setCallsPerSecond: (raised) => {
      callsPerSecond = raised
    },
    forgetCalls: () => {
      calls = []
    },
    ask: (service, operation, body) => ask({ service, operation }, body),
    dropAll,
    down,
    up,
    close: async () => {
      if (server.listening) await down()
    },
  }
  return simulator
}

/** What a fault does to this exchange: a word for the log when it ends it, null when it goes on. */
const spoil = async (act: Act | null, response: ServerResponse): Promise<string | null> => {
  switch (act?.kind) {
    case undefined:
    case 'repeat-token':
      return null
    case 'drop':
      response.socket?.resetAndDestroy()
      return 'dropped'
    case 'no-answer':
      return 'unanswered'
    case 'status':
      response
        .writeHead(act.status, { 'content-type': 'text/html' })
        .end('<html><body>Service Unavailable</body></html>')
      return `status ${act.status}`
    case 'error':
      send(response, { status: act.status ?? 400, body: { __type: act.type, Message: act.type, ...act.more } })
      return act.type
    case 'meanwhile':
      await act.work()
      return null
    default:
      return act satisfies never
  }
}

const send = (response: ServerResponse, { status, body }: Answer): void => {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
}

const sendXml = (response: ServerResponse, status: number, xml: string): void => {
  response.writeHead(status, { 'content-type': 'text/xml' }).end(xml)
}
const sendIamError = (response: ServerResponse, error: IamError): void =>
  sendXml(response, error.status, iamErrorXml(error))

/** Another service (sts, iam): as it is, but for IAM's sizes. */
const passOn = async (request: IncomingMessage, body: string, response: ServerResponse, url: string): Promise<void> => {
  const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers
  const forward = (text: string) =>
    fetch(`${url}${request.url ?? '/'}`, {
      method: request.method ?? 'POST',
      headers: Object.entries(headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value.toString()]],
      ),
      ...(request.method === 'GET' ? {} : { body: text }),
    })
  const ask: AskIam = async (form) => (await forward(new URLSearchParams(form).toString())).text()
  const refused = await refusedByIam(new URLSearchParams(body), ask)
  if (refused !== null) return sendIamError(response, refused)
  const answer = await forward(body)
  response
    .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/xml' })
    .end(Buffer.from(await answer.arrayBuffer()))
}
