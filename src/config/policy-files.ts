import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { PolicyFile } from '../policies/yaml-file.ts'

/** policies/**\/*.yaml below `directory`, sorted; paths as people see them: relative to it. Throws when it cannot be read. */
export const readPolicyFiles = (directory: string): readonly PolicyFile[] => {
  const top = join(directory, 'policies')
  return readdirSync(top, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: relative(directory, path), text: readFileSync(path, 'utf8') }))
}
