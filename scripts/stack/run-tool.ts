/** Runs a command to its end, which comes at once when we are gone. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { guarded } from './guarded.ts'

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly cwd?: string
}

/** Its standard output. Throws with the end of what it said unless it exits 0. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const stdio = ['pipe', 'pipe', 'pipe'] as const
    const { child } = guarded(command, args, { cwd: options.cwd, env: options.env, stdio, signal: 'SIGKILL' })
    const { stdin, stdout, stderr } = child
    if (stdin === null || stdout === null || stderr === null) return reject(new Error(`${command} did not start`))
    let out = ''
    let said = ''
    stdout.on('data', (chunk) => {
      out += chunk
      said += chunk
    })
    stderr.on('data', (chunk) => {
      said += chunk
    })
    child.once('error', (error) => reject(new Error(`${command}: ${error.message}`)))
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(out)
      const end = said.trimEnd().split('\n').slice(-15).join('\n    | ')
      reject(new Error(`${command} ended with ${signal ?? code}\n    | ${end}`))
    })
    stdin.on('error', () => {})
    stdin.end(options.input ?? '')
  })
}

/** The path of a program on PATH, or in the places where Debian keeps servers. */
export function findProgram(name: string): string | undefined {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/libexec']
  return places.map((place) => join(place, name)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
