/** The parts that all rows share, one stack for the whole run. PostgreSQL also keeps the time of each commit. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'ldapts'
import pg from 'pg'
import { checkout } from '../../scripts/stack/download.ts'
import { type Ldap, type OnProgress, type Part, partNames } from '../../scripts/stack/part.ts'
import { isAlive } from '../../scripts/stack/process.ts'
import type { SlapdVariant } from '../../scripts/stack/slapd-files.ts'
import { type Stack, startStack } from '../../scripts/stack/stack.ts'
import { readState } from '../../scripts/stack/state.ts'
import { migrate, migrationsDirectory, provisionLogins } from '../../src/store/migrate.ts'
import { processorSeconds } from '../measure/processor-time.ts'

export type BenchStack = {
  readonly stack: Stack
  readonly ldap: Ldap
  readonly templateDatabase: string
  readonly passwords: { readonly engine: string; readonly auditor: string }
  /** Processor seconds used so far by each part. */
  readonly processor: () => Readonly<Record<(typeof partNames)[number], number>>
  /** The same parts, but another directory server: its own slapd with this variant. */
  readonly withDirectory: (name: string, variant: SlapdVariant, entries?: string) => Promise<BenchStack>
  /** Other servers, in a directory of this name. */
  readonly withParts: (name: string, parts: readonly Part[]) => Promise<Stack>
  readonly stop: () => Promise<void>
}

/** `b` and twelve random hex digits: a name that every part accepts. */
export const freshName = (): string => `b${randomBytes(6).toString('hex')}`

export const startBenchStack = async (onProgress: OnProgress): Promise<BenchStack> => {
  const dir = join(checkout, '.stack', 'bench')
  forgetInterrupted(dir)
  const stack = await startStack({ dir, parts: partNames, onProgress })
  try {
    await keepCommitTimes(stack)
    const templateDatabase = freshName()
    const passwords = { engine: 'engine-of-the-benchmark', auditor: 'auditor-of-the-benchmark' }
    await asSuperuser(stack.databaseUrl, (client) => client.query(`create database ${templateDatabase}`))
    await migrate(databaseAt(stack.databaseUrl, templateDatabase), migrationsDirectory)
    await provisionLogins(databaseAt(stack.databaseUrl, templateDatabase), passwords)
    return benchStack(stack, stack.ldap, stack, { templateDatabase, passwords }, onProgress)
  } catch (error) {
    await stack.stop({ discard: true })
    throw error
  }
}

/** An interrupted run leaves no process, but its data: people whom a search would find besides those meant. */
const forgetInterrupted = (dir: string): void => {
  if (!isAlive(readState(dir).owner)) rmSync(dir, { recursive: true, force: true })
}

const benchStack = (
  stack: Stack,
  ldap: Ldap,
  directory: Stack,
  rest: Pick<BenchStack, 'templateDatabase' | 'passwords'>,
  onProgress: OnProgress,
): BenchStack => ({
  ...rest,
  stack,
  ldap,
  processor: () => {
    const of = (part: Part) => processorSeconds((part === 'slapd' ? directory : stack).part(part).pid)
    return { kafka: of('kafka'), postgres: of('postgres'), redis: of('redis'), slapd: of('slapd') }
  },
  withDirectory: async (name, variant, entries) => {
    const dir = join(checkout, '.stack', `bench-${name}`)
    forgetInterrupted(dir)
    const other = await startStack({
      dir,
      parts: ['slapd'],
      slapd: variant,
      ...(entries === undefined ? {} : { entries }),
      onProgress,
    })
    const made = benchStack(stack, other.ldap, other, rest, onProgress)
    return { ...made, stop: () => other.stop({ discard: true }) }
  },
  withParts: (name, parts) => {
    const dir = join(checkout, '.stack', `bench-${name}`)
    forgetInterrupted(dir)
    return startStack({ dir, parts, onProgress })
  },
  stop: () => stack.stop({ discard: true }),
})

/** The moment of a commit, asked afterwards, disturbs nothing; an observer that polls would take a processor. */
const keepCommitTimes = async (stack: Stack): Promise<void> => {
  const isOn = () =>
    asSuperuser(stack.databaseUrl, async (client) => {
      const { rows } = await client.query<{ track_commit_timestamp: string }>('show track_commit_timestamp')
      return rows[0]?.track_commit_timestamp === 'on'
    })
  if (await isOn()) return
  if (stack.part('postgres').origin !== 'packages')
    throw new Error('this PostgreSQL needs track_commit_timestamp = on for the benchmark')
  await asSuperuser(stack.databaseUrl, (client) => client.query('alter system set track_commit_timestamp = on'))
  await stack.part('postgres').restart()
  if (!(await isOn())) throw new Error('PostgreSQL did not take track_commit_timestamp = on')
}

export const databaseAt = (superuser: string, name: string, user?: string, password?: string): string => {
  const url = new URL(superuser)
  url.pathname = `/${name}`
  if (user !== undefined && password !== undefined) Object.assign(url, { username: user, password })
  return url.href
}

export const asSuperuser = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** On a connection bound as the directory's root, without TLS: for making and checking worlds, never for measuring. */
export const asDirectoryRoot = async <T>(ldap: Ldap, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({ url: ldap.plainUrl, timeout: 120_000, connectTimeout: 5_000 })
  try {
    await client.bind(ldap.rootDn, ldap.rootPassword)
    return await work(client)
  } finally {
    await client.unbind()
  }
}
