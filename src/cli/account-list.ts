import { connectorByHand } from '../app/targets.ts'
import type { TargetId } from '../domain/ids.ts'
import { type Stray, strayAccounts } from '../engine/stray-accounts.ts'
import type { Answer, Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { tableLines } from './table.ts'
import { targetNamed } from './target-named.ts'

const patienceMs = 600_000
const told = { nobody: 'nobody whom Muster knows', left: 'somebody who left, and it is open' } as const

export const accountList: Command = {
  summary: 'accounts on a target that are of nobody, and open ones of people who left; read there now',
  usage: 'account list TARGET',
  run: (call) => {
    const [target, ...more] = call.words
    if (target === undefined || more.length > 0)
      throw usage('of which target?', 'usage: muster account list TARGET; `muster target list` shows them')
    const settings = targetNamed(call, target)
    return inOffice(call, async ({ db }): Promise<Answer> => {
      const connector = connectorByHand(settings, db)
      try {
        const connectors = new Map([[connector.target, connector]])
        const read = await strayAccounts({ db, connectors }, target as TargetId, AbortSignal.timeout(patienceMs))
        if (read.kind === 'unread')
          throw failure(`${target} could not be read: ${read.cause}`, '`muster doctor` checks every target')
        return {
          json: { target, accounts: read.accounts, strays: read.strays },
          lines: (paint) =>
            read.strays.length === 0
              ? [`${target}: ${counted(read.accounts, 'account')}, each of somebody; nobody who left has an open one`]
              : [
                  ...tableLines(
                    paint,
                    ['account', 'name there', 'open', 'key on it', 'of'],
                    read.strays.map((one: Stray) => [
                      one.nativeId,
                      one.name,
                      one.enabled,
                      one.key,
                      one.person ?? told[one.is],
                    ]),
                  ),
                  `${counted(read.strays.length, 'account')} of ${read.accounts}; whose one is, a human says: \`muster link PERSON ${target} ACCOUNT --reason TEXT\``,
                ],
        }
      } finally {
        await connector.close()
      }
    })
  },
}
