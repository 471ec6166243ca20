import type { Office } from '../app/office.ts'
import { type FindingCount, listFindings } from '../engine/list-findings.ts'
import { didYouMean } from '../policies/problem.ts'
import { accountsByName, accountsIn, type NamesThere } from './accounts-by-name.ts'
import { type Call, type Command, textValue } from './command.ts'
import { usage } from './complaint.ts'
import { configOf, inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { aboutText, ageText, detailText, entitlementIn, streamIn } from './finding-about.ts'
import { findingHints } from './finding-hints.ts'
import { entitlementNames, personKeys } from './names.ts'
import type { Paint } from './paint.ts'
import { printable, section, tableLines } from './table.ts'
import { targetNamed } from './target-named.ts'

/** More than these are counted by kind and target first; of many, so many are shown to a person. */
const few = 20
const shown = 100

export const findingList: Command = {
  summary: 'what a human should see, urgent first, and what to do about it',
  usage: 'finding list [--all] [--kind KIND] [--target TARGET] [--names]',
  options: {
    all: { type: 'boolean', about: 'closed ones, too' },
    kind: { type: 'string', takes: 'KIND', about: 'of this kind only' },
    target: { type: 'string', takes: 'TARGET', about: 'about this target only' },
    names: { type: 'boolean', about: 'accounts by what their targets call them, read there now' },
  },
  run: (call) =>
    inOffice(call, async ({ db, prisma, now }) => {
      const targets = call.values.names === true ? configOf(call).targets : null
      const kind = textValue(call.values, 'kind') ?? null
      const target = textValue(call.values, 'target') ?? null
      if (kind !== null) await refuseUnknownKind(prisma, kind)
      if (target !== null) await refuseUnknownTarget(call, prisma, target)
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
      const there =
        targets === null
          ? null
          : await accountsByName(
              targets,
              db,
              findings.flatMap((one) => accountsIn(one) ?? []),
            )
      const at = await now()
      const rows = findings.map(({ identityId, ...finding }) => {
        const entitlement = names.get(entitlementIn(finding)) ?? null
        return {
          ...finding,
          ageSeconds: Math.floor(((finding.closedAt?.getTime() ?? at) - finding.openedAt.getTime()) / 1_000),
          about: aboutText(finding, entitlement, streams),
          entitlement,
          person: people.get(identityId) ?? null,
          ...(there === null ? {} : { accountNames: namesIn(finding, there) }),
        }
      })
      const nothing = call.values.all === true ? 'no finding' : 'no open finding'
      return {
        json: rows,
        lines: (paint) =>
          rows.length === 0
            ? [`${nothing}${kind === null ? '' : ` of kind ${kind}`}${target === null ? '' : ` of ${target}`}`]
            : [...listLines(paint, rows, counts), ...section(paint, 'not read', there?.unread ?? [])],
      }
    }),
}

/** null: it is about no accounts. An account that is not there any more, or was not read, has no name. */
const namesIn = (finding: Parameters<typeof accountsIn>[0], { of }: NamesThere) => {
  const accounts = accountsIn(finding)
  return accounts === null ? null : Object.fromEntries(accounts.ids.map((id) => [id, of(id, accounts.target)]))
}

/** Kinds of an older version may still be in the database. */
const refuseUnknownKind = async (prisma: Office['prisma'], kind: string): Promise<void> => {
  if (Object.hasOwn(findingHints, kind) || (await prisma.finding.findFirst({ where: { kind } })) !== null) return
  throw usage(
    `there is no kind of finding ${printable(kind)}`,
    didYouMean(kind, Object.keys(findingHints)) ??
      '`muster finding list` shows the kinds there are; docs/operators.md explains all',
  )
}

/** Findings of a target that muster.yaml names no more stay; before the first start the database knows none. */
const refuseUnknownTarget = async (call: Call, prisma: Office['prisma'], target: string): Promise<void> => {
  const known = (await prisma.target.findMany({ select: { id: true }, orderBy: { id: 'asc' } })).map(({ id }) => id)
  if (known.includes(target)) return
  if (call.directory !== undefined) targetNamed(call, target)
  else
    throw usage(
      `there is no target ${printable(target)}`,
      known.length === 0 ? 'Muster was never started here' : `Muster knows ${known.join(', ')}`,
    )
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
  readonly closedAt: Date | null
  readonly ageSeconds: number
  readonly detail: unknown
  readonly entitlement: string | null
  readonly accountNames?: Readonly<Record<string, string | null>> | null
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
      ['finding', 'urgent', 'kind', 'about', 'person', 'open for', 'first', 'last', 'times', 'detail'],
      rows
        .slice(0, shown)
        .map((row) => [
          row.id,
          row.urgent,
          row.kind,
          row.about,
          row.person,
          row.closedAt === null ? ageText(row.ageSeconds) : `closed (${ageText(row.ageSeconds)})`,
          row.openedAt,
          row.seenAt,
          row.times,
          detailText(row, row.entitlement, row.accountNames ?? {}),
        ]),
    ),
    ...(all <= shown ? [] : [`… and ${counted(all - shown, 'more finding')}: --kind KIND, --target TARGET, or --json`]),
    ...section(paint, 'what to do (more in docs/operators.md)', tableLines(paint, ['kind', 'do'], todo)),
  ]
}
