import type { Office } from '../app/office.ts'
import { linksOf } from '../engine/link.ts'
import { counted } from './counted.ts'
import type { Paint } from './paint.ts'

/** What is known of a target before changes are sent there. */
export type Known = {
  readonly linked: number
  readonly entitlements: number
  /** Nobody knows what these are there. */
  readonly unresolved: number
  /** Nobody has seen who is in these. */
  readonly unlisted: number
  readonly actions: number
}

export const knownOf = async ({ db, prisma }: Pick<Office, 'db' | 'prisma'>, target: string): Promise<Known> => {
  const entitlements = await prisma.entitlement.findMany({ where: { target, managed: true } })
  const resolved = entitlements.filter(({ nativeId }) => nativeId !== null)
  return {
    linked: (await linksOf(db, target)).linked,
    entitlements: entitlements.length,
    unresolved: entitlements.length - resolved.length,
    unlisted: resolved.filter(({ membersReadAt }) => membersReadAt === null).length,
    actions: await prisma.action.count({ where: { target, open: true } }),
  }
}

/** What stands there and was never read seems to be missing: whoever sends changes on that should have been told. */
export const knownLines = (
  paint: Paint,
  target: string,
  { linked, entitlements, unresolved, unlisted, actions }: Known,
): readonly string[] => {
  const isUnread = linked === 0 || unresolved + unlisted > 0
  return [
    `  ${counted(linked, 'account')} linked; ${counted(entitlements, 'entitlement')} in the catalogue: ${unresolved} not resolved, ${unlisted} never listed`,
    `  ${counted(actions, 'action')} planned until now, and what evaluation finds from now on: \`muster action list ${target}\``,
    ...(isUnread
      ? [
          `  ${paint.yellow(`what was never read seems to be missing: was that meant? Back: \`muster target mode ${target} observe\`, then \`muster reconcile ${target}\``)}`,
        ]
      : []),
  ]
}
