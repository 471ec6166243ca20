import type { Office } from '../app/office.ts'
import { type GuardHold, type HeldGroup, listHeld, peopleHeld } from '../engine/list-held.ts'
import { reasonText } from '../planning/print.ts'
import { counted } from './counted.ts'
import { causeRow, type HeldCause, heldCauses } from './held-causes.ts'
import { entitlementNames } from './names.ts'
import type { Paint } from './paint.ts'
import { printable, section, tableLines } from './table.ts'

/** At most so many people are named. */
const namedPeople = 20

export type HeldSummary = {
  readonly actions: number
  readonly people: number
  /** The first of them, in the order in which they were planned. */
  readonly named: readonly string[]
  /** What is to happen and why → how many actions, the most frequent first. */
  readonly why: readonly (readonly [string, number])[]
  readonly causes: readonly HeldCause[]
}

const sum = (groups: readonly HeldGroup[]): number => groups.reduce((total, { actions }) => total + actions, 0)

/** What a tripped guard holds now. */
export const heldSummary = async (office: Pick<Office, 'db' | 'prisma'>, hold: GuardHold): Promise<HeldSummary> => {
  const groups = (await listHeld(office.db, [hold])).get(hold) ?? []
  const who = await peopleHeld(office.db, hold, namedPeople)
  const names = await entitlementNames(
    office.prisma,
    groups.map(({ entitlement }) => entitlement),
  )
  const textOf = ({ kind, entitlement, reason }: HeldGroup) =>
    `${entitlement === null ? kind : `${kind} ${names.get(entitlement) ?? entitlement}`}: ${reasonText(reason)}`
  return {
    actions: sum(groups),
    ...who,
    why: [...Map.groupBy(groups, textOf)]
      .map(([text, alike]) => [text, sum(alike)] as const)
      .sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1)),
    causes: heldCauses(groups),
  }
}

export const heldLines = (paint: Paint, { actions, people, named, why, causes }: HeldSummary): readonly string[] => {
  if (actions === 0)
    return [
      '',
      'It holds nothing now: what it held is done, or no longer wanted. It is open, and holds what else comes until it is released.',
    ]
  return [
    ...section(paint, `holds ${counted(actions, 'action')} of ${counted(people, 'person', 'people')}`, [
      ...tableLines(
        paint,
        ['actions', 'what, and why'],
        why.map(([text, count]) => [count, text]),
      ),
      `${named.map(printable).join(', ')}${people > named.length ? `, and ${people - named.length} more` : ''}`,
    ]),
    ...section(
      paint,
      'brought by',
      tableLines(paint, ['actions', 'cause', 'last word of HR about them'], causes.map(causeRow)),
    ),
  ]
}
