import { expect, test } from 'vitest'
import { linksMissing } from '../../../src/cli/links-missing.ts'

test.each([
  ['plan', 0, 4_126, /^0 accounts linked yet, and 4126 people have actions here without one: `muster reconcile one`/],
  ['plan', 1, 2, /^1 account linked yet, and 2 people have/],
  ['observe', 0, 0, /^0 accounts linked yet: `muster reconcile one`/],
] as const)('in %s with %i linked and %i without, a reconciliation is asked for', (mode, linked, unlinked, text) => {
  expect(linksMissing({ target: 'one', mode, linked, unlinked }).join('\n')).toMatch(text)
})

test.each([
  ['plan', 0, 0],
  ['plan', 2, 2],
  ['observe', 1, 0],
  ['enforce', 0, 9],
  [null, 0, 0],
] as const)('in %s with %i linked and %i without, nothing is said', (mode, linked, unlinked) => {
  expect(linksMissing({ target: 'one', mode, linked, unlinked })).toEqual([])
})
