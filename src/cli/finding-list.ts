import { type Command, textValue } from './command.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { aboutText, detailText, entitlementIn, streamIn } from './finding-about.ts'
import { findingHints } from './finding-hints.ts'
import { entitlementNames, personKeys } from './names.ts'
import type { Paint } from './paint.ts'
import { section, tableLines } from './table.ts'

/** More than these are counted by kind first; of many, so many are shown to a person. */
const few = 20
const shown = 100

export const findingList: Command = {
  summary: 'what a human should see, urgent first, and what to do about it',
  usage: 'finding list [--all] [--kind KIND]',
  options: { all: { type: 'boolean' }, kind: { type: 'string' } },
  run: (call) =>
    inOffice(call, async ({ prisma }) => {
      const kind = textValue(call.values, 'kind')
      const where = { ...(call.values.all === true ? {} : { closedAt: null }), ...(kind === undefined ? {} : { kind }) }
      const [findings, counts] = await Promise.all([
        prisma.finding.findMany({ where, orderBy: [{ urgent: 'desc' }, { seenAt: 'desc' }], take: 1_000 }),
        prisma.finding.groupBy({ by: ['kind'], where, _count: true }),
      ])
      const people = await personKeys(
        prisma,
        findings.map(({ identityId }) => identityId),
      )
      const names = await entitlementNames(prisma, findings.map(entitlementIn))
      const streams = new Map(
        (
          await prisma.stream.findMany({
            where: { id: { in: findings.flatMap((one) => streamIn(one) ?? []) } },
            select: { id: true, topic: true, partition: true, current: true },
          })
        ).map(({ id, ...place }) => [id, place]),
      )
      const rows = findings.map(({ identityId, ...finding }) => {
        const entitlement = names.get(entitlementIn(finding)) ?? null
        return {
          ...finding,
          about: aboutText(finding, entitlement, streams),
          entitlement,
          person: people.get(identityId) ?? null,
        }
      })
      const nothing = call.values.all === true ? 'no finding' : 'no open finding'
      return {
        json: rows,
        lines: (paint) =>
          rows.length === 0
            ? [kind === undefined ? nothing : `${nothing} of kind ${kind}`]
            : listLines(
                paint,
                rows,
                counts.map((one) => [one.kind, one._count]),
              ),
      }
    }),
}

type Row = {
  readonly id: bigint
  readonly urgent: boolean
  readonly kind: string
  readonly key: string
  readonly about: string
  readonly person: string | null
  readonly times: number
  readonly openedAt: Date
  readonly seenAt: Date
  readonly detail: unknown
  readonly entitlement: string | null
}

const listLines = (
  paint: Paint,
  rows: readonly Row[],
  counts: readonly (readonly [kind: string, count: number])[],
): readonly string[] => {
  const all = counts.reduce((sum, [, count]) => sum + count, 0)
  const kinds = [...counts].sort(([, one], [, other]) => other - one)
  const todo = kinds.map(([kind]) => [kind, findingHints[kind] ?? 'docs/operators.md'] as const)
  return [
    ...(all <= few
      ? []
      : [
          ...tableLines(
            paint,
            ['findings', 'kind'],
            kinds.map(([kind, count]) => [count, kind]),
          ),
          '',
        ]),
    ...tableLines(
      paint,
      ['finding', 'urgent', 'kind', 'about', 'person', 'times', 'first', 'last', 'detail'],
      rows
        .slice(0, shown)
        .map((row) => [
          row.id,
          row.urgent,
          row.kind,
          row.about,
          row.person,
          row.times,
          row.openedAt,
          row.seenAt,
          detailText(row, row.entitlement),
        ]),
    ),
    ...(all <= shown ? [] : [`… and ${counted(all - shown, 'more finding')}: --kind KIND, or --json`]),
    ...section(paint, 'what to do (more in docs/operators.md)', tableLines(paint, ['kind', 'do'], todo)),
  ]
}
