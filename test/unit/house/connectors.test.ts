/** Whoever knows one connector finds their way in the others: the same files, which the page on adding one names. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectorTypes } from '../../../src/connectors/registry.ts'
import { checkout } from './tool.ts'

const connectors = join(checkout, 'src/connectors')
const folders = readdirSync(connectors, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []))
const wires = folders.filter((name) => name.endsWith('-wire'))
const types = folders.filter((name) => !name.endsWith('-wire'))
const inEach = [
  ...['access', 'apply', 'check', 'config', 'connector', 'ensure-accounts', 'list-accounts', 'manifest', 'members'],
  ...['observe', 'type'],
].map((name) => `${name}.ts`)
/** A table of answers belongs to a protocol: with the connector, or in the wire that it speaks through. */
const answers = 'errors.ts'

test('every folder is a line of the registry, under its own name', () => {
  expect(connectorTypes.map(({ type }) => type).sort()).toEqual([...types].sort())
  expect(types.length).toBeGreaterThan(4)
  for (const type of types)
    expect(readFileSync(join(connectors, type, 'type.ts'), 'utf8'), type).toContain(`\n  type: '${type}',\n`)
})

test.each(connectorTypes)(
  '$type: who is somebody there says what helps where that is not told',
  ({ type, ownRemedy }) => {
    expect(ownRemedy !== null).toBe(existsSync(join(connectors, type, 'own.ts')))
  },
)

test.each(types)('%s has its run of the contract suite, its page and its line there', (type) => {
  const text = (file: string) => readFileSync(join(checkout, file), 'utf8')
  expect(text(`test/contracts/${type}-contract.test.ts`)).toMatch(/^connectorContract\(/m)
  expect(existsSync(join(checkout, `docs/connectors/${type}.md`))).toBe(true)
  expect(text('docs/connectors/README.md')).toMatch(new RegExp(`^\\| \`${type}\` \\|.*\\[${type}\\.md\\]`, 'm'))
})

test.each(types)('%s has the files that every connector has', (type) => {
  const folder = join(connectors, type)
  expect(inEach.filter((file) => !existsSync(join(folder, file)))).toEqual([])
  const spoken = wires.filter((wire) =>
    readdirSync(folder).some((file) => readFileSync(join(folder, file), 'utf8').includes(`from '../${wire}/`)),
  )
  const homes = [type, ...spoken].filter((home) => existsSync(join(connectors, home, answers)))
  expect(homes, `${answers} of ${type}`).not.toEqual([])
})

test('the page on adding one names just these', () => {
  const page = readFileSync(join(checkout, 'docs/connectors/README.md'), 'utf8')
  const [, list = ''] = /files that every one has: ([^;]+);/.exec(page) ?? []
  expect([...list.matchAll(/`([\w-]+\.ts)`/g)].map(([, name]) => name).sort()).toEqual([...inEach].sort())
})
