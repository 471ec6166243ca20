import { connectorByHand } from '../app/targets.ts'
import type { TargetId } from '../domain/ids.ts'
import { awaitedAccounts } from '../engine/awaited-accounts.ts'
import { strayAccounts } from '../engine/stray-accounts.ts'
import { awaitedLines } from './awaited-lines.ts'
import type { Answer, Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { strayLines } from './stray-lines.ts'
import { targetNamed } from './target-named.ts'

const patienceMs = 600_000
/** People without an account who are named. */
const atMost = 1_000

export const accountList: Command = {
  summary:
    'accounts on a target that are of nobody, open ones of people who left, and who has none yet; read there now',
  usage: 'account list TARGET',
  run: (call) => {
    const [target, ...more] = call.words
    if (target === undefined || more.length > 0)
      throw usage('of which target?', 'usage: muster account list TARGET; `muster target list` shows them')
    const settings = targetNamed(call, target)
    return inOffice(call, async ({ db, prisma }): Promise<Answer> => {
      const connector = await connectorByHand(settings, db)
      try {
        const connectors = new Map([[connector.target, connector]])
        const read = await strayAccounts({ db, connectors }, target as TargetId, AbortSignal.timeout(patienceMs))
        if (read.kind === 'unread')
          throw failure(`${target} could not be read: ${read.cause}`, '`muster doctor` checks every target')
        const awaited = await awaitedAccounts(db, target as TargetId, atMost)
        const known = await prisma.target.findUnique({ where: { id: target } })
        const on = { target, mode: known?.mode ?? null, accounts: settings.accounts }
        return {
          json: { target, accounts: read.accounts, strays: read.strays, awaited },
          lines: (paint) => [
            ...strayLines(paint, target, read.accounts, read.strays),
            ...awaitedLines(paint, on, awaited, read.names),
          ],
        }
      } finally {
        await connector.close()
      }
    })
  },
}
