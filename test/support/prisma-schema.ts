/** What prisma/schema.prisma says of tables, columns and enums, in PostgreSQL's own words. */
export type Column = { readonly type: string; readonly nullable: boolean | 'either' }
export type PrismaTables = {
  /** schema.table → column → what it is. */
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, Column>>
  /** schema.enum → labels in order. */
  readonly enums: ReadonlyMap<string, readonly string[]>
}

const scalars: Readonly<Record<string, string>> = {
  String: 'text',
  Int: 'integer',
  BigInt: 'bigint',
  Float: 'double precision',
  Boolean: 'boolean',
  DateTime: 'timestamp(3) without time zone',
  Json: 'jsonb',
  Bytes: 'bytea',
}
const natives: Readonly<Record<string, string>> = {
  '@db.Uuid': 'uuid',
  '@db.Json': 'json',
  '@db.SmallInt': 'smallint',
  '@db.Timestamptz(6)': 'timestamp with time zone',
}

export const readPrismaSchema = (text: string): PrismaTables => {
  const blocks = [...text.matchAll(/^(model|enum) (\w+) \{\n([\s\S]*?)^\}/gm)].map(
    ([, kind = '', name = '', body = '']) => {
      const mapped = /@@map\("([^"]+)"\)/.exec(body)?.[1] ?? name
      const schema = /@@schema\("([^"]+)"\)/.exec(body)?.[1] ?? 'public'
      const lines = body.split('\n').map((line) => line.replace(/\/\/.*$/, '').trim())
      return {
        kind,
        name,
        qualified: `${schema}.${mapped}`,
        lines: lines.filter((line) => line !== '' && !line.startsWith('@@')),
      }
    },
  )
  const enums = new Map(blocks.filter(({ kind }) => kind === 'enum').map(({ qualified, lines }) => [qualified, lines]))
  const enumOf = new Map(blocks.filter(({ kind }) => kind === 'enum').map(({ name, qualified }) => [name, qualified]))
  const models = blocks.filter(({ kind }) => kind === 'model')
  const modelNames = new Set(models.map(({ name }) => name))
  const column = (line: string): readonly (readonly [string, Column])[] => {
    const found = /^(\w+)\s+(Unsupported\("([^"]+)"\)|\w+)(\[\])?(\?)?\s*(.*)$/.exec(line)
    if (found === null) throw new Error(`not understood: ${line}`)
    const [, field = '', written = '', unsupported, list, optional, attributes = ''] = found
    if (modelNames.has(written)) return []
    const native = Object.entries(natives).find(([attribute]) => attributes.includes(attribute))?.[1]
    const base = unsupported ?? native ?? scalars[written] ?? enumOf.get(written)
    if (base === undefined) throw new Error(`unknown type ${written} in: ${line}`)
    const name = /@map\("([^"]+)"\)/.exec(attributes)?.[1] ?? field
    // A list is never optional in Prisma's language; an absent one reads as empty.
    return [[name, { type: `${base}${list ?? ''}`, nullable: list === undefined ? optional !== undefined : 'either' }]]
  }
  return { enums, tables: new Map(models.map(({ qualified, lines }) => [qualified, new Map(lines.flatMap(column))])) }
}
