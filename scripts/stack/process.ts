/** Server processes: start one under its guard, wait until it answers, control it, recognise it again later. */
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { guarded } from './guarded.ts'
import type { Control } from './part.ts'
import { StackError } from './part.ts'

export type ServerSpec = {
  readonly part: string
  readonly command: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd: string
  readonly logFile: string
  /** The signal that ends it in an orderly and quick way. */
  readonly stopSignal: NodeJS.Signals
  /** How long it may take until it answers; 60 unless said otherwise. */
  readonly startSeconds?: number
  /** Rejects while it does not answer yet. */
  readonly probe: () => Promise<unknown>
  /** What a person can do when it does not start. */
  readonly todo: string
}

/** A process id alone is no identity: ids are used again. */
export type ProcessMark = { readonly pid: number; readonly started: string }

export type Ownership = {
  /** It runs already, started by another process that meant it to stay. */
  readonly adopted: ProcessMark | undefined
  /** Told as soon as there is a process, long before it answers. */
  readonly launched: (mark: ProcessMark) => void
}

export type Server = Control & {
  readonly mark: ProcessMark | undefined
  start(): Promise<void>
  /** From now on it outlives this process. */
  keep(): void
}

const startSeconds = 60
const probeDeadlineMs = 5000
const stopDeadlineMs = 15_000

/** When the process began, as the system tells it; undefined if there is none (a zombie counts as none). */
export function startedAt(pid: number): string | undefined {
  try {
    if (existsSync('/proc/self/stat')) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
  } catch {
    return undefined
  }
}

export function isAlive(mark: ProcessMark | undefined): mark is ProcessMark {
  return mark !== undefined && startedAt(mark.pid) === mark.started
}

/** Resolves true when the process is gone, false after `ms`. */
export async function gone(mark: ProcessMark, ms: number): Promise<boolean> {
  for (const until = Date.now() + ms; isAlive(mark); await pause(20)) if (Date.now() > until) return false
  return true
}

/** Ends a process in an orderly way, and by force if it does not go. */
export async function end(mark: ProcessMark | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!isAlive(mark)) return
  send(mark, 'SIGCONT')
  send(mark, signal)
  if (await gone(mark, stopDeadlineMs)) return
  send(mark, 'SIGKILL')
  await gone(mark, stopDeadlineMs)
}

function send(mark: ProcessMark, signal: NodeJS.Signals): void {
  try {
    process.kill(mark.pid, signal)
  } catch {
    // It went in between, which is what most callers want.
  }
}

export function logTail(logFile: string, lines = 15): string {
  const text = existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''
  return text.trimEnd().split('\n').slice(-lines).join('\n')
}

/** Also keeps the event loop alive: a probe that never settles must not end the starter in silence. */
async function inTime(probe: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  const late = pause(probeDeadlineMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no answer in ${probeDeadlineMs} ms`)
  })
  try {
    await Promise.race([probe, late])
  } finally {
    late.catch(() => {})
    timer.abort()
  }
}

const deadly: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT']

export function server(spec: ServerSpec, own: Ownership): Server {
  let mark: ProcessMark | undefined = own.adopted
  let keep = () => {}
  /** Resolves when our child is reaped; until somebody asks, it does not keep this process alive. */
  let reaped: () => Promise<unknown> = async () => undefined

  function launch(): void {
    const log = openSync(spec.logFile, 'a')
    const [command, ...args] = spec.command
    const stdio = ['ignore', log, log] as const
    const { child, unref, release } = guarded(command, args, {
      cwd: spec.cwd,
      env: spec.env,
      stdio,
      signal: spec.stopSignal,
    })
    closeSync(log)
    if (child.pid === undefined) throw new StackError(spec.part, `${command} did not start`, spec.todo)
    unref()
    keep = release
    mark = { pid: child.pid, started: startedAt(child.pid) ?? '' }
    own.launched(mark)
    const exit = new Promise((resolve) => child.once('exit', resolve))
    reaped = () => {
      child.ref()
      return exit
    }
  }

  async function answers(): Promise<void> {
    let why: unknown
    const seconds = spec.startSeconds ?? startSeconds
    for (const until = Date.now() + seconds * 1000; Date.now() < until; await pause(30)) {
      if (!isAlive(mark)) throw new StackError(spec.part, `it ended at once\n${quoted()}`, spec.todo)
      try {
        await inTime(spec.probe())
        if (isAlive(mark)) return // else it was somebody else who answered
      } catch (error) {
        why = error
      }
    }
    await stop()
    throw new StackError(spec.part, `no answer in ${seconds} s (${why})\n${quoted()}`, spec.todo)
  }

  function quoted(): string {
    return `  The end of ${spec.logFile}:\n${logTail(spec.logFile).replace(/^/gm, '    | ')}`
  }

  async function start(): Promise<void> {
    if (!isAlive(mark)) launch()
    await answers()
  }

  async function stop(): Promise<void> {
    if (mark === undefined) return
    await end(mark, spec.stopSignal)
    await reaped()
    mark = undefined
  }

  return {
    origin: 'packages',
    logFile: spec.logFile,
    get pid() {
      return isAlive(mark) ? mark.pid : undefined
    },
    get mark() {
      return mark
    },
    start,
    stop,
    async kill(signal) {
      if (!isAlive(mark)) return
      send(mark, signal)
      if (deadly.includes(signal)) {
        await gone(mark, stopDeadlineMs)
        await reaped()
      }
    },
    async restart() {
      await stop()
      await start()
    },
    keep: () => keep(),
  }
}
