import type { Adoptable } from '../engine/adopt.ts'
import type { Paint } from './paint.ts'
import { section, tableLines } from './table.ts'

type Conflict = Adoptable['conflicts'][number]

const howText = ({ how, rules }: Conflict): string =>
  how === 'held'
    ? `held${rules.length === 0 ? '' : `, by ${rules.join(', ')}`}`
    : `wanted${rules.length === 0 ? '' : ` by ${rules.join(', ')}`}, and held back`

/** One conflict of one person. */
export const conflictText = (conflict: Conflict): string =>
  `${conflict.with} (${howText(conflict)}; ${conflict.policy})`

/** What is, or would be, adopted although it stands in a conflict: of how many people, by which policy, with what. */
export const conflictLines = (paint: Paint, all: readonly Adoptable[]): readonly string[] => {
  const rows = all.flatMap(({ key, conflicts }) =>
    conflicts.map((conflict) => ({ key, conflict, how: howText(conflict) })),
  )
  if (rows.length === 0) return []
  const alike = Map.groupBy(rows, ({ key, conflict, how }) =>
    JSON.stringify([key, conflict.policy, conflict.with, how]),
  )
  return [
    ...section(
      paint,
      'in conflict',
      tableLines(
        paint,
        ['people', 'adopted', 'SoD policy', 'in conflict with', 'which is'],
        [...alike.values()].map((some) => [
          some.length,
          some[0]?.key,
          some[0]?.conflict.policy,
          some[0]?.conflict.with,
          some[0]?.how,
        ]),
      ),
    ),
    '  nothing is taken away for a conflict: what is held on both sides is the finding `sod-violation`, and what a rule wants beside what is adopted',
    '  waits in `muster hold list` from mode plan on. Take one side away (`muster adopt end`, or the rule), or write an exception',
    '',
  ]
}
