import type { Actor } from '../domain/actor.ts'
import { assertNever } from '../domain/never.ts'
import { type HoldDecided, rejectHold, releaseHold } from '../engine/decide-hold.ts'
import type { Engine } from '../engine/engine.ts'
import { osActor } from './actor.ts'
import type { Answer, Call, Command } from './command.ts'
import { failure, refusal, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { reasonGiven, reasonOption } from './reason-given.ts'

type Decide = (
  context: Pick<Engine, 'db' | 'nudge'>,
  id: number,
  reason: string,
  actor: Actor,
  people: readonly string[] | null,
) => Promise<HoldDecided>

const deciding =
  (verb: 'reject' | 'release', decide: Decide) =>
  (call: Call): Promise<Answer> => {
    const [written] = call.words
    const id = Number(written)
    if (written === undefined || !Number.isSafeInteger(id) || call.words.length > 1)
      throw usage('which hold?', `usage: muster hold ${verb} HOLD --reason TEXT; \`muster hold list\` shows them`)
    const reason = reasonGiven(call)
    return inOffice(call, async ({ db }) => {
      const decided = await decide({ db, nudge: () => {} }, id, reason, osActor(), peopleOf(call))
      switch (decided.kind) {
        case 'unknown-hold':
          throw failure(`there is no hold ${id}`, '`muster hold list --all` shows every hold')
        case 'already-closed':
          throw failure(
            `hold ${id} is closed already, as ${decided.as}`,
            `\`muster show hold ${id}\` says by whom and why; \`muster hold list\` shows what is open`,
          )
        case 'refused':
          throw decided.because === 'sod-needs-exception'
            ? refusal(
                `hold ${id} is a conflict of duties: no command releases it`,
                'write an exception (approver, reason, control, expiry) into policies/, then `muster policy apply`; or `muster hold reject`',
              )
            : refusal(
                `hold ${id} is a tripped guard: it is not rejected`,
                'correct what HR sent or the policy: what is no longer wanted leaves by itself; or `muster hold release`',
              )
        case 'rejected':
          return {
            json: { hold: id, ...decided },
            lines: (paint) => [`hold ${id} ${paint.bold('rejected')}: denied until what is wanted or held changes`],
          }
        case 'released':
          return {
            json: { hold: id, ...decided },
            lines: (paint) => [
              `hold ${id} ${paint.bold('released')}: ${decided.actions === 1 ? '1 action goes' : `${decided.actions} actions go`} out now`,
            ],
          }
        case 'released-in-part':
          if (decided.actions === 0)
            throw failure(`hold ${id} holds nothing of them`, `\`muster show hold ${id}\` tells whom it holds`)
          return {
            json: { hold: id, ...decided },
            lines: (paint) => [
              `${counted(decided.actions, 'action')} of hold ${id} ${paint.bold('released')}; the others stay held`,
            ],
          }
        default:
          return assertNever(decided)
      }
    })
  }

const options = { reason: reasonOption } as const

/** null: everybody's. */
const peopleOf = ({ values }: Call): readonly string[] | null => {
  const given = values.person
  return Array.isArray(given) ? given.map(String) : null
}

export const holdReject: Command = {
  summary: 'denies what an SoD hold holds; audited',
  usage: 'hold reject HOLD --reason TEXT',
  options,
  run: deciding('reject', rejectHold),
}

export const holdRelease: Command = {
  summary: 'lets a mass change go that the guard held, or some people of it; audited',
  usage: 'hold release HOLD --reason TEXT [--person KEY]…',
  options: {
    ...options,
    person: {
      type: 'string',
      takes: 'KEY',
      multiple: true,
      about: 'only what it holds of this person (personKey); may stand several times',
    },
  },
  run: deciding('release', releaseHold),
}
