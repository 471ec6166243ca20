/** `muster serve` as a process of its own, under the engine's database role. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkout } from '../stack/download.ts'
import { guarded } from '../stack/guarded.ts'
import { end, type ProcessMark, startedAt } from '../stack/process.ts'
import { eventually, isSo, NotSo, notYet } from './eventually.ts'

export const bank = join(checkout, 'examples', 'bank')
const muster = join(checkout, 'bin', 'muster')

export type EngineProcess = {
  readonly mark: ProcessMark
  readonly logFile: string
  /** Never resolves; rejects when the engine ends although nobody ended it. */
  readonly died: Promise<never>
  readonly stop: () => Promise<void>
  /** It outlives us from now on. */
  readonly keep: () => void
}

/** `env` names the configuration directory: MUSTER_CONFIG. */
export const startEngine = async (env: Readonly<Record<string, string>>, logFile: string): Promise<EngineProcess> => {
  mkdirSync(dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'w', 0o600)
  const { child, unref, release } = guarded('/bin/sh', [muster, 'serve'], {
    cwd: checkout,
    env,
    stdio: ['ignore', log, log],
    signal: 'SIGTERM',
  })
  closeSync(log)
  unref()
  if (child.pid === undefined) throw new Error('the engine did not start')
  let stopping = false
  const died = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => {
      if (!stopping)
        reject(
          new NotSo(
            `the engine ended (${signal ?? code}); the end of ${logFile}:\n${readFileSync(logFile, 'utf8').slice(-2000)}`,
          ),
        )
    })
  })
  died.catch(() => {}) // told where the story is told
  const mark = { pid: child.pid, started: startedAt(child.pid) ?? '' }
  const ready = eventually(60, async () =>
    /"msg":"ready"/.test(readFileSync(logFile, 'utf8')) ? isSo(true) : notYet(`no "ready" in ${logFile}`),
  )
  await Promise.race([ready, died])
  const stop = () => {
    stopping = true
    return end(mark, 'SIGTERM')
  }
  return { mark, logFile, died, keep: release, stop }
}

/** Any other command of muster, as a person would type it; its answer on stdout. Colours only when asked for. */
export const musterCommand = async (
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> => {
  const { code, out, err } = await musterAnswer(words, env)
  if (code !== 0) throw new NotSo(`muster ${words.join(' ')}: exit ${code}\n${err}${out}`)
  return out.trimEnd().split('\n')
}

/** The same for a command that may rightly say no. */
export const musterAnswer = (
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', [muster, ...words], {
      cwd: checkout,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
