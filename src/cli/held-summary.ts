import type { Office } from '../app/office.ts'
import { kindsOf } from '../planning/guard.ts'
import { reasonText } from '../planning/print.ts'
import { counted } from './counted.ts'
import { entitlementNames, personKeys } from './names.ts'
import type { Paint } from './paint.ts'
import { printable, section, tableLines } from './table.ts'

type Prisma = Office['prisma']

/** At most so many actions are looked at, and so many people named. */
const most = 10_000
const namedPeople = 20

export type HeldSummary = {
  readonly actions: number
  readonly people: number
  /** The first of them, in the order in which they were planned. */
  readonly named: readonly string[]
  /** What is to happen and why → how many actions, the most frequent first. */
  readonly why: readonly (readonly [string, number])[]
}

/** What a tripped guard holds now. */
export const heldSummary = async (
  prisma: Prisma,
  hold: { readonly target: string | null; readonly entitlementId: number | null; readonly policies: readonly string[] },
): Promise<HeldSummary> => {
  const actions = await prisma.action.findMany({
    where: {
      target: hold.target ?? '',
      kind: { in: [...(kindsOf[hold.policies[0] as keyof typeof kindsOf] ?? [])] },
      ...(hold.entitlementId === null ? {} : { entitlementId: hold.entitlementId }),
      state: { in: ['ready', 'waiting'] },
      open: true,
      guarded: true,
      guardReleased: false,
    },
    orderBy: { id: 'asc' },
    take: most,
    select: { identityId: true, kind: true, entitlementId: true, reason: true },
  })
  const ids = [...new Set(actions.map(({ identityId }) => identityId))]
  const names = await entitlementNames(
    prisma,
    actions.map(({ entitlementId }) => entitlementId),
  )
  const people = await personKeys(prisma, ids.slice(0, namedPeople))
  const counts = new Map<string, number>()
  for (const { kind, entitlementId, reason } of actions) {
    const what = entitlementId === null ? kind : `${kind} ${names.get(entitlementId) ?? entitlementId}`
    const text = `${what}: ${reasonText(reason as Parameters<typeof reasonText>[0])}`
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return {
    actions: actions.length,
    people: ids.length,
    named: ids.slice(0, namedPeople).map((id) => people.get(id) ?? String(id)),
    why: [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1)),
  }
}

export const heldLines = (paint: Paint, { actions, people, named, why }: HeldSummary): readonly string[] => {
  if (actions === 0)
    return [
      '',
      'It holds nothing now: what it held is done, or no longer wanted. It is open, and holds what else comes until it is released.',
    ]
  return section(paint, `holds ${counted(actions, 'action')} of ${counted(people, 'person', 'people')}`, [
    ...tableLines(
      paint,
      ['actions', 'what, and why'],
      why.map(([text, count]) => [count, text]),
    ),
    `${named.map(printable).join(', ')}${people > named.length ? `, and ${people - named.length} more` : ''}`,
  ])
}
