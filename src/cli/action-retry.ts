import { assertNever } from '../domain/never.ts'
import { retryAction, retryParkedOn } from '../engine/retry-actions.ts'
import { osActor } from './actor.ts'
import { type Answer, type Call, type Command, textValue } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { reasonGiven, reasonOption } from './reason-given.ts'
import { targetNamed } from './target-named.ts'

const howTo = 'muster action retry ACTION --reason TEXT, or muster action retry --target TARGET --all --reason TEXT'

/** One action, or all that is parked on a target: never both, and never all of everything by a slip. */
const meant = (call: Call): { readonly action: number } | { readonly target: string } => {
  const [written, ...more] = call.words
  const target = textValue(call.values, 'target')
  if (target !== undefined) {
    if (written !== undefined || call.values.all !== true)
      throw usage('one action, or all of a target?', `usage: ${howTo}`)
    return { target: targetNamed(call, target).id }
  }
  const action = Number(written)
  if (written === undefined || !Number.isSafeInteger(action) || more.length > 0 || call.values.all === true)
    throw usage('which action?', `usage: ${howTo}; \`muster action list TARGET\` shows what is parked`)
  return { action }
}

export const actionRetry: Command = {
  summary: 'lets what is parked be tried again, once its cause is mended; audited',
  usage: 'action retry ACTION|--target TARGET --all --reason TEXT',
  more: [
    'ACTION  its number, as `muster action list TARGET` and `muster finding list` show it',
    '--target TARGET --all  everything that is parked there',
    'The person is evaluated, and what is still wanted is planned anew, with attempts, guard and deadline of its own; what',
    'nobody wants any more is dropped. The reason is read by auditors (auditor.reasons).',
  ],
  options: {
    reason: reasonOption,
    target: { type: 'string', takes: 'TARGET', about: 'instead of one ACTION, with --all: those of this target' },
    all: { type: 'boolean', about: 'with --target: everything that is parked there' },
  },
  run: (call) => {
    const what = meant(call)
    const reason = reasonGiven(call)
    return inOffice(call, async ({ db }): Promise<Answer> => {
      const context = { db, nudge: () => {} }
      if ('target' in what) {
        const actions = await retryParkedOn(context, what.target, reason, osActor())
        return {
          json: { target: what.target, kind: 'retried', actions },
          lines: (paint) => [
            actions === 0
              ? `nothing is parked on ${what.target}`
              : `${paint.bold(counted(actions, 'action'))} on ${what.target}: what is still wanted is planned anew`,
          ],
        }
      }
      const told = await retryAction(context, what.action, reason, osActor())
      switch (told.kind) {
        case 'unknown-action':
          throw failure(`there is no action ${what.action}`, '`muster action list TARGET` shows what is open')
        case 'not-parked':
          throw failure(`action ${what.action} is not parked but ${told.state}`, hints[told.state])
        case 'retried':
          return {
            json: { action: what.action, ...told },
            lines: (paint) => [
              `action ${what.action} ${paint.bold('dropped')}: if it is still wanted, it is planned anew`,
            ],
          }
        default:
          return assertNever(told)
      }
    })
  },
}

const goes = 'it goes by itself; `muster show action ACTION` says what it waits for'
const hints = {
  waiting: goes,
  ready: goes,
  dispatched: goes,
  parked: 'somebody else was at it: try again',
  done: 'there is nothing to try again; what is found otherwise later is planned by itself',
  superseded: 'nobody wants it any more, or another one took its place: `muster show identity PERSON` tells',
} as const
