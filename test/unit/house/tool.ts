/** Runs one of the checkout's command-line tools, as `npm run check` does. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'

export const checkout = join(import.meta.dirname, '..', '..', '..')

export type Said = { readonly code: number; readonly stdout: string; readonly stderr: string }

export function tool(cwd: string, name: string, ...args: string[]): Promise<Said> {
  const bin = join(checkout, 'node_modules', '.bin')
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` }
  return new Promise((resolve) => {
    execFile(join(bin, name), args, { cwd, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
    })
  })
}
