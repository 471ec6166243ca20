import { createConnector } from '../app/targets.ts'
import type { TargetId } from '../domain/ids.ts'
import { type Reconciliation, reconcile } from '../engine/reconcile.ts'
import { osActor } from './actor.ts'
import type { Answer, Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { configOf, inOffice } from './configured.ts'
import { counted } from './counted.ts'
import type { Paint } from './paint.ts'

const patienceMs = 600_000

export const reconcileCommand: Command = {
  summary: 'lists who is in each entitlement of a target now, and what changed behind Muster',
  usage: 'reconcile TARGET [--accept-shrunken]',
  options: { 'accept-shrunken': { type: 'boolean' } },
  run: (call) => {
    const [target, ...more] = call.words
    if (target === undefined || more.length > 0)
      throw usage('which target?', 'usage: muster reconcile TARGET; `muster target list` shows them')
    const config = configOf(call)
    const settings = config.targets.find(({ id }) => id === target)
    if (settings === undefined)
      throw failure(`muster.yaml has no target ${target}`, `it has ${config.targets.map(({ id }) => id).join(', ')}`)
    return inOffice(call, async ({ db }): Promise<Answer> => {
      const connector = createConnector(settings)
      try {
        const result = await reconcile(
          { db, connectors: new Map([[connector.target, connector]]), nudge: () => {}, settings: {} },
          target as TargetId,
          {
            actor: osActor(),
            acceptShrunken: call.values['accept-shrunken'] === true,
            signal: AbortSignal.timeout(patienceMs),
          },
        )
        const complete = result.unread.length === 0 && result.shrunken.length === 0 && result.accountsUnread === null
        return { exit: complete ? 0 : 1, json: { complete, ...result }, lines: (paint) => linesOf(result, paint) }
      } finally {
        await connector.close()
      }
    })
  },
}

const linesOf = (result: Reconciliation, paint: Paint): readonly string[] => {
  const { target, listed, members, appeared, missing, found, passing, uncorrelated, noAccounts } = result
  const { accounts, reopened, shutElsewhere, gone, accountsUnread } = result
  const some = (n: number, text: string) => (n === 0 ? [] : [`  ${text}`])
  return [
    `${target}: ${counted(listed, 'entitlement')} listed, ${counted(members, 'member')} known to Muster, ${counted(accounts, 'account')} read`,
    ...(appeared + missing + found + reopened + shutElsewhere + gone === 0
      ? [`  ${paint.green('✓')} nothing changed behind Muster`]
      : []),
    ...some(appeared, paint.yellow(`${counted(appeared, 'grant')} appeared behind Muster`)),
    ...some(missing, paint.yellow(`${counted(missing, 'grant')} taken away behind Muster`)),
    ...some(
      found,
      `${counted(found, 'grant')} found at the first list: \`muster finding list\` names what no rule explains`,
    ),
    ...some(reopened, paint.yellow(`${counted(reopened, 'account')} opened behind Muster: shut again`)),
    ...some(shutElsewhere, paint.yellow(`${counted(shutElsewhere, 'account')} shut behind Muster: left so`)),
    ...some(gone, paint.yellow(`${counted(gone, 'account')} not there any more`)),
    ...(accountsUnread === null
      ? []
      : [`  ${paint.red('✗')} accounts: not read (${accountsUnread}); nothing follows from it`]),
    ...some(passing, `${counted(passing, 'difference')} explained by work in hand, or gone at a second look`),
    ...some(uncorrelated, `${counted(uncorrelated, 'member')} that Muster knows nobody for`),
    ...some(noAccounts, `${counted(noAccounts, 'member')} that are no accounts`),
    ...result.unread.map(
      ({ key, cause }) => `  ${paint.red('✗')} ${key}: not read (${cause}); nothing follows from it`,
    ),
    ...result.shrunken.map(
      ({ key, believed, gone }) =>
        `  ${paint.red('✗')} ${key}: ${gone} of ${believed} are not listed; too many to believe, so nothing follows. Look there; if it is so: --accept-shrunken`,
    ),
  ]
}
