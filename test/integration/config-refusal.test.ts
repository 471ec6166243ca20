import { afterAll, beforeAll, expect, test } from 'vitest'
import { RefusedToStart } from '../../src/app/prepare.ts'
import { createApp } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/database.ts'
import { bankFiles } from '../support/bank-files.ts'
import type { ConfigDirectory } from '../support/config-directory.ts'
import { type House, openHouse } from '../support/house.ts'
import { spawnServe } from '../support/serve-process.ts'
import { freshDatabase, freshName } from '../support/stack.ts'

let house: House
let files: ConfigDirectory
let config: Config
beforeAll(async () => {
  house = await openHouse()
  files = bankFiles(house)
  const loaded = loadConfig(files.directory, files.env)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  config = loaded.value
})
afterAll(async () => {
  files.remove()
  await house.close()
})

/** Why an engine with this database refuses to start; empty when it does not. */
const refusals = async (databaseUrl = config.databaseUrl): Promise<readonly string[]> => {
  const app = await createApp({ ...config, databaseUrl }, { roles: [], lanes: [] })
  try {
    await app.prepare()
    return []
  } catch (error) {
    if (error instanceof RefusedToStart) return error.problems
    throw error
  } finally {
    await app.stop(1_000)
  }
}

const asOwner = (statement: string) => house.rows(statement)

test('the role of the migrations has exactly what the engine may have', async () => {
  expect(await refusals()).toEqual([])
})

test('a superuser is refused, by the process too: exit 3, nothing started', async () => {
  expect((await refusals(house.database.adminUrl)).join()).toMatch(/is a superuser/)
  const serve = spawnServe({ ...files, env: { ...files.env, MUSTER_DATABASE_URL: house.database.adminUrl } })
  expect(await serve.ended).toBe(3)
  expect(serve.lines.join('\n')).toMatch(/refuses to start[\s\S]*is a superuser[\s\S]*muster_engine/)
  expect(serve.lines.join('\n')).not.toContain('"msg":"ready"')
})

// Rights are this database's own, roles are the cluster's, which other tests share: so these get tables, and no roles.
const tooMuch: readonly (readonly [string, string, RegExp])[] = [
  [
    'grant select on audit.entry to muster_engine',
    'revoke select on audit.entry from muster_engine',
    /has SELECT on audit.entry/,
  ],
  [
    'grant select (kind) on audit.entry to muster_engine',
    'revoke select (kind) on audit.entry from muster_engine',
    /has SELECT on audit.entry/,
  ],
  [
    'grant delete on audit.entry_default to muster_engine',
    'revoke delete on audit.entry_default from muster_engine',
    /has DELETE on audit.entry_default/,
  ],
  [
    'grant truncate on audit.entry to public',
    'revoke truncate on audit.entry from public',
    /has TRUNCATE on audit.entry/,
  ],
  [
    'grant create on schema audit to muster_engine',
    'revoke create on schema audit from muster_engine',
    /may create objects in schema audit/,
  ],
  [
    'revoke insert on audit.entry from muster_engine',
    'grant insert on audit.entry to muster_engine',
    /may not INSERT into audit.entry/,
  ],
  [
    'do $$ begin create table muster.extra (); alter table muster.extra owner to muster_engine; end $$',
    'drop table muster.extra',
    /owns schema muster/,
  ],
]

test.each(tooMuch)('%s: refused', async (grant, revoke, said) => {
  await asOwner(grant)
  try {
    expect((await refusals()).join('\n')).toMatch(said)
  } finally {
    await asOwner(revoke)
  }
  expect(await refusals()).toEqual([])
})

/** A login of this test's own; nothing that is granted to it is anybody else's. */
const withLogin = async (setUp: (login: string) => readonly string[], work: (url: string) => Promise<void>) => {
  const login = freshName()
  const url = new URL(house.database.engineUrl)
  url.username = login
  url.password = 'x'
  await asOwner(`create role ${login} login noinherit password 'x'`)
  try {
    for (const statement of setUp(login)) await asOwner(statement)
    await work(url.href)
  } finally {
    await asOwner(`drop role ${login}`)
  }
}
const superuser = () => decodeURIComponent(new URL(house.database.adminUrl).username)

test('a login that can become muster_engine and nothing else is not refused', async () => {
  for (const how of ['inherit', 'set role muster_engine'])
    await withLogin(
      (login) => [`alter role ${login} ${how}`, `grant muster_engine to ${login}`],
      async (url) => expect(await refusals(url)).toEqual([]),
    )
})

const couldBecome: readonly (readonly [string, () => string, RegExp])[] = [
  ['the owner', () => 'muster_owner', /could SET ROLE muster_owner, which owns schema audit/],
  ['a superuser', superuser, /could SET ROLE \w+, which is a superuser/],
]
test.each(couldBecome)('a login that inherits nothing and could become %s: refused', async (_, role, said) => {
  await withLogin(
    (login) => [`grant muster_engine to ${login}`, `grant "${role()}" to ${login}`],
    async (url) => expect((await refusals(url)).join('\n')).toMatch(said),
  )
})

test('it is refused also when every session of it begins as muster_engine', async () => {
  await withLogin(
    (login) => [
      `grant muster_engine to ${login}`,
      `grant muster_owner to ${login}`,
      `alter role ${login} set role muster_engine`,
    ],
    async (url) => expect((await refusals(url)).join('\n')).toMatch(/could SET ROLE muster_owner, which owns/),
  )
})

test('a login that could become somebody who may change the log, or who owns a function of it: refused', async () => {
  const other = freshName()
  await asOwner(`create role ${other}`)
  try {
    await withLogin(
      (login) => [
        `grant muster_engine to ${login}`,
        `grant ${other} to ${login}`,
        `grant update, delete on audit.entry to ${other}`,
        `create function audit.extra() returns int language sql return 1`,
        `alter function audit.extra owner to ${other}`,
      ],
      async (url) => {
        const said = (await refusals(url)).join('\n')
        expect(said).toMatch(`could SET ROLE ${other}, which has DELETE, UPDATE on audit.entry`)
        expect(said).toMatch(`could SET ROLE ${other}, which owns schema audit or something in it`)
      },
    )
  } finally {
    await asOwner(`drop owned by ${other}`)
    await asOwner(`drop role ${other}`)
  }
})

test('a database without tables is refused with what to do', async () => {
  const empty = await freshDatabase()
  try {
    const url = new URL(house.database.adminUrl)
    url.pathname = `/${empty.name}`
    const db = openDatabase({ url: url.href, max: 1, applicationName: 'test' })
    await db.query({ text: 'drop schema auditor cascade; drop schema audit cascade; drop schema muster cascade' })
    await db.close()
    expect((await refusals(empty.engineUrl)).join()).toMatch(/has no tables of Muster: run `muster migrate`/)
  } finally {
    await empty.drop()
  }
})
