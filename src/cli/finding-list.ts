import { type FindingCount, listFindings } from '../engine/list-findings.ts'
import { type Command, textValue } from './command.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { aboutText, detailText, entitlementIn, streamIn } from './finding-about.ts'
import { findingHints } from './finding-hints.ts'
import { entitlementNames, personKeys } from './names.ts'
import type { Paint } from './paint.ts'
import { section, tableLines } from './table.ts'

/** More than these are counted by kind and target first; of many, so many are shown to a person. */
const few = 20
const shown = 100

export const findingList: Command = {
  summary: 'what a human should see, urgent first, and what to do about it',
  usage: 'finding list [--all] [--kind KIND] [--target TARGET]',
  options: { all: { type: 'boolean' }, kind: { type: 'string' }, target: { type: 'string' } },
  run: (call) =>
    inOffice(call, async ({ db, prisma }) => {
      const kind = textValue(call.values, 'kind') ?? null
      const target = textValue(call.values, 'target') ?? null
      const filter = { all: call.values.all === true, kind, target }
      const { places, counts } = await listFindings(db, filter, 1_000)
      const read = new Map(
        (await prisma.finding.findMany({ where: { id: { in: places.map(({ id }) => id) } } })).map((one) => [
          one.id,
          one,
        ]),
      )
      const findings = places.flatMap((place) => {
        const one = read.get(place.id)
        return one === undefined ? [] : [{ ...one, target: place.target }]
      })
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
            ? [`${nothing}${kind === null ? '' : ` of kind ${kind}`}${target === null ? '' : ` of ${target}`}`]
            : listLines(paint, rows, counts),
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

const listLines = (paint: Paint, rows: readonly Row[], counts: readonly FindingCount[]): readonly string[] => {
  const all = counts.reduce((sum, { count }) => sum + count, 0)
  const kinds = [...new Set(counts.map(({ kind }) => kind))]
  const todo = kinds.map((kind) => [kind, findingHints[kind] ?? 'docs/operators.md'] as const)
  return [
    ...(all <= few
      ? []
      : [
          ...tableLines(
            paint,
            ['findings', 'kind', 'target'],
            counts.map(({ count, kind, target }) => [count, kind, target]),
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
    ...(all <= shown ? [] : [`… and ${counted(all - shown, 'more finding')}: --kind KIND, --target TARGET, or --json`]),
    ...section(paint, 'what to do (more in docs/operators.md)', tableLines(paint, ['kind', 'do'], todo)),
  ]
}
