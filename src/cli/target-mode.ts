import { assertNever } from '../domain/never.ts'
import { type TargetMode, targetModes } from '../domain/target.ts'
import { setTargetMode } from '../engine/set-target-mode.ts'
import { osActor } from './actor.ts'
import type { Answer, Call, Command } from './command.ts'
import { type Complaint, failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { knownLines, knownOf } from './known-before.ts'
import { targetNamed } from './target-named.ts'

const meaning: Record<TargetMode, string> = {
  observe: 'decisions are shown, nothing is planned or sent',
  plan: 'actions are made and audited, none is sent',
  enforce: 'actions are sent',
}

/** A target is known once `muster serve` has started with it; one that muster.yaml does not name is a slip of the pen. */
const unknown = (call: Call, target: string, known: readonly string[]): Complaint => {
  if (call.directory !== undefined) targetNamed(call, target)
  else if (known.length > 0) return usage(`there is no target ${target}`, `Muster knows ${known.join(', ')}`)
  return failure(
    `Muster was never started with a target ${target}`,
    'start `muster serve` once: it takes in the targets of muster.yaml, each in the mode that stands there',
  )
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
    return inOffice(call, async ({ db, prisma }): Promise<Answer> => {
      const known = wanted === 'enforce' ? await knownOf({ db, prisma }, target) : null
      const set = await setTargetMode({ db, nudge: () => {} }, target, wanted, osActor())
      switch (set.kind) {
        case 'unknown-target':
          throw unknown(call, target, set.known)
        case 'unchanged':
          return {
            json: { target, ...set },
            lines: () => [`${target} is in ${set.mode} already: ${meaning[set.mode]}`],
          }
        case 'set':
          return {
            json: { target, ...set, ...(known === null ? {} : { known }) },
            lines: (paint) => [
              `${target}: ${set.before} → ${paint.bold(set.mode)}: ${meaning[set.mode]}`,
              ...(known === null ? [] : knownLines(paint, target, known)),
            ],
          }
        default:
          return assertNever(set)
      }
    })
  },
}
