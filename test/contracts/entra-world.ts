/**
 * A Graph simulator behind a proxy with faults, every exchange held to Microsoft's schema (closing fails where that was not met); the
 * witness is the simulator's own inspector, past all of Graph.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { requestViolations, violationsOf } from '../../simulators/graph/schema/conformance.ts'
import {
  type GraphSimulator,
  type GraphSimulatorOptions,
  startGraphSimulator,
} from '../../simulators/graph/simulator.ts'
import type { Connector, ConnectorTools } from '../../src/connectors/connector.ts'
import { type EntraSettings, entraSettingsSchema } from '../../src/connectors/entra/config.ts'
import { createEntraConnector } from '../../src/connectors/entra/connector.ts'
import { createLocalBudget, createLocalStore, type LocalStore } from '../../src/connectors/local-budget.ts'
import type { NativeId, TargetId } from '../../src/domain/ids.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import type { Group, Person, World } from './world.ts'

export type EntraWorld = World & {
  readonly graph: GraphSimulator
  readonly configure: (changes?: Readonly<Record<string, unknown>>) => EntraSettings
  readonly connect: (changes?: Readonly<Record<string, unknown>>, tools?: Partial<ConnectorTools>) => Connector
  /** Where the application's secret is read from. */
  readonly secretFile: string
  readonly dir: string
  /** Addresses of the changes that were asked for while `work` ran, `METHOD path`, each part of a $batch by itself. */
  readonly writesOf: (work: () => Promise<unknown>) => Promise<readonly string[]>
}

export const target = 'entra' as TargetId
const writes = [
  'createUser',
  'patchUser',
  'deleteUser',
  'revokeSignInSessions',
  'addMember',
  'patchGroup',
  'removeMember',
  'deleteMemberObject',
] as const

export const toolsOf = (store: LocalStore = createLocalStore()): ConnectorTools => ({
  lane: 'bulk',
  giveWay: async () => {},
  budget: createLocalBudget(store, 'bulk', () => performance.now()),
  now: Date.now,
})

export const makeEntra = (world: EntraWorld): Connector => world.connect()

