/** The lint for directions bites: one violation is planted for each rule, in a tree of its own, and must be found. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkout, tool } from './tool.ts'

type Cruise = {
  readonly modules: readonly {
    readonly source: string
    readonly dependencies: readonly {
      readonly resolved: string
      readonly dynamic: boolean
      readonly dependencyTypes: readonly string[]
    }[]
  }[]
  readonly summary: {
    readonly violations: readonly {
      readonly from: string
      readonly to: string
      readonly rule: { readonly name: string }
    }[]
  }
}

/** rule → [file, its text]. Type-only imports count as much as others. */
const plants: Readonly<Record<string, readonly [string, string]>> = {
  'domain-imports': [
    'src/domain/bad.ts',
    `import type { Row } from '../store/generated/client.ts'\nexport type Bad = Row\n`,
  ],
  'policies-imports': ['src/policies/bad.ts', `import { plan } from '../planning/plan.ts'\nexport const bad = plan\n`],
  'planning-imports': [
    'src/planning/bad.ts',
    `import type { Engine } from '../engine/engine.ts'\nexport type Bad = Engine\n`,
  ],
  'audit-imports': ['src/audit/bad.ts', `import { rows } from '../store/rows.ts'\nexport const bad = rows\n`],
  'store-imports': ['src/store/bad.ts', `import { leaf } from '../audit/leaf.ts'\nexport const bad = leaf\n`],
  'connectors-imports': [
    'src/connectors/ldap/bad.ts',
    `import { rows } from '../../store/rows.ts'\nexport const bad = rows\n`,
  ],
  'engine-imports': [
    'src/engine/bad.ts',
    `import { consume } from '../consumers/consume.ts'\nexport const bad = consume\n`,
  ],
  'consumers-imports': ['src/consumers/bad.ts', `import { work } from '../workers/work.ts'\nexport const bad = work\n`],
  'workers-imports': [
    'src/workers/bad.ts',
    `import { bind } from '../connectors/ldap/bind.ts'\nexport const bad = bind\n`,
  ],
  'api-imports': ['src/api/bad.ts', `import { rows } from '../store/rows.ts'\nexport const bad = rows\n`],
  'web-imports': ['src/web/bad.ts', `import { engine } from '../engine/engine.ts'\nexport const bad = engine\n`],
  'cli-imports': ['src/cli/bad.ts', `import { rows } from '../store/rows.ts'\nexport const bad = rows\n`],
  'config-imports': ['src/config/bad.ts', `import { engine } from '../engine/engine.ts'\nexport const bad = engine\n`],
  'kafkajs-at-home': ['src/engine/bad-kafka.ts', `import { Kafka } from 'kafkajs'\nexport const bad = Kafka\n`],
  'bullmq-at-home': ['src/engine/bad-bullmq.ts', `import type { Queue } from 'bullmq'\nexport type Bad = Queue\n`],
  'ioredis-at-home': ['src/store/bad-redis.ts', `import { Redis } from 'ioredis'\nexport const bad = Redis\n`],
  'pg-at-home': ['src/workers/bad-pg.ts', `import pg from 'pg'\nexport const bad = pg\n`],
  'prisma-at-home': [
    'src/engine/bad-prisma.ts',
    `import { PrismaPg } from '@prisma/adapter-pg'\nexport const bad = PrismaPg\n`,
  ],
  'ldapts-at-home': ['src/connectors/aws/bad-ldap.ts', `import { Client } from 'ldapts'\nexport const bad = Client\n`],
  'graph-at-home': [
    'src/connectors/ldap/bad-graph.ts',
    `import { Client } from '@microsoft/microsoft-graph-client'\nexport const bad = Client\n`,
  ],
  'aws-at-home': [
    'src/engine/bad-aws.ts',
    `import { IdentitystoreClient } from '@aws-sdk/client-identitystore'\nexport const bad = IdentitystoreClient\n`,
  ],
  'core-does-no-io': [
    'src/policies/bad-io.ts',
    `import { readFileSync } from 'node:fs'\nexport const bad = readFileSync\n`,
  ],
  'connectors-are-strangers': [
    'src/connectors/aws/bad.ts',
    `import { bind } from '../ldap/bind.ts'\nexport const bad = bind\n`,
  ],
  'ldap-wire-is-for-directories': [
    'src/connectors/aws/bad-wire.ts',
    `import { wire } from '../ldap-wire/wire.ts'\nexport const bad = wire\n`,
  ],
  'ldap-wire-knows-no-connector': [
    'src/connectors/ldap-wire/bad.ts',
    `import { bind } from '../ldap/bind.ts'\nexport const bad = bind\n`,
  ],
  'aws-wire-is-for-aws': [
    'src/connectors/ldap/bad-aws-wire.ts',
    `import { sign } from '../aws-wire/sign.ts'\nexport const bad = sign\n`,
  ],
  'aws-wire-knows-no-connector': [
    'src/connectors/aws-wire/bad.ts',
    `import { bind } from '../ldap/bind.ts'\nexport const bad = bind\n`,
  ],
  'connector-contract-knows-no-connector': [
    'src/connectors/bad.ts',
    `import type { bind } from './ldap/bind.ts'\nexport type Bad = typeof bind\n`,
  ],
  'registry-knows-types-only': [
    'src/connectors/registry.ts',
    `import { bind } from './ldap/bind.ts'\nimport { ldapType } from './ldap/type.ts'\nexport const bad = [bind, ldapType]\n`,
  ],
  'types-by-the-registry': [
    'src/app/bad-type.ts',
    `import { ldapType } from '../connectors/ldap/type.ts'\nexport const bad = ldapType\n`,
  ],
  'only-cli-imports-app': ['src/consumers/bad-app.ts', `import { app } from '../app.ts'\nexport const bad = app\n`],
  'connectors-on-demand': [
    'src/app/bad-eager.ts',
    `import { createLdap } from '../connectors/ldap/connector.ts'\nexport const bad = createLdap\n`,
  ],
  'top-files-import-nothing-of-ours': [
    'src/log.ts',
    `import { engine } from './engine/engine.ts'\nexport const bad = engine\n`,
  ],
  'config-starts-nothing': [
    'src/config.ts',
    `import { engine } from './engine/engine.ts'\nexport const bad = engine\n`,
  ],
  'src-never-imports-tests': [
    'src/engine/bad-test.ts',
    `import { aLeaver } from '../../test/support/a-leaver.ts'\nexport const bad = aLeaver\n`,
  ],
  'simulators-know-nothing-of-ours': [
    'simulators/graph/bad.ts',
    `import { engine } from '../../src/engine/engine.ts'\nexport const bad = engine\n`,
  ],
  'no-cycles': ['src/engine/cycle.ts', `import type { Other } from './cycle-back.ts'\nexport type Bad = Other\n`],
  'not-resolvable': ['src/engine/bad-path.ts', `import { nothing } from './nowhere.ts'\nexport const bad = nothing\n`],
}

