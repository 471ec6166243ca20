/**
 * The local stack: real Kafka, PostgreSQL, Redis and OpenLDAP for tests, the demo, benchmarks and people. Everything
 * stays below `dir`, listens on loopback only, and ends with the process that started it unless it is told to stay.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { locked } from './download.ts'
import { external, externalLdap, externalUrl } from './external.ts'
import { kafka } from './kafka.ts'
import type { Control, Ldap, OnProgress, Part } from './part.ts'
import { StackError } from './part.ts'
import { freePort } from './ports.ts'
import { postgres, postgresUrl } from './postgres.ts'
import { gone, isAlive, type Ownership, type ProcessMark, type Server, startedAt } from './process.ts'
import { redis } from './redis.ts'
import { slapd } from './slapd.ts'
import { baseDn, rootDn, type SlapdVariant, serviceDn } from './slapd-files.ts'
import { readState, type StackState, writeState } from './state.ts'

export type StackOptions = {
  /** Its own directory, such as `<checkout>/.stack/demo`. A later start there finds ports and data again. */
  readonly dir: string
  readonly parts: readonly Part[]
  /** Leave the servers running when this process ends; `npm run stack -- down` ends them. */
  readonly keepRunning?: boolean
  readonly onProgress?: OnProgress
  readonly slapd?: SlapdVariant
}

