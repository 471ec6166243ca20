/** `muster serve` on a ground, as a process of its own: all roles, both lanes, the engine's own database role. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { checkout } from '../../scripts/stack/download.ts'
import { processorSeconds, residentMemory } from '../measure/processor-time.ts'
import type { Ground } from './ground.ts'

export type Serve = {
  readonly pid: number
  readonly processor: () => number
  readonly memory: () => ReturnType<typeof residentMemory>
  /** Lines of its log at warning or above; a run with some is looked at twice. */
  readonly complaints: readonly string[]
  /** Asks the probe of every thread (see probe.ts) for what it counted since the last time. */
  readonly probe: () => Promise<unknown>
  /** SIGTERM: profiles are written, database backends hand in their counts. */
  readonly stop: () => Promise<void>
  /** Everything was checked and nothing more is wanted of it. */
  readonly kill: () => Promise<void>
}

export type ServeOptions = {
  readonly roles?: string
  /** Loads probe.ts into every thread: for counting runs, never for timed ones. */
  readonly probe?: boolean
  /** Where to leave a processor profile of every thread. */
  readonly profileTo?: string
}

const startWithinMs = 30_000
const probeWithinMs = 10_000
const stopWithinMs = 30_000

export const startServe = async (ground: Ground, options: ServeOptions = {}): Promise<Serve> => {
  const nodeOptions = [
    ...(options.probe ? ['--import', join(checkout, 'bench/measure/probe.ts')] : []),
    ...(options.profileTo ? ['--cpu-prof', `--cpu-prof-dir=${options.profileTo}`] : []),
  ]
  // The command that people use, with whatever it gives to Node. The shells on the way become the engine.
  const args = ['serve', '--config', ground.configDirectory, ...(options.roles ? ['--roles', options.roles] : [])]
  const child = spawn(join(checkout, 'bin/muster'), args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH, NODE_OPTIONS: nodeOptions.join(' '), ...ground.env },
  })
  const guard = () => child.kill('SIGKILL')
  process.once('exit', guard)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  void ended.then(() => process.off('exit', guard))

  const lines: string[] = []
  const complaints: string[] = []
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr as NonNullable<typeof child.stderr> }).on('line', (line) => {
      if (lines.push(line) > 50) lines.shift()
      if (/"level":(40|50|60)/.test(line) && complaints.length < 20) complaints.push(line)
      if (line.includes('"msg":"ready"')) resolve()
    })
    void ended.then(() => reject(new Error(`muster serve ended:\n${lines.join('\n')}`)))
  })
  try {
    await within(startWithinMs, ready, () => `muster serve did not start:\n${lines.join('\n')}`)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  const pid = child.pid as number
  return {
    pid,
    complaints,
    processor: () => processorSeconds(pid),
    memory: () => residentMemory(pid),
    probe: () => within(probeWithinMs, answerOf(child, 'report'), () => 'the probe does not answer'),
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    stop: async () => {
      child.kill('SIGTERM')
      await within(stopWithinMs, ended, () => 'muster serve does not stop').catch((error: unknown) => {
        child.kill('SIGKILL')
        throw error
      })
    },
  }
}

const answerOf = (child: ChildProcess, question: string): Promise<unknown> =>
  new Promise((resolve) => {
    child.once('message', resolve)
    child.send(question)
  })

export const within = async <T>(ms: number, work: Promise<T>, why: () => string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${why()} (within ${ms} ms)`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
