/** Whoever knows one connector finds their way in the others: the same files, which the page on adding one names. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkout } from './tool.ts'

const connectors = join(checkout, 'src/connectors')
const folders = readdirSync(connectors, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []))
const wires = folders.filter((name) => name.endsWith('-wire'))
const types = folders.filter((name) => !name.endsWith('-wire'))
const inEach = [
  ...['access', 'apply', 'check', 'config', 'connector', 'ensure-accounts', 'list-accounts', 'manifest', 'members'],
  'observe',
].map((name) => `${name}.ts`)
/** A table of answers belongs to a protocol: with the connector, or in the wire that it speaks through. */
const answers = 'errors.ts'

test('there are connectors, each with a line in the one place that knows them', () => {
  const made = readFileSync(join(checkout, 'src/app/targets.ts'), 'utf8').matchAll(
    /import\('\.\.\/connectors\/([\w-]+)\//g,
  )
  expect([...made].map(([, type]) => type).sort()).toEqual([...types].sort())
  expect(types.length).toBeGreaterThan(4)
  const told = /kafka for sources; (.+) for targets/.exec(
    readFileSync(join(checkout, 'src/config/file-problems.ts'), 'utf8'),
  )?.[1]
  expect(told?.split(/, | or /).sort()).toEqual([...types].sort())
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
