/** ldapsearch as a person would call it, on any directory. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type LdifEntry, ldifEntries } from '../../stack/ldif.ts'
import { ldapsearch } from '../../stack/slapd.ts'

const run = promisify(execFile)

export type Door = {
  readonly url: string
  readonly caFile: string
  readonly name: string
  readonly password: string
  /** For the password's file, which only we may read. */
  readonly dir: string
}

export type Search = (base: string, filter: string, ...attributes: string[]) => Promise<readonly LdifEntry[]>

export const openSearch = async ({ url, caFile, name, password, dir }: Door): Promise<Search> => {
  const tool = await ldapsearch()
  const passwordFile = join(dir, 'witness.password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  const fixed = ['-x', '-LLL', '-o', 'ldif-wrap=no', '-H', url, '-D', name, '-y', passwordFile]
  const env = { ...process.env, ...tool.env, LDAPTLS_CACERT: caFile }
  return async (base, filter, ...attributes) =>
    ldifEntries((await run(tool.command, [...fixed, '-b', base, filter, ...attributes], { env })).stdout)
}
