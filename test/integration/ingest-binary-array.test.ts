import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { byteaArray, float8Array, int4Array, int8Array, textArray } from '../../src/store/binary-array.ts'
import { type FreshDatabase, freshDatabase } from '../support/stack.ts'

let database: FreshDatabase
let client: pg.Client
beforeAll(async () => {
  database = await freshDatabase()
  client = new pg.Client({ connectionString: database.adminUrl })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

test('PostgreSQL reads what was meant', async () => {
  const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed() && !value.includes('\0'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.integer())),
      fc.array(fc.option(fc.maxSafeInteger())),
      fc.array(fc.option(fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(Infinity, -Infinity)))),
      fc.array(fc.option(text)),
      fc.array(fc.option(fc.uint8Array())),
      async (ints, longs, doubles, texts, bytes) => {
        const { rows } = await client.query(
          `select $1::int[] as ints, $2::bigint[]::text[] as longs, $3::float8[] as doubles, $4::text[] as texts, $5::bytea[] as bytes`,
          [int4Array(ints), int8Array(longs), float8Array(doubles), textArray(texts), byteaArray(bytes)],
        )
        expect(rows[0]).toEqual({
          ints,
          longs: longs.map((value) => (value === null ? null : String(value))),
          doubles: doubles.map((value) => (value === 0 ? expect.closeTo(0) : value)),
          texts,
          bytes: bytes.map((value) => (value === null ? null : Buffer.from(value))),
        })
      },
    ),
    { numRuns: 150 },
  )
})
