/** What a start finds changed in muster.yaml: everybody is evaluated by it, in plan as in enforce, and nobody when nothing changed. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { examine } from '../../src/app/examine.ts'
import { prepare } from '../../src/app/prepare.ts'
import type { Role } from '../../src/app/roles.ts'
import { type App, createApp } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { evaluate } from '../../src/engine/evaluate.ts'
import { planAnew, planningHashes } from '../../src/engine/plan-anew.ts'
import { setTargetMode } from '../../src/engine/set-target-mode.ts'
import { sweep } from '../../src/engine/sweep.ts'
import type { Log } from '../../src/log.ts'
import { sayPlansAs } from '../../src/store/plans-as.ts'
import { bankFiles } from '../support/bank-files.ts'
import type { ConfigDirectory } from '../support/config-directory.ts'
import { type House, openHouse, target } from '../support/house.ts'
import { asDirectoryRoot } from '../support/stack.ts'
import { until } from '../support/until.ts'
import { works } from './protocol/people.ts'

const actor = { type: 'os-user', name: 'test', authenticated: false } as const
const before = { cn: '{displayName}', sn: '{familyName}', givenName: '{givenName}', title: '{jobTitle}' }
const after = { ...before, departmentNumber: '{department}' }

let house: House
const opened: { apps: App[]; files: ConfigDirectory[] } = { apps: [], files: [] }
beforeEach(async () => {
  house = await openHouse()
  const start = await house.now()
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, start - 1000))
  await house.quiesce()
  await starts(before)
})
afterEach(async () => {
  await Promise.all(opened.apps.splice(0).map((app) => app.stop()))
  for (const files of opened.files.splice(0)) files.remove()
  await house.close()
})

const configured = (attributes: object, mode = 'enforce'): Config => {
  const files = bankFiles(house, {
    target: { mode },
    ldap: { account: { rdn: 'uid={username}', attributes } },
  })
  opened.files.push(files)
  const loaded = loadConfig(files.directory, files.env)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.value
}
const all: readonly Role[] = ['evaluate', 'dispatch', 'provision']
const built = async (attributes: object, roles = all): Promise<App> => {
  const app = await createApp(configured(attributes), { roles, lanes: ['bulk'], name: 'test-engine' })
  opened.apps.push(app)
  return app
}
const starts = async (attributes: object): Promise<App> => {
  const app = await built(attributes)
  await app.prepare()
  return app
}
const planned = async ({ engine }: App) => {
  while ((await evaluate(engine, 'bulk')).evaluated > 0);
  return house.rows<{ person: string; kind: string }>(
    `select i.person_key as person, a.kind from muster.action a join muster.identity i on i.id = a.identity_id
      where a.open order by 1`,
  )
}
const due = async () => (await house.rows('select 1 from muster.identity where work_due_at <= muster.now()')).length
const says = ({ engine }: App) => sayPlansAs(engine.db, planningHashes(engine.targets))
/** All others have ended: they say nothing any more. */
const isLeft = async (app: App) => {
  for (const _ of [1, 2]) {
    await house.shift(31_000)
    await says(app)
  }
}
const given = <T>(value: T) => ({ ok: true, value }) as const
const examined = ({ databaseUrl, redisUrl, kafka, ...config }: Config) =>
  examine({ ...config, databaseUrl: given(databaseUrl), redisUrl: given(redisUrl), kafka: given(kafka) })
const doctorSays = async () =>
  (await examined(configured(before))).find(({ part }) => part === 'database')?.remarks.join('\n')
const departments = () =>
  asDirectoryRoot(house.ldap, async (client) => {
    const { searchEntries } = await client.search(house.tree.people, { filter: '(departmentNumber=*)' })
    return searchEntries.map(({ departmentNumber }) => departmentNumber)
  })
const audited = async () =>
  (
    await house.rows<{ body: string }>(
      `select convert_from(bytes, 'UTF8') as body from audit.entry where kind = 'target-configured'`,
    )
  ).map(({ body }) => JSON.parse(body) as Record<string, unknown>)

test('in plan a changed mapping is planned for everybody at the next start, and no more after it was put right', async () => {
  await setTargetMode(house.engine, target, 'plan', actor)
  const first = await starts(before)
  expect(await planned(first)).toEqual([])
  expect(await audited()).toEqual([])

  const changed = await starts(after)
  expect(await planned(changed)).toEqual([
    { person: 'P-1', kind: 'ensureAccount' },
    { person: 'P-2', kind: 'ensureAccount' },
  ])
  await starts(after)
  expect(await due()).toBe(0)

  const again = await starts(before)
  expect(await planned(again)).toEqual([])
  expect(await audited()).toMatchObject([
    { target, actor: { type: 'engine' } },
    { target, actor: { type: 'engine' } },
  ])
})

test('in enforce it is written after the next start', async () => {
  expect(await departments()).toEqual([])
  await (await starts(after)).start()
  await until(async () => (await departments()).length === 2)
  expect(await departments()).toEqual(['LENDING', 'LENDING'])
})

test('where a process with the older file still evaluates, the next start evaluates everybody again', async () => {
  await setTargetMode(house.engine, target, 'plan', actor)
  const older = await starts(before)
  await starts(after)
  expect(await planned(older)).toEqual([])
  expect(await planned(await starts(after))).toHaveLength(2)
  await starts(after)
  expect(await due()).toBe(0)
})