/** What the plants import, and neighbours that may import what they import. */
const innocent: Readonly<Record<string, string>> = {
  'src/domain/words.ts': `export const words = 1\n`,
  'src/store/generated/client.ts': `export type Row = { id: string }\n`,
  'src/store/rows.ts': `import pg from 'pg'\nimport { PrismaPg } from '@prisma/adapter-pg'\nimport { words } from '../domain/words.ts'\nexport const rows = [pg, PrismaPg, words]\n`,
  'src/audit/leaf.ts': `import { createHash } from 'node:crypto'\nimport { words } from '../domain/words.ts'\nexport const leaf = [createHash, words]\n`,
  'src/policies/rules.ts': `import { words } from '../domain/words.ts'\nexport const rules = words\n`,
  'src/planning/plan.ts': `import { words } from '../domain/words.ts'\nexport const plan = words\n`,
  'src/engine/engine.ts': `import { leaf } from '../audit/leaf.ts'\nimport { plan } from '../planning/plan.ts'\nimport { rules } from '../policies/rules.ts'\nimport { rows } from '../store/rows.ts'\nimport type { Connector } from '../connectors/connector.ts'\nexport type Engine = Connector\nexport const engine = [leaf, plan, rules, rows]\n`,
  'src/engine/cycle-back.ts': `import type { Bad } from './cycle.ts'\nexport type Other = Bad\n`,
  'src/connectors/connector.ts': `import { words } from '../domain/words.ts'\nexport type Connector = typeof words\n`,
  'src/connectors/ldap/bind.ts': `import { Client } from 'ldapts'\nimport type { Connector } from '../connector.ts'\nimport { wire } from '../ldap-wire/wire.ts'\nexport type Bind = Connector\nexport const bind = [Client, wire]\n`,
  'src/connectors/ldap/connector.ts': `import { bind } from './bind.ts'\nexport const createLdap = bind\n`,
  'src/connectors/ldap/type.ts': `export const ldapType = async () => (await import('./connector.ts')).createLdap\n`,
  'src/connectors/ldap-wire/wire.ts': `import { Client } from 'ldapts'\nexport const wire = Client\n`,
  'src/connectors/aws-wire/sign.ts': `import { STSClient } from '@aws-sdk/client-sts'\nexport const sign = STSClient\n`,
  'src/connectors/aws/users.ts': `import { sign } from '../aws-wire/sign.ts'\nexport const users = sign\n`,
  'src/connectors/aws-iam/roles.ts': `import { IAMClient } from '@aws-sdk/client-iam'\nimport { sign } from '../aws-wire/sign.ts'\nexport const roles = [IAMClient, sign]\n`,
  'src/connectors/ad/bind.ts': `import { wire } from '../ldap-wire/wire.ts'\nexport const bind = wire\n`,
  'src/consumers/consume.ts': `import { Kafka } from 'kafkajs'\nimport { engine } from '../engine/engine.ts'\nexport const consume = [Kafka, engine]\n`,
  'src/workers/work.ts': `import { Queue } from 'bullmq'\nimport { Redis } from 'ioredis'\nimport { engine } from '../engine/engine.ts'\nexport const work = [Queue, Redis, engine]\n`,
  'src/app.ts': `import { bind } from './connectors/ldap/bind.ts'\nimport { work } from './workers/work.ts'\nexport const app = [bind, work]\n`,
  'src/cli/main.ts': `import { app } from '../app.ts'\nexport const main = app\n`,
  'test/support/a-leaver.ts': `export const aLeaver = 1\n`,
}

