/** SIGKILL of the whole engine at each stage boundary, in both lanes, while people join, move and leave. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, openInstallation } from '../support/muster-process.ts'
import { brokenLaws } from './laws.ts'
import { approving, leaves, lending, moves, unguarded, works } from './people.ts'

const boundaries = [
  'evaluate:locked',
  'evaluate:saved',
  'claim:locked',
  'claim:read',
  'provision:claimed',
  'provision:called',
  'settle:locked',
] as const

const work = ['--roles', 'evaluate,dispatch,provision,schedule']

let bank: Installation
beforeAll(async () => {
  bank = await openInstallation({ target: unguarded })
  // Ingest lives on in a process of its own, so that every engine has the news at once; it dies in other tests.
  await bank.start({ args: ['--roles', 'ingest'] })
  const first = await bank.start({ args: work })
  await bank.tell(...boundaries.flatMap((_, at) => [works(`M-${at}`), works(`L-${at}`)]))
  await bank.quiet()
  first.kill('SIGKILL')
  await first.ended
})
afterAll(() => bank.close())

/** Attempts in the audit that have no outcome. */
const open = () =>
  bank.audit<{ id: number }>(
    `select id from auditor.entries a where kind = 'attempt'
     and not exists (select from auditor.entries o where o.kind = 'outcome' and o.dispatch_id = a.dispatch_id)`,
  )

test.each(boundaries.map((label, at) => ({ label, at })))('killed at $label', async ({ label, at }) => {
  // What the engine before left undone is taken up by this one, which dies in the middle of that, too.
  const engine = await bank.start({ args: work, pauseAt: label })
  await bank.tell(works(`J-${at}`), moves(`M-${at}`), leaves(`L-${at}`))
  await bank.until(
    'ingest',
    async () => (await bank.rows(`select 1 from muster.identity where person_key = 'J-${at}'`))[0],
  )
  const paused = (lane: string) => engine.line((text) => text.includes(`{"paused":"${label}","lane":"${lane}"}`))
  await Promise.all([paused('bulk'), paused('leaver')])
  engine.kill('SIGKILL')
  expect(await engine.ended).toBe('SIGKILL')
  if (label.startsWith('provision:') || label.startsWith('settle:'))
    expect((await open()).length).toBeGreaterThanOrEqual(2)
  // Leases run out, jobs count as lost.
  await bank.shift(61_000)
})

test('nothing is lost, doubled or wrongly granted: everybody has what HR wants', async () => {
  await bank.start({ args: work })
  await bank.quiet()
  const directory = await bank.everything()
  for (const at of boundaries.keys()) {
    expect(directory.get(`J-${at}`)).toEqual({ locked: false, groups: lending })
    expect(directory.get(`M-${at}`)).toEqual({ locked: false, groups: approving })
    expect(directory.get(`L-${at}`)).toEqual({ locked: true, groups: [] })
  }
  expect(directory.size).toBe(3 * boundaries.length)
  expect(await open()).toEqual([])
  expect(await brokenLaws(bank)).toEqual([])
})
