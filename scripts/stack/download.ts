/** Downloads into the cache that all stacks of a checkout share: each thing once, checked, complete or absent. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isAlive, type ProcessMark, startedAt } from './process.ts'

export const checkout = join(import.meta.dirname, '..', '..')
export const downloads = join(checkout, '.stack', 'downloads')

/**
 * The directory `name` of the cache, made by `make` in a temporary place and then renamed, so that an interrupted one is
 * never taken for whole. Processes that want the same wait for each other.
 */
export async function cached(name: string, make: (into: string) => Promise<void>): Promise<string> {
  const path = join(downloads, name)
  if (existsSync(path)) return path
  mkdirSync(downloads, { recursive: true })
  return locked(`${path}.lock`, async () => {
    if (existsSync(path)) return path
    const temporary = `${path}.part`
    rmSync(temporary, { recursive: true, force: true })
    mkdirSync(temporary)
    await make(temporary)
    renameSync(temporary, path)
    return path
  })
}

/** Runs `work` while no other process runs work under this lock; a lock whose owner died is taken over. */
export async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  const me: ProcessMark = { pid: process.pid, started: startedAt(process.pid) ?? '' }
  for (;;) {
    try {
      writeFileSync(path, JSON.stringify(me), { flag: 'wx' })
      break
    } catch {
      if (!isAlive(lockOwner(path))) rmSync(path, { force: true })
      else await pause(100)
    }
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

function lockOwner(path: string): ProcessMark | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Fetches `url` to `file`; throws unless its SHA-256 is `sha256`. Tries three times. */
export async function fetchFile(url: string, sha256: string, file: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(120_000) })
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
      const bytes = Buffer.from(await answer.arrayBuffer())
      const got = createHash('sha256').update(bytes).digest('hex')
      if (got !== sha256) throw new Error(`${url} has SHA-256 ${got}, not ${sha256}: it was changed on the way`)
      writeFileSync(file, bytes)
      return
    } catch (error) {
      if (attempt === 3) throw error
      await pause(500 * attempt)
    }
  }
}
