import { connectorByHand } from '../app/targets.ts'
import type { TargetId } from '../domain/ids.ts'
import { strayAccounts } from '../engine/stray-accounts.ts'
import type { Answer, Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { strayLines } from './stray-lines.ts'
import { targetNamed } from './target-named.ts'

const patienceMs = 600_000

export const accountList: Command = {
  summary: 'accounts on a target that are of nobody, and open ones of people who left; read there now',
  usage: 'account list TARGET',
  run: (call) => {
    const [target, ...more] = call.words
    if (target === undefined || more.length > 0)
      throw usage('of which target?', 'usage: muster account list TARGET; `muster target list` shows them')
    const settings = targetNamed(call, target)
    return inOffice(call, async ({ db }): Promise<Answer> => {
      const connector = await connectorByHand(settings, db)
      try {
        const connectors = new Map([[connector.target, connector]])
        const read = await strayAccounts({ db, connectors }, target as TargetId, AbortSignal.timeout(patienceMs))
        if (read.kind === 'unread')
          throw failure(`${target} could not be read: ${read.cause}`, '`muster doctor` checks every target')
        return {
          json: { target, accounts: read.accounts, strays: read.strays },
          lines: (paint) => strayLines(paint, target, read.accounts, read.strays),
        }
      } finally {
        await connector.close()
      }
    })
  },
}
