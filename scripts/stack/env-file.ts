import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `. FILE` exports in a shell; answers the file. Only its owner may read it: there are passwords in it. */
export function writeEnvFile(dir: string, env: Readonly<Record<string, string>>): string {
  const file = join(dir, 'env')
  const lines = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}\n`)
  writeFileSync(file, lines.join(''), { mode: 0o600 })
  return file
}

/** One word of a shell, whatever is in it. */
export const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`
