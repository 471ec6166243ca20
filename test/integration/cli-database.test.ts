import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bankFiles } from '../support/bank-files.ts'
import { muster } from '../support/cli.ts'
import type { ConfigDirectory } from '../support/config-directory.ts'
import { type House, openHouse } from '../support/house.ts'

let house: House
let files: ConfigDirectory
beforeAll(async () => {
  house = await openHouse()
  files = bankFiles(house)
})
afterAll(async () => {
  files.remove()
  await house.close()
})

const lines = [
  ['target', 'list'],
  ['finding', 'list'],
  ['adopt', 'plan', 'bank-ldap'],
  ['audit', 'log', 'P-1'],
  ['migrate'],
] as const

test('a database that is not there, not ours or empty: every command says what to do, by whichever way it asks', async () => {
  const other = (url: string, change: (url: URL) => void): string => {
    const changed = new URL(url)
    change(changed)
    return String(changed)
  }
  const { MUSTER_DATABASE_URL: engine = '' } = files.env
  const admin = house.database.adminUrl
  const cases = [
    [
      other(engine, (url) => {
        url.pathname = '/not_there'
      }),
      lines,
      /no database not_there\n +→ .*create database.*muster migrate/,
    ],
    [
      other(engine, (url) => {
        url.password = 'x'
      }),
      lines,
      /does not let muster_engine in\n +→ .*MUSTER_DATABASE_URL/,
    ],
    [
      other(admin, (url) => {
        url.pathname = '/postgres'
      }),
      lines.slice(0, 4),
      /no tables of Muster\n +→ run `muster migrate`/,
    ],
    [
      other(engine, (url) => {
        url.port = '1'
      }),
      lines.slice(0, 1),
      /cannot be reached\n +→ check MUSTER_DATABASE_URL/,
    ],
  ] as const
  for (const [url, asked, told] of cases)
    for (const line of asked) {
      const env = {
        ...files.env,
        MUSTER_DATABASE_URL: url,
        MUSTER_MIGRATE_DATABASE_URL: url,
        MUSTER_AUDITOR_DATABASE_URL: url,
      }
      const said = await muster({ directory: files.directory, env }, ...line)
      expect({ line, ...said }).toMatchObject({ line, exit: 1, err: expect.stringMatching(told) })
      expect(said.err).not.toContain('prisma')
    }
})

test('doctor looks at the targets whatever is not set, and names the variable of what does not answer', async () => {
  const unset = Object.fromEntries(
    ['DATABASE_URL', 'REDIS_URL', 'KAFKA_BROKERS'].map((name) => [`MUSTER_${name}`, undefined]),
  )
  const bare = await muster({ ...files, env: { ...files.env, ...unset } }, 'doctor')
  expect(bare.exit).toBe(1)
  expect(bare.out).toMatch(
    /✗ database +MUSTER_DATABASE_URL is not set[\s\S]*✗ redis +MUSTER_REDIS_URL is not set[\s\S]*✗ kafka +MUSTER_KAFKA_BROKERS is not set[\s\S]*✓ target bank-ldap/,
  )
  const away = await muster(
    { ...files, env: { ...files.env, MUSTER_DATABASE_URL: 'postgres://muster@127.0.0.1:1/muster' } },
    'doctor',
  )
  expect(away.out).toMatch(/✗ database .*check MUSTER_DATABASE_URL/)
})

test('a look-up that its target cannot understand: doctor counts it with the mistakes, and apply changes nothing', async () => {
  const { directory, env, remove } = bankFiles(house)
  const mistake = `{ target: bank-ldap, lookup: LoanEntry, risk: low, owner: o, description: d }`
  writeFileSync(join(directory, 'policies/mistaken.yaml'), `entitlements:\n  Mistaken: ${mistake}\n`)
  const alone = { MUSTER_DATABASE_URL: undefined, MUSTER_REDIS_URL: undefined, MUSTER_KAFKA_BROKERS: undefined }
  expect((await muster({ directory, env: { ...env, ...alone } }, 'doctor')).out).toMatch(
    /✗ policies +mistakes: 1; `muster policy check`/,
  )
  const versions = () => house.rows('select version from muster.active_policy')
  const before = await versions()
  expect(await muster({ directory, env }, 'policy', 'apply')).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/nothing was changed[\s\S]*mistaken.yaml:2:\d+ lookup "LoanEntry" is no DN/),
  })
  expect(await versions()).toEqual(before)
  remove()
})

test('what only changes need is a remark until changes are sent, as the database says and not muster.yaml', async () => {
  const { directory, remove } = bankFiles(house, { ldap: { passwordPolicyDn: house.tree.people } })
  const target = async (mode: string) => {
    await house.rows(`update muster.target set mode = '${mode}'`)
    return (await muster({ ...files, directory }, 'doctor')).out
  }
  expect(await target('plan')).toMatch(/✓ target bank-ldap[\s\S]*needed before enforce: .*pwdLockout TRUE/)
  expect(await target('enforce')).toMatch(/✗ target bank-ldap .*pwdLockout TRUE/)
  remove()
})