const tree = mkdtempSync(join(tmpdir(), 'muster-directions-'))
let planted: Cruise
let real: Promise<Cruise> | undefined

function put(file: string, text: string): void {
  mkdirSync(dirname(join(tree, file)), { recursive: true })
  writeFileSync(join(tree, file), text)
}

async function cruise(cwd: string, ...folders: string[]): Promise<Cruise> {
  const said = await tool(
    cwd,
    'depcruise',
    '--config',
    join(cwd, '.dependency-cruiser.mjs'),
    '--output-type',
    'json',
    ...folders,
  )
  return JSON.parse(said.stdout)
}

function realTree(): Promise<Cruise> {
  const folders = ['src', 'test', 'scripts', 'bench', 'simulators'].filter((name) => existsSync(join(checkout, name)))
  real ??= cruise(checkout, ...folders)
  return real
}

beforeAll(async () => {
  for (const name of ['node_modules', '.dependency-cruiser.mjs', 'tsconfig.json', 'package.json']) {
    symlinkSync(join(checkout, name), join(tree, name))
  }
  for (const [file, text] of Object.entries(innocent)) put(file, text)
  for (const [file, text] of Object.values(plants)) put(file, text)
  planted = await cruise(tree, 'src', 'test', 'simulators')
})

afterAll(() => rmSync(tree, { recursive: true, force: true }))

type Rule = { readonly name: string; readonly to: { readonly path: readonly string[] } }
const rules = async (): Promise<readonly Rule[]> => {
  const url = new URL('../../../.dependency-cruiser.mjs', import.meta.url).href // no types: imported by name only
  return (await import(url)).default.forbidden
}
/** Libraries that have one home. */
const atHome = async (): Promise<RegExp> =>
  new RegExp((await rules()).flatMap(({ name, to }) => (name.endsWith('-at-home') ? to.path : [])).join('|'))

test('every rule has its plant', async () => {
  expect((await rules()).map(({ name }) => name).sort()).toEqual(Object.keys(plants).sort())
})

test.each(Object.entries(plants))('%s is found', (rule, [file]) => {
  const found = planted.summary.violations
    .filter((violation) => violation.from === file || violation.to === file)
    .map((violation) => violation.rule.name)
  expect(found).toContain(rule)
})

test('what may be imported is not complained about', () => {
  const files = planted.summary.violations.map((violation) => violation.from)
  expect(files.filter((file) => file in innocent && file !== 'src/engine/cycle-back.ts')).toEqual([])
})

test('the real tree has modules and no violation', async () => {
  const { modules, summary } = await realTree()
  expect(modules.filter((module) => module.source.startsWith('src/')).length).toBeGreaterThan(20)
  expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([])
})

/** All that is there as soon as the file is, libraries by their files. */
function loadedWith({ modules }: Cruise, file: string): ReadonlySet<string> {
  const loaded = new Set([file])
  for (const one of loaded)
    for (const { resolved, dynamic, dependencyTypes } of modules.find(({ source }) => source === one)?.dependencies ??
      [])
      if (!dynamic && !dependencyTypes.includes('type-only')) loaded.add(resolved)
  return loaded
}

test('the registry of connectors loads none of their libraries', async () => {
  const registry = 'src/connectors/registry.ts'
  const libraries = await atHome()
  const loaded = loadedWith(await realTree(), registry)
  expect(loaded.size).toBeGreaterThan(20)
  expect([...loaded].filter((file) => libraries.test(file))).toEqual([])
  expect([...loadedWith(planted, registry)].filter((file) => libraries.test(file))).toHaveLength(1)
})

test('every library that a connector brings has a home', async () => {
  const libraries = await atHome()
  const { modules } = await realTree()
  const brought = modules
    .filter(({ source }) => source.startsWith('src/connectors/'))
    .flatMap(({ dependencies }) => dependencies.map(({ resolved }) => resolved))
    .filter((resolved) => resolved.startsWith('node_modules/') && !resolved.startsWith('node_modules/zod/'))
  expect(brought.length).toBeGreaterThan(5)
  expect(brought.filter((library) => !libraries.test(library))).toEqual([])
})
