/** What a stack remembers in its directory: ports, secrets and processes. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Part } from './part.ts'
import type { ProcessMark } from './process.ts'

export type StackState = {
  /** Who runs it, unless `kept`. */
  owner?: ProcessMark
  /** It was told to outlive its starter. */
  kept?: boolean
  /** Its parts are containers: forgetting its data means forgetting their volumes. */
  docker?: boolean
  ports: Record<string, number>
  secrets: Record<string, string>
  processes: { [part in Part]?: ProcessMark }
  /** Processes that work with the parts and were kept with them, by name. */
  others?: Record<string, ProcessMark>
  /** What to tell people about it, as environment variables. */
  urls?: Record<string, string>
}

export function stateFile(dir: string): string {
  return join(dir, 'stack.json')
}

export function readState(dir: string): StackState {
  const empty: StackState = { ports: {}, secrets: {}, processes: {} }
  if (!existsSync(stateFile(dir))) return empty
  return { ...empty, ...JSON.parse(readFileSync(stateFile(dir), 'utf8')) }
}

export function writeState(dir: string, state: StackState): void {
  mkdirSync(dir, { recursive: true })
  const fresh = `${stateFile(dir)}.new`
  writeFileSync(fresh, JSON.stringify(state, null, 2), { mode: 0o600 })
  renameSync(fresh, stateFile(dir))
}
