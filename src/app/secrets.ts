import { resolveReference } from '../config/secret-reference.ts'
import type { ConnectorTools } from '../connectors/connector.ts'

/** Reads a secret's file again each time; `files`: member of the connector's settings → absolute path. */
export const secretsIn =
  (files: Readonly<Record<string, string>>): NonNullable<ConnectorTools['secret']> =>
  async (member) => {
    const file = files[member]
    if (file === undefined) return null
    const read = resolveReference(`file:${file}`, {}, '/')
    if (!read.ok) throw new Error(read.message)
    return read.value
  }
