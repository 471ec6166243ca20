import { expect, test } from 'vitest'
import { planChanges } from '../../../src/planning/plan-changes.ts'
import { planJson, planLines } from '../../../src/planning/print.ts'
import { account, claimed, corp, held, open, present, situation, waitsFor } from './situation.ts'

const nameOf = (id: number) => `E${id}`

test('a mover, for people', () => {
  const plan = planChanges(
    situation({
      wanted: [1, 3, 101],
      verdicts: { 1: waitsFor(2), 3: held(9) },
      accounts: [account(1, corp)],
      grants: [present(2)],
      open: [open(7, 'grant', 5), open(8, 'grant', 6, claimed)],
    }),
  )
  expect(planLines(plan, nameOf)).toEqual([
    'revoke E2 on corp: no longer assigned',
    'ensureAccount on cloud: something is assigned there',
    'grant E101 on cloud (waits until the account is there): assigned by rule-101',
    'grant E1 on corp (waits until E2 is verified gone): assigned by rule-1',
    'hold E3: maker-checker (against E9)',
    'await the outcome of action 8',
    'supersede action 7',
  ])
})

test('a leaver, for people', () => {
  const plan = planChanges(
    situation({
      is: 'ended',
      accounts: [account(1, corp)],
      grants: [present(2, { managed: false })],
      open: [open(8, 'grant', 6, claimed)],
    }),
  )
  expect(planLines(plan, nameOf)).toEqual([
    'at once: disable on corp: a leaver keeps nothing',
    'at once: revoke E2 on corp: a leaver keeps nothing, known to the catalogue or not',
    'at once: revoke E6 on corp: action 8 was going out already',
    'at once: ensureAccount on cloud: a leaver may have an account of which nothing is known',
    'await the outcome of action 8',
  ])
})

test('for machines: survives JSON as it is, with names', () => {
  const plan = planChanges(situation({ wanted: [1], verdicts: { 1: waitsFor(2) }, grants: [present(2)] }))
  const value = planJson(plan, nameOf)
  expect(JSON.parse(JSON.stringify(value))).toEqual(value)
  expect(value).toMatchObject({
    create: [
      { kind: 'revoke', target: 'corp', entitlement: 2, name: 'E2', lane: 'bulk' },
      { kind: 'grant', name: 'E1', afterRevokeOf: [{ entitlement: 2, name: 'E2' }] },
    ],
  })
})
