import type { Office } from '../app/office.ts'
import { connectorByHand } from '../app/targets.ts'
import type { TargetId } from '../domain/ids.ts'
import { awaitedCount } from '../engine/awaited-accounts.ts'
import { reconcile } from '../engine/reconcile.ts'
import type { Change, Reconciliation } from '../engine/reconciler.ts'
import { osActor } from './actor.ts'
import type { Answer, Command } from './command.ts'
import { usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { nothingKnown } from './nothing-known.ts'
import type { Paint } from './paint.ts'
import { printable } from './table.ts'
import { targetNamed } from './target-named.ts'

const patienceMs = 600_000
/** Changes that a person is told one by one. */
const namedChanges = 20

export const reconcileCommand: Command = {
  summary: 'lists who is in each entitlement of a target now, and what changed behind Muster',
  usage: 'reconcile TARGET [--full] [--accept-shrunken]',
  options: {
    full: { type: 'boolean', about: 'reads everything, also where a change log would name what changed' },
    'accept-shrunken': {
      type: 'boolean',
      about: 'believes lists that lack many who were there: whoever is not listed has lost it; look there first',
    },
  },
  run: (call) => {
    const [target, ...more] = call.words
    if (target === undefined || target === '')
      throw usage('which target?', 'usage: muster reconcile TARGET; `muster target list` shows them')
    if (more.length > 0)
      throw usage(`what is ${more.join(' ')}?`, 'usage: muster reconcile TARGET [--full] [--accept-shrunken]')
    const settings = targetNamed(call, target)
    return inOffice(call, async ({ db, prisma }): Promise<Answer> => {
      const connector = await connectorByHand(settings, db)
      try {
        const result = await reconcile(
          { db, connectors: new Map([[connector.target, connector]]), nudge: () => {}, settings: {} },
          target as TargetId,
          {
            actor: osActor(),
            acceptShrunken: call.values['accept-shrunken'] === true,
            full: call.values.full === true || call.values['accept-shrunken'] === true,
            signal: AbortSignal.timeout(patienceMs),
          },
        )
        const unread = [...result.unread, ...(await notResolvedYet(prisma, target, result.unread))]
        const { shrunken, accountsUnread, uncorrelatedPeople, indirectUnread } = result
        const complete =
          unread.length === 0 &&
          shrunken.length === 0 &&
          [accountsUnread, uncorrelatedPeople, indirectUnread].every((cause) => cause === null)
        const unknown = await nothingKnown(prisma, target, { read: true })
        // What the run did is told, whatever becomes of this question.
        const awaited = await awaitedCount(db, target as TargetId).catch(() => null)
        return {
          exit: complete ? 0 : 1,
          json: { complete, nothingKnown: unknown, ...result, unread, awaited },
          lines: (paint) => linesOf({ ...result, unread }, awaited, complete, unknown, paint),
        }
      } finally {
        await connector.close()
      }
    })
  },
}

/** The target knows them, and the engine has not asked yet: they were not listed. */
const notResolvedYet = async (
  prisma: Office['prisma'],
  target: string,
  told: Reconciliation['unread'],
): Promise<Reconciliation['unread']> => {
  const open = await prisma.entitlement.findMany({
    where: { target, managed: true, nativeId: null, key: { notIn: told.map(({ key }) => key) } },
    orderBy: { id: 'asc' },
  })
  return open.flatMap(({ key }) => (key === null ? [] : [{ key, cause: 'not resolved yet: `muster serve` does it' }]))
}

const words = { appeared: 'let in', missing: 'taken out', found: 'found' } as const
const changeLine = ({ drift, person, entitlement }: Change): string =>
  `    ${words[drift].padEnd(9)}  ${printable(person)}  ${entitlement}`

const firstKeys = (keys: readonly { readonly key: string }[]): string =>
  `${keys
    .slice(0, 10)
    .map(({ key }) => key)
    .join(', ')}${keys.length > 10 ? ' …' : ''}`

const linesOf = (
  result: Reconciliation,
  /** People who should hold something there and have no account; null: not counted. */
  awaited: number | null,
  complete: boolean,
  unknown: string | null,
  paint: Paint,
): readonly string[] => {
  const { target, listed, members, appeared, missing, found, passing, uncorrelated, noAccounts, changes } = result
  const { accounts, reopened, shutElsewhere, renamed, gone, outOfSight, accountsUnread, indirect, indirectUnread } =
    result
  const some = (n: number, text: string) => (n <= 0 ? [] : [`  ${text}`])
  const cross = (text: string) => `  ${paint.red('✗')} ${text}`
  const isQuiet =
    complete &&
    unknown === null &&
    [appeared, missing, found, reopened, shutElsewhere, renamed, gone, indirect].every((n) => n === 0)
  return [
    `${target}: ${counted(listed, 'entitlement')} listed, ${counted(members, 'member')} known to Muster, ${counted(accounts, 'linked account')} read`,
    ...(unknown === null ? [] : [`  ${unknown}`]),
    ...(isQuiet ? [`  ${paint.green('✓')} nothing changed behind Muster since it last looked`] : []),
    ...some(
      result.linked,
      `${counted(result.linked, 'account')} linked to people: \`muster adopt plan ${target}\` shows what they hold`,
    ),
    ...some(
      result.ambiguous,
      paint.yellow(
        `${counted(result.ambiguous, 'person', 'people')} whose account is not certain: \`muster finding list --kind account-ambiguous\``,
      ),
    ),
    ...some(
      awaited ?? 0,
      paint.yellow(
        `${counted(awaited ?? 0, 'person', 'people')} who should hold something there and ${awaited === 1 ? 'has' : 'have'} no account linked: \`muster account list ${target}\` names them`,
      ),
    ),
    ...(result.uncorrelatedPeople === null
      ? []
      : [cross(`people's accounts: not read (${result.uncorrelatedPeople})`)]),
    ...some(appeared, paint.yellow(`${counted(appeared, 'grant')} appeared behind Muster`)),
    ...some(missing, paint.yellow(`${counted(missing, 'grant')} taken away behind Muster`)),
    ...some(found, `${counted(found, 'grant')} found at the first list`),
    ...changes.slice(0, namedChanges).map(changeLine),
    ...some(changes.length - namedChanges, `  … and ${changes.length - namedChanges} more: --json has all of them`),
    ...some(
      changes.length,
      `what follows is said by the \`drift\` of the entitlement: \`muster finding list\`, \`muster why PERSON ENTITLEMENT\``,
    ),
    ...some(reopened, paint.yellow(`${counted(reopened, 'account')} opened behind Muster, to be shut`)),
    ...some(shutElsewhere, paint.yellow(`${counted(shutElsewhere, 'account')} shut behind Muster: left so`)),
    ...some(renamed, paint.yellow(`${counted(renamed, 'account')} renamed or moved behind Muster`)),
    ...some(gone, paint.yellow(`${counted(gone, 'account')} not there any more`)),
    ...some(
      outOfSight,
      paint.yellow(
        `${counted(outOfSight, 'account')} out of sight: gone, or where Muster may not look; \`muster doctor\``,
      ),
    ),
    ...some(
      indirect,
      paint.yellow(
        `${counted(indirect, 'entitlement')} newly held by nested groups or the primary group: counted, never revoked`,
      ),
    ),
    ...some(passing, `${counted(passing, 'difference')} explained by work in hand, or gone at a second look`),
    ...some(
      uncorrelated,
      `${counted(uncorrelated, 'member')} that Muster knows nobody for: \`muster finding list\` names them`,
    ),
    ...some(noAccounts, `${counted(noAccounts, 'member')} that are no accounts`),
    ...(accountsUnread === null ? [] : [cross(`accounts: ${accountsUnread}; nothing follows from what is not shown`)]),
    ...(indirectUnread === null
      ? []
      : [cross(`nested and primary groups: ${indirectUnread}; what was known of them still counts`)]),
    ...[...Map.groupBy(result.unread, ({ cause }) => cause)].map(([cause, keys]) =>
      cross(
        `not read (${cause}), so nothing follows: ${counted(keys.length, 'entitlement')}, ${firstKeys(keys)}; \`muster doctor\` looks at the target`,
      ),
    ),
    ...result.shrunken.map(({ key, believed, gone: lost }) =>
      cross(
        `${key}: ${lost} of ${believed} are not listed; too many to believe, so nobody is taken for gone. Look there; if it is so: --accept-shrunken`,
      ),
    ),
  ]
}
