import type { Office } from '../app/office.ts'

/**
 * Why nothing can be told of what stands on a target, with what to do; null: people and entitlements are known there. Of nobody
 * and nothing everything would seem to be in order. `read`: a reconciliation has just been at it, and need not be named.
 */
export const nothingKnown = async (
  prisma: Office['prisma'],
  target: string,
  { read }: { readonly read: boolean } = { read: false },
): Promise<string | null> => {
  if ((await prisma.target.findUnique({ where: { id: target } })) === null)
    return 'nothing is known yet, for Muster was never started with it: start `muster serve` once'
  if ((await prisma.account.findFirst({ where: { target, unlinkedAt: null } })) === null)
    return `nothing is known yet, for no account there is linked to anybody: ${read ? '' : `\`muster reconcile ${target}\` links those that carry the key of somebody whom HR has published; `}\`muster account list ${target}\` shows all ${read ? 'that are there' : 'others'}`
  if ((await prisma.entitlement.findFirst({ where: { target } })) === null)
    return 'nothing is known yet, for no policy names an entitlement there: see `muster policy apply`'
  return null
}
