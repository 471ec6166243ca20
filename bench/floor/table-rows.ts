/** The rows that a run left in all of Muster's tables, as COPY text, and the same rows copied into other tables. */
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'

/** `columns`: what COPY writes; what PostgreSQL generates by itself is not among them. */
export type TableRows = {
  readonly table: string
  readonly columns: string
  readonly rows: number
  readonly bytes: Buffer
}

/** Final rows of every table of Muster's that a transaction committed since then (ms since 1970) has written. */
export const rowsSince = async (client: pg.PoolClient, since: number): Promise<readonly TableRows[]> => {
  const { rows: tables } = await client.query<{ name: string; columns: string }>(
    `select c.oid::regclass::text as name, (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('muster', 'audit') and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  )
  const found: TableRows[] = []
  for (const { name, columns } of tables) {
    const chunks: Buffer[] = []
    const stream = client.query(
      copyTo(
        `copy (select ${columns} from ${name} where pg_xact_commit_timestamp(xmin) >= to_timestamp(${since / 1000})) to stdout`,
      ),
    )
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    await finished(stream)
    const bytes = Buffer.concat(chunks)
    // COPY's text format escapes line ends inside values.
    if (bytes.length > 0)
      found.push({ table: name, columns, rows: bytes.reduce((n, byte) => n + (byte === 10 ? 1 : 0), 0), bytes })
  }
  return found
}

/** One connection, one transaction, table after table; resolves when committed. */
export const copyRows = async (client: pg.ClientBase, tables: readonly TableRows[]): Promise<void> => {
  await client.query('begin')
  for (const { table, columns, bytes } of tables)
    await pipeline(Readable.from(piecesOf(bytes)), client.query(copyFrom(`copy ${table} (${columns}) from stdin`)))
  await client.query('commit')
}

const pieceBytes = 64 * 1024

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
