/**
 * The local stack: real Kafka, PostgreSQL, Redis and OpenLDAP for tests, the demo, benchmarks and people. Everything
 * stays below `dir`, listens on loopback only, and ends with the process that started it unless it is told to stay.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { forgetContainers, wantsDocker } from './docker.ts'
import { locked } from './download.ts'
import { environment } from './environment.ts'
import {
  type Ad,
  type Aws,
  type Control,
  type Graph,
  type Ldap,
  type OnProgress,
  type Part,
  StackError,
} from './part.ts'
import { freeAddress, freePort, isFree } from './ports.ts'
import { gone, isAlive, type Ownership, type ProcessMark, type Server, startedAt } from './process.ts'
import type { SlapdVariant } from './slapd-files.ts'
import { type Found, type Site, starters } from './starters.ts'
import { readState, type StackState, writeState } from './state.ts'

export type StackOptions = {
  /** Its own directory, such as `<checkout>/.stack/demo`. A later start there finds ports and data again. */
  readonly dir: string
  readonly parts: readonly Part[]
  /** Leave the servers running when this process ends; `npm run stack -- down` ends them. */
  readonly keepRunning?: boolean
  /**
   * Its data need not outlive the machine: nobody waits for the disk. Whoever kills a server loses nothing by it, for what
   * was written is with the kernel.
   */
  readonly throwaway?: boolean
  readonly onProgress?: OnProgress
  readonly slapd?: SlapdVariant
  /** LDIF that a new directory begins with, loaded before it starts. Only from packages. */
  readonly entries?: string
}

export type Stack = {
  readonly dir: string
  readonly kafkaBrokers: readonly string[]
  /** A superuser's, on the maintenance database: only for making roles and databases. */
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly ldap: Ldap
  /** Only where `samba` was asked for. */
  readonly ad: Ad
  /** moto's own, without simulators/aws in front. */
  readonly awsUrl: string
  /** Only where `graph` was asked for. */
  readonly graph: Graph
  /** Only where `aws` was asked for, which starts moto behind it. */
  readonly aws: Aws
  /** A password that this stack keeps under a name of yours, made at the first asking. */
  secret(name: string): string
  /** Throws for a part that was not asked for. */
  part(part: Part): Control
  /** All of it as the environment variables that name it. */
  readonly env: Readonly<Record<string, string>>
  /** The servers, and `others` that work with them, outlive this process from now on; `npm run stack -- down` ends them. */
  keep(others?: Readonly<Record<string, ProcessMark>>): void
  /** Ends what this start started; `discard` also forgets all data, and ends the servers without ceremony. */
  stop(options?: { readonly discard?: boolean }): Promise<void>
}

/** How often a server is started whose port another process takes before it. */
const attempts = 5

