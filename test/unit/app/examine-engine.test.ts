import { expect, test } from 'vitest'
import { examinedEngine } from '../../../src/app/examine-engine.ts'
import { partsOf, roles } from '../../../src/app/roles.ts'
import { lanes } from '../../../src/domain/action.ts'

const now = Date.UTC(2026, 0, 1, 12)
const seen = (parts: readonly string[], ago: number) => parts.map((part) => ({ part, at: now - ago, ago }))
const all = partsOf(roles, lanes)

test('a role in each of its lanes', () => {
  expect(partsOf(['schedule', 'provision'], ['leaver', 'bulk'])).toEqual([
    'schedule',
    'provision leaver',
    'provision bulk',
  ])
})

test.each([
  ['before the first start', [], []],
  ['all at work', seen(all, 59_999), []],
  [
    'all silent',
    [...seen(all, 61_000), ...seen(['what was once a part'], 70_000)],
    [/none.*since 2026-01-01T11:58:59/],
  ],
  [
    'two missing',
    [
      ...seen(
        all.filter((part) => part !== 'ingest' && part !== 'provision leaver'),
        5_000,
      ),
      ...seen(['ingest'], 60_000),
    ],
    [/`ingest` \(not since 2026-01-01T11:59:00/, /`provision leaver` \(never\)/],
  ],
])('%s', (_, some, problems) => {
  expect(examinedEngine(some).problems).toEqual(problems.map((problem) => expect.stringMatching(problem)))
})
