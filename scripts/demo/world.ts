/** Everything that the story happens in: the parts, the database, the directory, HR's topic, the engine, the auditor. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { writeEnvFile } from '../stack/env-file.ts'
import { databaseEnv, musterDatabase } from '../stack/muster-database.ts'
import { type OnProgress, type Part, partNames } from '../stack/part.ts'
import { end, isAlive } from '../stack/process.ts'
import { type Stack, startStack } from '../stack/stack.ts'
import { readState } from '../stack/state.ts'
import { type AuditLog, openAuditLog } from './audit-log.ts'
import type { Cleanup } from './cleanup.ts'
import { type Directory, openDirectory } from './directory.ts'
import { bank, type EngineProcess, startEngine } from './engine-process.ts'
import { own } from './everywhere/config.ts'
import { openPlace, otherTargetNames, otherTargets, type Place } from './everywhere/places.ts'
import { type Hr, openHr } from './hr-topic.ts'
import type { DemoOptions } from './options.ts'

const databaseName = 'muster_demo'
/** muster.yaml's `queue.prefix`, by default and in the last chapters. */
const redisPrefixes = ['{muster}', own.prefix]

export type World = {
  readonly stack: Stack
  readonly directory: Directory
  readonly hr: Hr
  readonly audit: AuditLog
  readonly engine: EngineProcess
  /** What `muster` needs, as a person would export it. */
  readonly env: Readonly<Record<string, string>>
  readonly envFile: string
  /** The other targets, which start while the story goes on, and tell how far they are only when they are waited for. */
  readonly waitForPlaces: () => Promise<readonly Place[]>
}

export const openWorld = async (
  { dir, without }: Pick<DemoOptions, 'dir' | 'without'>,
  onProgress: OnProgress,
  ending: Cleanup,
): Promise<World> => {
  mkdirSync(dir, { recursive: true })
  const stack = await startStack({ dir, parts: partNames, onProgress })
  ending.add('stack', () => stack.stop())
  // Engines that an earlier --keep left behind work on what is made anew now.
  await Promise.all(
    Object.values(readState(dir).others ?? {}).flatMap((kept) => (isAlive(kept) ? [end(kept, 'SIGTERM')] : [])),
  )
  const isOurs = (part: Part) => stack.part(part).origin !== 'environment'

  const [database, directory, hr] = await Promise.all([
    freshDatabase(stack, databaseName),
    freshDirectory(stack, isOurs('slapd')),
    openHr(stack.kafkaBrokers, isOurs('kafka')),
    freshRedis(stack.redisUrl, isOurs('redis')),
  ])
  ending.add('hr', () => hr.close())
  const env = { ...stack.env, ...databaseEnv(database), MUSTER_CONFIG: bank }
  const engine = await startEngine(env, join(dir, 'engine.log'))
  ending.add('engine', () => engine.stop())
  const audit = await openAuditLog(database.auditorUrl)
  ending.add('audit', () => audit.close())
  const envFile = writeEnvFile(dir, env)
  let waited = false
  const meanwhile: OnProgress = (progress) => {
    if (waited) onProgress(progress)
  }
  for (const { part } of Object.values(otherTargets))
    if (!without.includes(part)) onProgress({ part, text: 'starts while the story goes on' })
  const places = Promise.all(otherTargetNames.map((target) => openPlace(dir, target, without, meanwhile, ending)))
  places.catch(() => {}) // told where they are needed
  const waitForPlaces = () => {
    waited = true
    return places
  }
  return { stack, directory, hr, audit, engine, env, envFile, waitForPlaces }
}

export const freshDatabase = async (stack: Stack, databaseName: string) => {
  const client = new pg.Client({ connectionString: stack.databaseUrl })
  await client.connect()
  try {
    await client.query(`drop database if exists ${databaseName} with (force)`)
  } finally {
    await client.end()
  }
  return musterDatabase(
    stack.databaseUrl,
    { engine: stack.secret('engine'), auditor: stack.secret('auditor') },
    databaseName,
  )
}

const freshDirectory = async (stack: Stack, mayReset: boolean): Promise<Directory> => {
  const directory = await openDirectory(stack.ldap, stack.dir)
  if (!mayReset && !(await directory.isEmpty()))
    throw new Error(
      "the directory at MUSTER_STACK_LDAP_URL is not empty, and what is in it is not the demo's to delete",
    )
  await directory.reset()
  return directory
}

const freshRedis = async (url: string, mayReset: boolean): Promise<void> => {
  const redis = new Redis(url, { lazyConnect: true })
  await redis.connect()
  try {
    if (mayReset) await redis.flushall()
    else
      for (const prefix of redisPrefixes)
        if ((await redis.keys(`${prefix.replace(/[[\]*?\\]/g, '\\$&')}*`)).length > 0)
          throw new Error(
            `the Redis of MUSTER_REDIS_URL holds keys ${prefix}… already, and they are not the demo's to delete`,
          )
  } finally {
    redis.disconnect()
  }
}