export async function startStack(options: StackOptions): Promise<Stack> {
  const { dir, onProgress = () => {} } = options
  mkdirSync(dir, { recursive: true })
  const state = await locked(join(dir, 'stack.lock'), () => claim(dir))
  const adopts = state.kept === true
  const docker = await wantsDocker()
  const started = new Map<Part, Server>()
  const controls = new Map<Part, Control>()

  const secret = (name: string) => (state.secrets[name] ??= randomBytes(18).toString('base64url'))
  const starting = new Map<Part, Promise<Found>>()
  const startOnce = (part: Part): Promise<Found> => {
    const under = starting.get(part) ?? starters[part](site)
    starting.set(part, under)
    return under
  }
  /** Where each of our servers is to listen: from the choice to the server's own start somebody else may take it. */
  const places = new Map<Ownership, [host: string, port: number][]>()
  const isTaken = async (own: Ownership): Promise<boolean> =>
    !(await Promise.all((places.get(own) ?? []).map(([host, port]) => isFree(port, host)))).every((free) => free)
  const listensAt = (own: Ownership, host: string, ports: readonly number[]) =>
    places.set(own, [...(places.get(own) ?? []), ...ports.map((port): [string, number] => [host, port])])
  const site: Site = {
    dir,
    needs: startOnce,
    docker,
    onProgress,
    secret,
    variant: options.slapd,
    entries: options.entries,
    throwaway: options.throwaway === true,
    note: (part, control) => void controls.set(part, control),
    async port(name, own) {
      const wanted = state.ports[name]
      const isElses = (port: number) =>
        Object.entries(state.ports).some(([other, its]) => other !== name && its === port)
      const port = own.adopted && wanted ? wanted : await freePort(wanted, isElses)
      state.ports[name] = port
      listensAt(own, '127.0.0.1', [port])
      return port
    },
    async address(name, ports, own) {
      const wanted = state.ports[name]
      state.ports[name] = own.adopted && wanted ? wanted : await freeAddress(ports, wanted)
      const host = `127.77.${state.ports[name] >> 8}.${state.ports[name] & 255}`
      listensAt(own, host, ports)
      return host
    },
    async run(part, make) {
      const mark = state.processes[part]
      const adopted = adopts && isAlive(mark) ? mark : undefined
      const launched = (fresh: ProcessMark) => {
        state.processes[part] = fresh
        writeState(dir, state)
      }
      mkdirSync(join(dir, part), { recursive: true })
      for (let attempt = 1; ; attempt++) {
        const own: Ownership = { adopted, launched }
        const one = await make(own)
        if (!adopted) started.set(part, one)
        if (one.origin === 'docker') state.docker = true
        controls.set(part, one)
        onProgress({ part, text: 'starting' })
        try {
          await one.start()
          break
        } catch (error) {
          if (one.origin === 'docker' || attempt === attempts || !(await isTaken(own))) throw error
          onProgress({ part, text: 'its port was taken meanwhile: once more on another' })
        }
      }
      onProgress({ part, text: 'ready' })
    },
  }
  const results = await Promise.allSettled(options.parts.map(startOnce))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) {
    await Promise.all([...started.values()].map((one) => one.stop()))
    release(dir, state)
    throw failed.reason
  }
  const found: Found = Object.assign(
    {},
    ...results.map((result) => (result.status === 'fulfilled' ? result.value : {})),
  )

  const need = <T>(value: T | undefined, part: Part): T => {
    if (value === undefined) throw new Error(`this stack was started without ${part}`)
    return value
  }
  const env = environment(found)
  state.urls = { ...(adopts ? state.urls : {}), ...env }
  writeState(dir, state)
  const keep = (others: Readonly<Record<string, ProcessMark>> = {}) => {
    state.kept = true
    state.others = { ...others }
    delete state.owner
    writeState(dir, state)
    for (const one of started.values()) one.keep()
  }
  if (options.keepRunning) keep(state.others)

  return {
    dir,
    env,
    get kafkaBrokers() {
      return need(found.brokers, 'kafka')
    },
    get databaseUrl() {
      return need(found.databaseUrl, 'postgres')
    },
    get redisUrl() {
      return need(found.redisUrl, 'redis')
    },
    get ldap() {
      return need(found.ldap, 'slapd')
    },
    get ad() {
      return need(found.ad, 'samba')
    },
    get awsUrl() {
      return need(found.awsUrl, 'moto')
    },
    get graph() {
      return need(found.graph, 'graph')
    },
    get aws() {
      return need(found.aws, 'aws')
    },
    secret(name) {
      const value = secret(name)
      writeState(dir, state)
      return value
    },
    part: (part) => need(controls.get(part), part),
    keep,
    async stop({ discard = false } = {}) {
      await Promise.all([...started.values()].map((one) => (discard ? one.kill('SIGKILL') : one.stop())))
      for (const part of started.keys()) delete state.processes[part]
      if (!adopts) release(dir, state)
      if (discard && state.docker) await forgetContainers(dir)
      if (discard) rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Makes the stack in `dir` ours, unless another living process runs it. */
async function claim(dir: string): Promise<StackState> {
  const state = readState(dir)
  const marks = Object.values(state.processes)
  if (state.kept && marks.some((mark) => isAlive(mark))) return state
  if (isAlive(state.owner) && state.owner.pid !== process.pid) {
    throw new StackError('the stack', `process ${state.owner.pid} runs it (${dir})`, 'wait for that run, or end it')
  }
  for (const mark of marks) {
    // Its starter died a moment ago, and the guards are ending the servers.
    if (isAlive(mark) && !(await gone(mark, 10_000))) {
      throw new StackError(
        'the stack',
        `process ${mark.pid} of an earlier run still runs (${dir})`,
        `end it: kill ${mark.pid}`,
      )
    }
  }
  state.processes = {}
  delete state.kept
  state.owner = { pid: process.pid, started: startedAt(process.pid) ?? '' }
  writeState(dir, state)
  return state
}

function release(dir: string, state: StackState): void {
  delete state.owner
  delete state.kept
  writeState(dir, state)
}
