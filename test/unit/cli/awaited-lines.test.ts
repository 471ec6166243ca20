import { expect, test } from 'vitest'
import { awaitedLines } from '../../../src/cli/awaited-lines.ts'
import { paintFor } from '../../../src/cli/paint.ts'
import type { Awaited } from '../../../src/engine/awaited-accounts.ts'

const since = Date.parse('2026-11-20T08:00:00Z')
const deadline = Date.parse('2026-11-23T08:00:00Z')
const one = (given: Partial<Awaited> = {}): Awaited => ({
  person: 'P-1',
  wanted: 2,
  since,
  action: null,
  state: null,
  deadline: null,
  overdue: false,
  finding: null,
  doubted: [],
  ...given,
})
const on = { target: 'corp-ldap', mode: 'observe', accounts: 'expect' } as const
const said = (who: Awaited, more: Partial<Parameters<typeof awaitedLines>[1]> = {}, count = 1) =>
  awaitedLines(paintFor(false), { ...on, ...more }, { count, people: [who] }, new Map([['id-1', 'uid=one']])).join('\n')

test('who is awaited, since when, and what becomes of it', () => {
  expect(said(one())).toMatch(/P-1 +2 entitlements +2026-11-20.*none found/)
  expect(said(one())).toContain('accounts: expect')
  expect(said(one(), { accounts: 'create' })).toContain('`enforce` makes one')
  const waiting = { action: 7, state: 'ready', deadline } as const
  expect(said(one(waiting), { mode: 'enforce' })).toMatch(/awaited until 2026-11-23/)
  expect(said(one({ ...waiting, overdue: true }), { mode: 'enforce' })).toMatch(
    /overdue since 2026-11-23.*show action 7/,
  )
  expect(said(one(waiting), { mode: 'enforce', accounts: 'create' })).toContain('to be made')
  expect(said(one({ ...waiting, state: 'parked', finding: 'name-taken' }), { mode: 'enforce' })).toContain(
    'name-taken (`muster show action 7`)',
  )
})

test('whose account is not certain: which those are, by the names that the target has for them', () => {
  const doubted = one({ finding: 'account-ambiguous', doubted: ['id-1', 'id-2'] })
  expect(said(doubted)).toContain('not certain which: uid=one (id-1), id-2')
})

test('nobody: nothing is said; many: how many more', () => {
  expect(awaitedLines(paintFor(false), on, { count: 0, people: [] }, new Map())).toEqual([])
  expect(said(one(), {}, 2_037)).toContain('… and 1987 more people: --json has the first 1')
})
