/** The table of what every connector survives names only what is there, and leaves nothing out. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectorTypes } from '../../../src/connectors/registry.ts'
import { checkout } from './tool.ts'

const contracts = join(checkout, 'test/contracts')
const text = readFileSync(join(contracts, 'README.md'), 'utf8')
const rows = [...text.matchAll(/^\| (.+) \|$/gm)].map(([, row]) => (row ?? '').split(' | '))
const [head, ...troubles] = rows
/** Key → what its line says. */
const lines = new Map([...text.matchAll(/^- ([A-Z]\d+) (.+)$/gm)].map(([, key, says]) => [key ?? '', says ?? '']))
const cited = [...text.matchAll(/`([\w/-]+(?:\.test)?\.ts): ([^`]+)`/g)].map(([, file = '', name = '']) => ({
  file: join(file.startsWith('test/') ? checkout : contracts, file),
  name,
}))

test('every trouble is answered for every connector', () => {
  expect(head).toEqual(['trouble', ...connectorTypes.map(({ type }) => type)])
  expect(troubles.length).toBeGreaterThan(12)
  for (const row of troubles) {
    expect(row).toHaveLength(head?.length ?? 0)
    for (const cell of row.slice(1)) expect(cell, row[0]).toMatch(/^[A-Z]\d+( [A-Z]\d+)*$/)
  }
})

test('every key has a line, and every line a use', () => {
  const used = new Set(troubles.flatMap((row) => row.slice(1).flatMap((cell) => cell.split(' '))))
  expect([...used].sort()).toEqual([...lines.keys()].sort())
  for (const [key, says] of lines) if (!key.startsWith('N')) expect(says, key).toMatch(/^`[^`]+: [^`]+`/)
})

test('every test that is named is there', () => {
  expect(cited.length).toBeGreaterThan(40)
  const missing = cited.filter(({ file, name }) => !existsSync(file) || !hasTest(readFileSync(file, 'utf8'), name))
  expect(missing).toEqual([])
})

/** Its name begins so: right after the quotation mark. */
const hasTest = (source: string, name: string): boolean => ["'", '"'].some((mark) => source.includes(`${mark}${name}`))