export const openEntraWorld = async (options: GraphSimulatorOptions = {}): Promise<EntraWorld> => {
  const violations = new Set<string>()
  const graph = await startGraphSimulator({
    limits: null,
    // What is refused, or never answered, was asked all the same.
    watch: (exchange) => {
      for (const one of [...requestViolations(exchange), ...violationsOf(exchange)]) violations.add(one)
    },
    ...options,
  })
  setDefaultCACertificates([...getCACertificates('default'), graph.ca])
  const proxy = await tcpProxy({ host: '127.0.0.1', port: graph.port })
  const origin = `https://127.0.0.1:${proxy.port}`
  const dir = mkdtempSync(join(tmpdir(), 'muster-entra-'))
  const secretFile = join(dir, 'secret')
  const [app] = graph.apps
  writeFileSync(secretFile, `${app?.secrets?.[0]}\n`)

  const configure: EntraWorld['configure'] = (changes = {}) =>
    entraSettingsSchema.parse({
      tenant: graph.tenant.id,
      clientId: app?.clientId,
      credential: { kind: 'secret', secretFile },
      cloud: { graph: origin, authority: origin },
      account: {
        userPrincipalName: '{username}@bank.example',
        attributes: {
          displayName: '{displayName|username}',
          givenName: '{givenName}',
          surname: '{familyName}',
          department: '{department}',
          otherMails: ['{workEmail}'],
        },
      },
      limits: { resourceUnitsPer10s: 10_000_000, writesPer150s: 10_000_000 },
      settle: { pollMs: 20 },
      timeouts: { requestMs: 30_000 },
      ...changes,
    })

  const fetchReally = globalThis.fetch
  const atFetch = (phase: 'before-commit' | 'after-commit', act: () => Promise<void>) => {
    globalThis.fetch = async (input, init) => {
      const isWrite = (init?.method ?? 'GET') !== 'GET' && !String(init?.body).includes('"method":"GET"')
      if (!isWrite) return fetchReally(input, init)
      globalThis.fetch = fetchReally
      if (phase === 'before-commit') await act()
      const response = await fetchReally(input, init)
      if (phase === 'after-commit') await act()
      return response
    }
  }
  let ahead = 0
  const now = () => Date.now() + ahead
  const person = (key: string, name?: string): Person => ({
    key,
    worker: {
      personKey: key,
      username: key.toLowerCase(),
      displayName: name === undefined ? key : `${name}${key}`,
      familyName: name ?? key,
      givenName: 'Given',
      workEmail: `${key.toLowerCase()}@bank.example`,
      department: null,
    },
  })
  const propertiesOf = ({ key, worker }: Person, username = String(worker.username)) => ({
    employeeId: key,
    userPrincipalName: `${username}@bank.example`,
    mailNickname: username,
    displayName: String(worker.displayName).trim(),
    givenName: String(worker.givenName),
    surname: String(worker.familyName).trim(),
    otherMails: [String(worker.workEmail)],
  })

  const connect: EntraWorld['connect'] = (changes, tools) =>
    createEntraConnector(target, configure(changes), { ...toolsOf(), now, ...tools })

  return {
    graph,
    configure,
    connect,
    impatient: () => connect({ timeouts: { requestMs: 1_000 } }),
    pass: (ms) => {
      ahead += ms
    },

    secretFile,
    dir,
    writesOf: async (work) => {
      graph.inspector.forgetCalls()
      await work()
      return graph.inspector
        .calls()
        .filter(({ writes: count }) => count > 0)
        .map(({ method, address }) => `${method} ${address}`)
    },
    person,
    addAccounts: async (crowd) => crowd.map((somebody) => graph.hand.addUser(propertiesOf(somebody)) as NativeId),
    addTwin: async (somebody) => {
      graph.hand.addUser(propertiesOf(somebody, `${somebody.worker.username}-twin`))
    },
    addGroup: async (name, members = [], strangers = 0): Promise<Group> => {
      const id = graph.hand.addGroup({ displayName: name })
      graph.hand.addMembers(id, members)
      graph.hand.addMembers(
        id,
        Array.from({ length: strangers }, () => graph.hand.addGroup()),
      )
      return { lookup: `displayName:${name}`, nativeId: id as NativeId }
    },
    membersOf: async ({ nativeId }) =>
      graph.inspector.members(nativeId).filter((id) => graph.inspector.user(id) !== undefined) as NativeId[],
    accountsOf: async ({ key }) =>
      graph.inspector.users().flatMap(({ id, employeeId }) => (employeeId === key ? [id as NativeId] : [])),
    canSignIn: async (id) => graph.inspector.user(id)?.accountEnabled === true,
    rename: async (id) => {
      const name = `renamed-${id.slice(0, 8)}`
      graph.hand.patchUser(id, { userPrincipalName: `${name}@bank.example`, mailNickname: name, displayName: name })
    },
    removeGroup: async ({ nativeId }) => graph.hand.remove(nativeId, true),
    faults: {
      atNextWrite: (phase, act) => {
        if (typeof act === 'function') return atFetch(phase, act)
        const effect = { kind: act === 'drop' ? 'drop' : 'silence' } as const
        const when = phase === 'before-commit' ? 'before' : 'after'
        graph.faults.plan(...writes.map((operation) => ({ operation, phase: when, effect }) as const))
      },
      none: () => {
        globalThis.fetch = fetchReally
        graph.faults.clear()
      },
      dropAll: () => proxy.resetAll(),
      down: async () => {
        proxy.refuse(true)
        proxy.resetAll()
      },
      up: async () => proxy.refuse(false),
    },
    close: async () => {
      globalThis.fetch = fetchReally
      await proxy.close()
      await graph.close()
      rmSync(dir, { recursive: true, force: true })
      if (violations.size > 0) throw new Error(`against Microsoft's schema: ${[...violations].join('; ')}`)
    },
  }
}
