import { lookupProblemOn } from '../app/lookup-problems.ts'
import { fileProblem } from '../config.ts'
import { assertNever } from '../domain/never.ts'
import { applyPolicy } from '../engine/apply-policy.ts'
import { osActor } from './actor.ts'
import type { Answer, Command } from './command.ts'
import { Complaint } from './complaint.ts'
import { configOf, inOffice, problemsOf } from './configured.ts'
import { counted } from './counted.ts'

/** A running engine notices the new version with its next batch; nobody has to be told. */
const nobody = () => {}

export const policyApply: Command = {
  summary: 'makes the policy files the active version, and everybody is evaluated again',
  usage: 'policy apply',
  run: (call) => {
    const { targets, policyFiles } = configOf(call)
    return inOffice(call, async ({ db }): Promise<Answer> => {
      const applied = await applyPolicy(
        { db, targets, nudge: nobody, lookupProblem: lookupProblemOn(targets) },
        policyFiles,
        osActor(),
      )
      switch (applied.kind) {
        case 'invalid':
          throw new Complaint(
            1,
            'the policies have mistakes: nothing was changed',
            null,
            problemsOf(applied.problems.map(fileProblem)),
          )
        case 'unchanged':
        case 'other-active':
          return {
            json: applied,
            lines: () => [`version ${applied.version} is active already and means the same: nothing to do`],
          }
        case 'applied':
          return {
            json: applied,
            lines: (paint) => [
              `${paint.green('active')}: version ${applied.version}, ${counted(applied.identities, 'person is', 'people are')} evaluated again`,
              paint.dim(`version hash ${applied.hash}`),
            ],
          }
        default:
          return assertNever(applied)
      }
    })
  },
}
