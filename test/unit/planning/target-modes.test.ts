import { describe, expect, test } from 'vitest'
import type { Plan } from '../../../src/domain/action.ts'
import { planChanges } from '../../../src/planning/plan-changes.ts'
import { claimed, cloud, corp, held, open, present, type Situation, situation, target } from './situation.ts'

const plan = (given: Situation): Plan => planChanges(situation(given))
const words = ({ create }: Plan): readonly string[] =>
  create.map(
    ({ kind, entitlement, target: on, lane }) => `${lane === 'leaver' ? 'leaver ' : ''}${kind} ${entitlement ?? on}`,
  )

describe('target modes', () => {
  test('observe: no actions, and what is open and unclaimed goes', () => {
    const made = plan({
      targets: [target(corp, { mode: 'observe' }), target(cloud, { mode: 'plan' })],
      wanted: [1, 101],
      grants: [present(2), present(102)],
      open: [open(7, 'grant', 1), open(8, 'revoke', 2, claimed)],
    })
    expect(words(made)).toEqual(['revoke 102', 'grant 101'])
    expect(made.supersede).toEqual([7])
    expect(made.awaited).toMatchObject([{ action: 8 }])
  })

  test('observe holds for leavers too', () => {
    expect(
      words(
        plan({
          is: 'ended',
          targets: [target(corp, { mode: 'observe' })],
          grants: [present(1)],
          open: [open(7, 'grant', 3, claimed)],
        }),
      ),
    ).toEqual([])
  })

  test('nothing is held for a human where nothing would be done', () => {
    expect(plan({ targets: [target(corp, { mode: 'observe' })], wanted: [1], verdicts: { 1: held(2) } }).held).toEqual(
      [],
    )
  })
})