test('where a process with the older file evaluates somebody and then ends, those that stay evaluate everybody again', async () => {
  await setTargetMode(house.engine, target, 'plan', actor)
  const older = await starts(before)
  const newer = await starts(after)
  expect(await planned(older)).toEqual([])
  await sweep(newer.engine)
  expect(await due()).toBe(0)
  expect(await doctorSays()).toMatch(/different muster.yaml/)
  await isLeft(newer)
  await sweep(newer.engine)
  expect(await planned(newer)).toHaveLength(2)
  await sweep(newer.engine)
  expect(await due()).toBe(0)
  expect((await audited()).at(-1)).toMatchObject({ before: 'several', actor: { name: 'sweep' } })
  expect(await doctorSays()).not.toMatch(/different muster.yaml/)
})

test('processes with different files that go on side by side make nobody due in turns: that is a finding, until one is left', async () => {
  const both = [await starts(before), await starts(after)]
  const findings = () =>
    house.rows(`select key from muster.finding where kind = 'configurations-differ' and closed_at is null`)
  /** Twice a minute, so that half a minute of a slow machine is no silence. */
  const goOn = async (minutes: number) => {
    for (const app of both) await says(app)
    for (let half = 0; half < 2 * minutes; half++) {
      await house.shift(30_000)
      for (const app of both) await says(app)
    }
  }
  // Whoever came while the last of them started is looked for by two turns.
  for (const { engine } of [...both, ...both]) await sweep(engine)
  for (const told of [[], [{ key: target }], [{ key: target }]]) {
    for (const { engine } of both) while ((await evaluate(engine, 'bulk')).evaluated > 0);
    for (const { engine } of both) await sweep(engine)
    expect(await due()).toBe(0)
    expect(await findings()).toEqual(told)
    await goOn(6)
  }
  const [, newer] = both as [App, App]
  // As after an outage of the database: the first that speaks again is not the only one.
  await house.shift(61_000)
  await says(newer)
  await sweep(newer.engine)
  expect(await due()).toBe(0)
  await isLeft(newer)
  await sweep(newer.engine)
  expect(await findings()).toEqual([])
  expect(await due()).toBe(2)
})

test('one that comes and goes makes nobody due each time: it is a finding, until it has stayed away and those that stay evaluate everybody', async () => {
  const stays = await starts(before)
  let broken = await starts(after)
  const settled = async (...apps: readonly App[]) => {
    // Whoever came while the last of them started is looked for by two turns.
    for (const { engine } of [...apps, ...apps]) {
      await sweep(engine)
      while ((await evaluate(engine, 'bulk')).evaluated > 0);
    }
  }
  /** Twice a minute, so that half a minute of a slow machine is no silence. Answers how many were made due, and what is told. */
  const goesOn = async (minutes: number) => {
    for (let half = 0; half < 2 * minutes; half++) {
      await house.shift(30_000)
      await says(stays)
    }
    await sweep(stays.engine)
    const told = `select 1 from muster.finding where kind = 'configurations-differ' and closed_at is null`
    return [await due(), (await house.rows(told)).length]
  }
  await settled(stays, broken)
  // It was there once: as with any restart.
  expect(await goesOn(6)).toEqual([2, 0])
  await settled(stays)
  for (const _ of ['once more', 'and again']) {
    broken = await starts(after)
    expect(await due()).toBe(0)
    await settled(stays, broken)
    expect(await goesOn(6)).toEqual([0, 1])
  }
  expect(await goesOn(5)).toEqual([2, 0])
  expect((await audited()).at(-1)).toMatchObject({ before: 'several', actor: { name: 'sweep' } })
})

test('a process that only sweeps evaluates neglected leavers, too: the last of them to start makes everybody due', async () => {
  await starts(after)
  const { engine } = await built(before, ['schedule'])
  while ((await evaluate(engine, 'bulk')).evaluated > 0);
  expect(await due()).toBe(0)
  await (await built(after, ['schedule'])).prepare()
  expect(await due()).toBe(2)
})

test('a process that evaluates nobody makes nobody due', async () => {
  await (await built(after, ['dispatch'])).prepare()
  expect(await due()).toBe(0)
  await starts(after)
  expect(await due()).toBe(2)
})

test('of two processes that start together one makes everybody due, once', async () => {
  const apps = [await built(after), await built(after)]
  const commit = await house.holdAudit(
    apps.map(({ engine }) => {
      const hashes = new Map(engine.targets.map(({ id, planningHash }) => [id, planningHash as string]))
      return () => planAnew(engine, hashes)
    }),
  )
  await commit()
  expect(await audited()).toHaveLength(1)
  expect(await due()).toBe(2)
})

test('where muster.yaml says another mode than the database, the log and the doctor say so, with the command', async () => {
  const said: string[] = []
  const hear = (_: unknown, text: string) => void said.push(text)
  const log: Log = { error: hear, warn: hear, info: hear, debug: hear }
  const { engine } = await built(before)
  const looksAt = async (mode: string) => {
    const config = configured(before, mode)
    await prepare({ ...engine, log }, config, () => false, new AbortController().signal)
    const database = (await examined(config)).find(({ part }) => part === 'database')
    expect(database).toMatchObject({ ok: true })
    return [said.splice(0), database?.remarks.slice(1) ?? []].map((lines) => lines.join('\n'))
  }
  expect(await looksAt('enforce')).toEqual(['', ''])
  for (const told of await looksAt('plan')) expect(told).toMatch(/`muster target mode bank-ldap plan`/)
})
