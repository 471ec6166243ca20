import { readFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPrisma, type Prisma } from '../../src/store/prisma.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Column, type PrismaTables, readPrismaSchema } from '../support/prisma-schema.ts'

let house: House
let prisma: Prisma
beforeAll(async () => {
  house = await openHouse()
  prisma = openPrisma(house.database.engineUrl, 'test-prisma')
})
afterAll(async () => {
  await prisma.$disconnect()
  await house.close()
})

const inDatabase = async (url: string): Promise<PrismaTables> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const columns = await client.query<{ table: string; column: string; type: string; nullable: boolean }>(
      `select n.nspname || '.' || c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable
       from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
       where n.nspname in ('muster', 'audit') and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
       order by 1, a.attnum`,
    )
    const labels = await client.query<{ enum: string; labels: string[] }>(
      `select n.nspname || '.' || t.typname as enum, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
       from pg_type t join pg_namespace n on n.oid = t.typnamespace join pg_enum e on e.enumtypid = t.oid
       where n.nspname in ('muster', 'audit') group by 1`,
    )
    const tables = new Map<string, Map<string, Column>>()
    for (const { table, column, type, nullable } of columns.rows) {
      const known = tables.get(table) ?? new Map<string, Column>()
      known.set(column, { type, nullable: type.endsWith('[]') ? 'either' : nullable })
      tables.set(table, known)
    }
    return { tables, enums: new Map(labels.rows.map((row) => [row.enum, row.labels])) }
  } finally {
    await client.end()
  }
}

test("Prisma's schema and the migrated database agree on every table, column, type and enum", async () => {
  const written = readPrismaSchema(readFileSync(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8'))
  const actual = await inDatabase(house.database.adminUrl)
  const plain = ({ tables, enums }: PrismaTables) => ({
    tables: Object.fromEntries([...tables].map(([name, columns]) => [name, Object.fromEntries(columns)])),
    enums: Object.fromEntries(enums),
  })
  expect(plain(written)).toEqual(plain(actual))
})

test("Prisma reads what the engine wrote, as the engine's role, beside our own parsers of ids and moments", async () => {
  const before = await house.now()
  await house.tell({
    person: 'P-1',
    effectiveAt: before - 1000,
    attributes: { jobCode: 'RM', department: 'LENDING', country: 'IN' },
  })
  await house.quiesce()
  const identity = await prisma.identity.findUniqueOrThrow({ where: { personKey: 'P-1' } })
  expect(identity).toMatchObject({ lifecycle: 'active', eventsSeen: 1, lane: 'bulk' })
  expect(typeof identity.id).toBe('bigint')
  expect(identity.evaluatedAt?.getTime()).toBeGreaterThanOrEqual(before)
  const actions = await prisma.action.findMany({ where: { identityId: identity.id } })
  expect(actions.map(({ kind }) => kind)).toContain('grant')
  expect(actions.every(({ state }) => state === 'done')).toBe(true)
  expect(await prisma.grant.count({ where: { goneVerifiedAt: null } })).toBeGreaterThanOrEqual(2)
  expect(await prisma.desired.count({ where: { identityId: identity.id, recordedTo: { gt: new Date() } } })).toBe(1)
  expect((await prisma.inbox.findFirstOrThrow({ where: { identityId: identity.id } })).offset).toBe(0n)
  await Promise.all([
    prisma.account.findMany(),
    prisma.dispatch.findMany(),
    prisma.hold.findMany(),
    prisma.finding.findMany(),
  ])
  await Promise.all([
    prisma.target.findMany(),
    prisma.stream.findMany(),
    prisma.policyVersion.findMany(),
    prisma.entitlement.findMany(),
  ])
})
