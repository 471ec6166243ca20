import { assertNever } from '../domain/never.ts'
import { type TargetMode, targetModes } from '../domain/target.ts'
import { setTargetMode } from '../engine/set-target-mode.ts'
import { osActor } from './actor.ts'
import type { Answer, Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'

const meaning: Record<TargetMode, string> = {
  observe: 'decisions are shown, nothing is planned or sent',
  plan: 'actions are made and audited, none is sent',
  enforce: 'actions are sent',
}

export const targetMode: Command = {
  summary: `observe, plan or enforce; audited`,
  usage: 'target mode TARGET MODE',
  run: (call) => {
    const [target, mode] = call.words
    const wanted = targetModes.find((known) => known === mode)
    if (mode !== undefined && wanted === undefined)
      throw usage(`there is no mode ${mode}`, `a mode is one of ${targetModes.join(', ')}`)
    if (target === undefined || wanted === undefined || call.words.length > 2)
      throw usage('which target, and which mode?', `usage: muster target mode TARGET ${targetModes.join('|')}`)
    return inOffice(call, async ({ db }): Promise<Answer> => {
      const set = await setTargetMode({ db, nudge: () => {} }, target, wanted, osActor())
      switch (set.kind) {
        case 'unknown-target':
          throw failure(
            `Muster was never started with a target ${target}`,
            '`muster target list` shows those that it knows',
          )
        case 'unchanged':
          return {
            json: { target, ...set },
            lines: () => [`${target} is in ${set.mode} already: ${meaning[set.mode]}`],
          }
        case 'set':
          return {
            json: { target, ...set },
            lines: (paint) => [`${target}: ${set.before} → ${paint.bold(set.mode)}: ${meaning[set.mode]}`],
          }
        default:
          return assertNever(set)
      }
    })
  },
}
