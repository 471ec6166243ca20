/** docs/systems-in-use.md stands on examples/in-use and adds to it: both are as they say. */
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkout } from '../../../scripts/stack/download.ts'
import { type ConfigDirectory, loadDirectory } from '../../../src/config.ts'
import { muster } from '../../support/cli.ts'

const page = readFileSync(join(checkout, 'docs/systems-in-use.md'), 'utf8')
const directory = mkdtempSync(join(tmpdir(), 'systems-in-use-'))
let read: ConfigDirectory

/** What the sections on other targets add: a target, then its policies. */
const added = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)]
  .map(([, text]) => text ?? '')
  .filter((text) => !text.startsWith('#'))

beforeAll(() => {
  cpSync(join(checkout, 'examples/in-use'), directory, { recursive: true })
  mkdirSync(join(directory, 'secrets'))
  for (const name of ['ldap-password', 'ad-password']) writeFileSync(join(directory, 'secrets', name), 'p\n')
  for (const [at, text] of added.entries())
    if (text.startsWith('  - id:')) appendFileSync(join(directory, 'muster.yaml'), text)
    else writeFileSync(join(directory, 'policies', `${at}.yaml`), text)
  const loaded = loadDirectory(directory, {})
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, null, 1))
  read = loaded.value
})
afterAll(() => rmSync(directory, { recursive: true }))

test('the page shows the very files', () => {
  for (const file of ['muster.yaml', 'policies/policy.yaml'])
    expect(page).toContain(`\`\`\`yaml\n${readFileSync(join(checkout, 'examples/in-use', file), 'utf8')}\`\`\``)
})

test('nothing is made, and nothing is written before somebody says so', () => {
  expect(read.file.targets.map(({ type, mode, accounts }) => [type, mode, accounts])).toEqual([
    ['ldap', 'observe', 'expect'],
    ['ad', 'observe', 'expect'],
    ['entra', 'observe', 'expect'],
    ['aws', 'observe', 'expect'],
  ])
  expect(read.file.targets.map(({ leaver }) => leaver.unmanaged)).toEqual(Array(4).fill('report'))
  const settings = read.file.targets.map((target) =>
    target.type === 'ldap'
      ? target.ldap
      : target.type === 'ad'
        ? target.ad
        : target.type === 'entra'
          ? target.entra
          : target.type === 'aws'
            ? target.aws
            : null,
  )
  expect(settings.map((one) => one?.account.attributes)).toEqual(Array(4).fill({}))
})

test('the policies have no mistake, and say so as the page does, without a word of the environment', async () => {
  const { exit, out } = await muster({ directory: join(checkout, 'examples/in-use'), env: {} }, 'policy', 'check')
  expect(exit).toBe(0)
  expect(page).toContain(out.split('\n')[0])
  const all = await muster({ directory, env: {} }, 'policy', 'check')
  expect([all.exit, all.out]).toEqual([0, expect.stringContaining('in 4 files: 8 entitlements')])
})

test('each command of the page is one', async () => {
  const said = [...page.matchAll(/^(?:\$ )?npx muster (\w+(?: (?:check|apply|list|plan|mode))?)/gm)].map(
    ([, name]) => name ?? '',
  )
  expect(said.length).toBeGreaterThan(8)
  for (const name of new Set(said))
    expect([name, (await muster({ directory, env: {} }, ...name.split(' '), '--help')).exit]).toEqual([name, 0])
})

test("the README's first directory is one, with a group and a person of the stack's slapd", async () => {
  const readme = readFileSync(join(checkout, 'README.md'), 'utf8')
  const trial = join(directory, 'trial')
  mkdirSync(join(trial, 'policies'), { recursive: true })
  for (const [, file = '', text = ''] of readme.matchAll(/^cat >\$MUSTER_CONFIG\/(\S+) <<'EOF'\n([\s\S]*?)^EOF$/gm))
    writeFileSync(join(trial, file), text)
  const loaded = loadDirectory(trial, {
    MUSTER_STACK_LDAP_URL: 'ldaps://127.0.0.1:1',
    MUSTER_STACK_LDAP_CA_FILE: 'muster.yaml',
    MUSTER_STACK_LDAP_SERVICE_DN: 'cn=muster',
    MUSTER_STACK_LDAP_SERVICE_PASSWORD: 'p',
  })
  expect(loaded).toMatchObject({ ok: true, value: { file: { targets: [{ mode: 'observe', accounts: 'expect' }] } } })
  const check = await muster({ directory: trial, env: {} }, 'policy', 'check')
  expect(check.out).toContain('1 entitlement,')
  const slapd = readFileSync(join(checkout, 'examples/bank/directory.ldif'), 'utf8')
  expect(slapd).toContain(/lookup: "(.*?)"/.exec(readFileSync(join(trial, 'policies/first.yaml'), 'utf8'))?.[1])
  const { data } = JSON.parse(readFileSync(join(trial, 'people.json'), 'utf8'))
  expect(slapd).toContain(`employeeNumber: ${data.worker.personKey}`)
  expect(readme.split('\n').length).toBeLessThanOrEqual(301)
})