export type Stack = {
  readonly dir: string
  readonly kafkaBrokers: readonly string[]
  /** A superuser's, on the maintenance database: only for making roles and databases. */
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly ldap: Ldap
  /** A password that this stack keeps under a name of yours, made at the first asking. */
  secret(name: string): string
  /** Throws for a part that was not asked for. */
  part(part: Part): Control
  /** All of it as the environment variables that name it. */
  readonly env: Readonly<Record<string, string>>
  /** Ends what this start started; `discard` also forgets all data, and ends the servers without ceremony. */
  stop(options?: { readonly discard?: boolean }): Promise<void>
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const { dir, onProgress = () => {} } = options
  mkdirSync(dir, { recursive: true })
  const state = await locked(join(dir, 'stack.lock'), () => claim(dir))
  const adopts = state.kept === true
  const started = new Map<Part, Server>()
  const controls = new Map<Part, Control>()
  const found: { ldap?: Ldap; brokers?: readonly string[]; databaseUrl?: string; redisUrl?: string } = {}

  const secret = (name: string) => (state.secrets[name] ??= randomBytes(18).toString('base64url'))
  const port = async (name: string, adopted: ProcessMark | undefined) => {
    const wanted = state.ports[name]
    return (state.ports[name] = adopted && wanted ? wanted : await freePort(wanted))
  }
  const run = async (part: Part, make: (own: Ownership) => Promise<Server>) => {
    const mark = state.processes[part]
    const adopted = adopts && isAlive(mark) ? mark : undefined
    const launched = (fresh: ProcessMark) => {
      state.processes[part] = fresh
      writeState(dir, state)
    }
    mkdirSync(join(dir, part), { recursive: true })
    const one = await make({ adopted, launched })
    if (!adopted) started.set(part, one)
    controls.set(part, one)
    onProgress({ part, text: 'starting' })
    await one.start()
    onProgress({ part, text: 'ready' })
  }

  const starters: Record<Part, () => Promise<void>> = {
    kafka: async () => {
      const url = externalUrl('kafka')
      if (url !== undefined) controls.set('kafka', external('kafka'))
      else {
        await run('kafka', async (own) => {
          const ports = {
            port: await port('kafka', own.adopted),
            controllerPort: await port('kafkaController', own.adopted),
          }
          return kafka({ dir: join(dir, 'kafka'), ...ports }, own, onProgress)
        })
      }
      found.brokers = url?.split(',') ?? [`127.0.0.1:${state.ports.kafka}`]
    },
    postgres: async () => {
      const url = externalUrl('postgres')
      const password = secret('postgres')
      if (url !== undefined) controls.set('postgres', external('postgres'))
      else {
        await run('postgres', async (own) =>
          postgres(
            { dir: join(dir, 'postgres'), port: await port('postgres', own.adopted), password },
            own,
            onProgress,
          ),
        )
      }
      found.databaseUrl = url ?? postgresUrl(state.ports.postgres ?? 0, password)
    },
    redis: async () => {
      const url = externalUrl('redis')
      if (url !== undefined) controls.set('redis', external('redis'))
      else {
        await run('redis', async (own) =>
          redis({ dir: join(dir, 'redis'), port: await port('redis', own.adopted) }, own, onProgress),
        )
      }
      found.redisUrl = url ?? `redis://127.0.0.1:${state.ports.redis}`
    },
    slapd: async () => {
      const given = externalLdap()
      if (given !== undefined) {
        controls.set('slapd', external('slapd'))
        found.ldap = given
        return
      }
      const secrets = { rootPassword: secret('ldapRoot'), servicePassword: secret('ldapService') }
      let caFile = ''
      await run('slapd', async (own) => {
        const ports = { port: await port('ldap', own.adopted), tlsPort: await port('ldaps', own.adopted) }
        const made = await slapd(
          { dir: join(dir, 'slapd'), ...ports, ...secrets, variant: options.slapd ?? {} },
          own,
          onProgress,
        )
        caFile = made.caFile
        return made.server
      })
      const { ldap, ldaps } = state.ports
      const urls = { url: `ldaps://127.0.0.1:${ldaps}`, plainUrl: `ldap://127.0.0.1:${ldap}` }
      found.ldap = { ...urls, caFile, rootDn, serviceDn, baseDn, ...secrets }
    },
  }

  const results = await Promise.allSettled(options.parts.map((part) => starters[part]()))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) {
    await Promise.all([...started.values()].map((one) => one.stop()))
    release(dir, state)
    throw failed.reason
  }

  const need = <T>(value: T | undefined, part: Part): T => {
    if (value === undefined) throw new Error(`this stack was started without ${part}`)
    return value
  }
  const env = environment(found)
  state.urls = { ...(adopts ? state.urls : {}), ...env }
  if (options.keepRunning) {
    state.kept = true
    delete state.owner
  }
  writeState(dir, state)
  if (options.keepRunning) for (const one of started.values()) one.keep()

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
    secret(name) {
      const value = secret(name)
      writeState(dir, state)
      return value
    },
    part: (part) => need(controls.get(part), part),
    async stop({ discard = false } = {}) {
      await Promise.all([...started.values()].map((one) => (discard ? one.kill('SIGKILL') : one.stop())))
      for (const part of started.keys()) delete state.processes[part]
      if (!adopts) release(dir, state)
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

function environment(found: { ldap?: Ldap; brokers?: readonly string[]; databaseUrl?: string; redisUrl?: string }) {
  const { ldap } = found
  const all: Record<string, string | undefined> = {
    MUSTER_KAFKA_BROKERS: found.brokers?.join(','),
    MUSTER_STACK_POSTGRES_URL: found.databaseUrl,
    MUSTER_REDIS_URL: found.redisUrl,
    MUSTER_STACK_LDAP_URL: ldap?.url,
    MUSTER_STACK_LDAP_PLAIN_URL: ldap?.plainUrl,
    MUSTER_STACK_LDAP_CA_FILE: ldap?.caFile,
    MUSTER_STACK_LDAP_ROOT_DN: ldap?.rootDn,
    MUSTER_STACK_LDAP_ROOT_PASSWORD: ldap?.rootPassword,
    MUSTER_STACK_LDAP_SERVICE_DN: ldap?.serviceDn,
    MUSTER_STACK_LDAP_SERVICE_PASSWORD: ldap?.servicePassword,
    MUSTER_STACK_LDAP_BASE_DN: ldap?.baseDn,
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
