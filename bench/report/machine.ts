/** Where and with what was measured: without it no figure means anything. No path, host or name of anybody's machine. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, type as systemType, totalmem } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { checkout } from '../../scripts/stack/download.ts'
import { asSuperuser, type BenchStack } from '../house/bench-stack.ts'

export type Machine = {
  readonly date: string
  readonly processor: string
  readonly processors: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly commit: string
  readonly postgres: string
  /** Those that decide durability and speed. */
  readonly postgresSettings: Readonly<Record<string, string>>
  readonly redisSettings: Readonly<Record<string, string>>
  readonly slapdConf: string
  readonly loadBefore: string
}

const settings = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'track_commit_timestamp',
  'shared_buffers',
  'max_wal_size',
  'max_connections',
  'jit',
]

export const describeMachine = async ({ stack }: BenchStack): Promise<Machine> => {
  const [first] = cpus()
  const postgres = await asSuperuser(stack.databaseUrl, async (client) => {
    const { rows } = await client.query<{ name: string; setting: string }>(
      `select name, current_setting(name) as setting from pg_settings where name = any($1) order by array_position($1, name)`,
      [settings],
    )
    const { rows: version } = await client.query<{ server_version: string }>('show server_version')
    return {
      version: version[0]?.server_version ?? '?',
      settings: Object.fromEntries(rows.map(({ name, setting }) => [name, setting])),
    }
  })
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: first?.model ?? 'unknown',
    processors: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${systemType()} ${release().split('-')[0]}`,
    node: process.version,
    commit: commit(),
    postgres: postgres.version,
    postgresSettings: postgres.settings,
    redisSettings: await redisSettings(stack.redisUrl),
    slapdConf: slapdConf(join(stack.dir, 'slapd', 'slapd.conf')),
    loadBefore: safely(() => readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')),
  }
}

const redisSettings = async (url: string): Promise<Readonly<Record<string, string>>> => {
  const redis = new Redis(url)
  try {
    const found: Record<string, string> = {}
    for (const name of ['appendonly', 'appendfsync', 'save', 'maxmemory-policy']) {
      const answer = await redis.config('GET', name)
      found[name] = Array.isArray(answer) ? String(answer[1] ?? '') : '?'
    }
    return found
  } finally {
    redis.disconnect()
  }
}

const commit = (): string =>
  safely(() => {
    const git = (...args: string[]) => execFileSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).trim()
    const changed = git('status', '--porcelain', '--', 'src', 'bench', 'prisma', 'scripts', 'package-lock.json') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with uncommitted changes' : ''}`
  })

/** As it was read, without the root password's hash and without this machine's paths. */
const slapdConf = (file: string): string =>
  safely(() =>
    readFileSync(file, 'utf8')
      .replace(/^rootpw .*$/m, 'rootpw …')
      .replace(/(\/[\w.+-]+)+\/(?=[\w.-]+(\s|$))/g, '…/')
      .trimEnd(),
  )

const safely = (read: () => string): string => {
  try {
    return read()
  } catch {
    return 'unknown'
  }
}
