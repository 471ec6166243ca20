import type { Office } from '../app/office.ts'
import { linksOf } from '../engine/link.ts'
import { type OpenOfActionKind, type OpenOfKind, openOn } from '../engine/open-on.ts'
import { counted } from './counted.ts'
import type { Paint } from './paint.ts'
import { printable } from './table.ts'

/** What is known of a target before changes are sent there. */
export type Known = {
  readonly linked: number
  readonly entitlements: number
  /** Nobody knows what these are there. */
  readonly unresolved: number
  /** Nobody has seen who is in these. */
  readonly unlisted: number
  readonly actions: number
  readonly actionsByKind: readonly OpenOfActionKind[]
  readonly findings: readonly OpenOfKind[]
}

export const knownOf = async ({ db, prisma }: Pick<Office, 'db' | 'prisma'>, target: string): Promise<Known> => {
  const entitlements = await prisma.entitlement.findMany({ where: { target, managed: true } })
  const { actionsByKind, findings } = await openOn(db, target)
  const resolved = entitlements.filter(({ nativeId }) => nativeId !== null)
  return {
    linked: (await linksOf(db, target)).linked,
    entitlements: entitlements.length,
    unresolved: entitlements.length - resolved.length,
    unlisted: resolved.filter(({ membersReadAt }) => membersReadAt === null).length,
    actions: actionsByKind.reduce((sum, { count }) => sum + count, 0),
    actionsByKind,
    findings,
  }
}

/** What stands there and was never read seems to be missing: whoever sends changes on that should have been told. */
export const knownLines = (
  paint: Paint,
  target: string,
  { linked, entitlements, unresolved, unlisted, actions, actionsByKind, findings }: Known,
): readonly string[] => {
  const isUnread = linked === 0 || unresolved + unlisted > 0
  return [
    `  ${counted(linked, 'account')} linked; ${counted(entitlements, 'entitlement')} in the catalogue: ${unresolved} not resolved, ${unlisted} never listed`,
    `  ${counted(actions, 'action')} planned until now, and what evaluation finds from now on: \`muster action list ${target}\``,
    ...(actions === 0 ? [] : [`    ${actionsByKind.map(kindText).join(', ')}`]),
    ...findingLines(paint, target, findings),
    ...(isUnread
      ? [
          `  ${paint.yellow(`what was never read seems to be missing: was that meant? Back: \`muster target mode ${target} observe\`, then \`muster reconcile ${target}\``)}`,
        ]
      : []),
  ]
}

const kindText = ({ kind, count, attributesDiffer }: OpenOfActionKind): string =>
  `${count} ${kind}${attributesDiffer === 0 ? '' : ` (${attributesDiffer} of them where attributes differ: what the mapping says is written)`}`

const findingLines = (paint: Paint, target: string, findings: Known['findings']): readonly string[] => {
  if (findings.length === 0) return [`  no open finding of ${target}`]
  const all = findings.reduce((sum, { count }) => sum + count, 0)
  const urgent = ({ count, urgent: some }: OpenOfKind) =>
    some === 0 ? '' : paint.yellow(some === count ? ' (urgent)' : ` (${some} urgent)`)
  return [
    `  ${counted(all, 'open finding')}: \`muster finding list --target ${target}\``,
    `    ${findings.map((one) => `${one.count} ${printable(one.kind)}${urgent(one)}`).join(', ')}`,
  ]
}
