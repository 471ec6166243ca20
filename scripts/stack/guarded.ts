/** Starts a process that cannot outlive us. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Writable } from 'node:stream'

export type Guarded = {
  readonly child: ChildProcess
  /** It no longer keeps our event loop alive. */
  unref(): void
  /** Lets it outlive us from now on. */
  release(): void
}

export type GuardedOptions = {
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly stdio: readonly ('ignore' | 'pipe' | number)[]
  /** How the guard ends it when we are gone. */
  readonly signal: NodeJS.Signals
}

/** See guard.sh. It leads a process group of its own: Ctrl-C on the terminal is for us, and we or the guard end it. */
export function guarded(command: string, args: readonly string[], options: GuardedOptions): Guarded {
  const guard = [join(import.meta.dirname, 'guard.sh'), options.signal.slice('SIG'.length), command, ...args]
  const child = spawn('/bin/sh', guard, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: [...options.stdio, 'pipe'],
  })
  const leash = child.stdio[3] as (Writable & { unref?(): void }) | null | undefined
  leash?.on('error', () => {}) // the guard went first
  child.once('exit', () => leash?.end('ended\n'))
  const unref = () => {
    child.unref()
    leash?.unref?.()
  }
  return { child, unref, release: () => leash?.write('keep\n') }
}
