/** The lint for style and purity bites: one violation is planted for each rule that we rely on. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkout, tool } from './tool.ts'

const plants: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'noRestrictedGlobals: clock in the domain': ['src/domain/clock.ts', `export const now = () => Date.now()\n`],
  'noRestrictedGlobals: Date as a type': ['src/planning/date.ts', `export type When = Date\n`],
  'noRestrictedGlobals: environment': ['src/policies/environment.ts', `export const all = () => process.argv\n`],
  'noRestrictedGlobals: crypto': ['src/policies/chance.ts', `export const chance = () => crypto.randomUUID()\n`],
  'noNodejsModules: in the domain': [
    'src/domain/files.ts',
    `import { readFileSync } from 'node:fs'\n\nexport const read = readFileSync\n`,
  ],
  'noProcessEnv: outside config': ['src/engine/environment.ts', `export const home = () => process.env.HOME\n`],
  'noDefaultExport: anywhere': ['src/engine/default.ts', `export default 1\n`],
  'noBarrelFile: anywhere': [
    'src/engine/barrel.ts',
    `export { one } from './one.ts'\nexport { two } from './two.ts'\n`,
  ],
  'noEnum: anywhere': ['src/engine/color.ts', `export enum Color {\n  Red,\n}\n`],
  'noExplicitAny: anywhere': ['src/engine/anything.ts', `export const same = (value: any) => value\n`],
  'noNonNullAssertion: anywhere': ['src/engine/sure.ts', `export const first = (list: string[]) => list[0]!\n`],
  'noTsIgnore: anywhere': ['src/engine/ignore.ts', `// @ts-ignore\nexport const one: number = 'one'\n`],
  'noParameterProperties: anywhere': [
    'src/engine/point.ts',
    `export class Point {\n  constructor(readonly x: number) {}\n}\n`,
  ],
  'useFilenamingConvention: anywhere': ['src/engine/camelCase.ts', `export const one = 1\n`],
  'noExcessiveLinesPerFile: 400': [
    'src/engine/long.ts',
    `${Array.from({ length: 401 }, (_, n) => `export const a${n} = ${n}`).join('\n')}\n`,
  ],
  'useExhaustiveSwitchCases: a union': [
    'src/engine/switch.ts',
    `export const word = (kind: 'grant' | 'revoke'): void => {\n  switch (kind) {\n    case 'grant':\n      return\n  }\n}\n`,
  ],
  'noFloatingPromises: anywhere': [
    'src/engine/floating.ts',
    `const save = async (): Promise<void> => {}\nexport const run = (): void => {\n  save()\n}\n`,
  ],
  'noSkippedTests: anywhere': [
    'test/unit/skipped.test.ts',
    `import { test } from 'vitest'\n\ntest.skip('later', () => {})\n`,
  ],
  'noFocusedTests: anywhere': [
    'test/unit/focused.test.ts',
    `import { test } from 'vitest'\n\ntest.only('mine', () => {})\n`,
  ],
}

const tree = mkdtempSync(join(tmpdir(), 'muster-style-'))
let found: readonly (readonly [file: string, rule: string])[]

beforeAll(async () => {
  const config = JSON.parse(readFileSync(join(checkout, 'biome.json'), 'utf8'))
  writeFileSync(join(tree, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }))
  symlinkSync(join(checkout, 'node_modules'), join(tree, 'node_modules'))
  for (const [file, text] of Object.values(plants)) {
    mkdirSync(dirname(join(tree, file)), { recursive: true })
    writeFileSync(join(tree, file), text)
  }
  const { stdout } = await tool(tree, 'biome', 'lint', '--reporter=github', '--max-diagnostics=none', '.')
  found = [...stdout.matchAll(/^::\w+ title=lint\/\w+\/(\w+),file=([^,]+)/gm)].map(([, rule = '', file = '']) => [
    relative(tree, resolve(tree, file)),
    rule,
  ])
})

afterAll(() => rmSync(tree, { recursive: true, force: true }))

test.each(Object.entries(plants))('%s', (name, [file]) => {
  const rule = name.slice(0, name.indexOf(':'))
  expect(found.filter(([where]) => where === file).map(([, what]) => what)).toContain(rule)
})
