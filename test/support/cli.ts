/** A command line as a person would type it, run in this process. */
import { run } from '../../src/cli/main.ts'
import type { ConfigDirectory } from './config-directory.ts'

export type Said = { readonly exit: number; readonly out: string; readonly err: string; readonly json: () => unknown }

export const muster = async (
  files: Pick<ConfigDirectory, 'directory' | 'env'>,
  ...words: readonly string[]
): Promise<Said> => {
  let out = ''
  let err = ''
  const terminal = {
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    outColour: false,
    errColour: false,
    watched: false,
  }
  const exit = await run(words, { MUSTER_CONFIG: files.directory, ...files.env }, terminal)
  return { exit, out, err, json: () => JSON.parse(out) }
}
