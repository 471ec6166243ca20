import type { Instant } from '../domain/instant.ts'
import { assertNever } from '../domain/never.ts'
import { explainAccess } from '../engine/explain-access.ts'
import { createPolicyBook } from '../engine/policy-book.ts'
import { explanationLines } from '../policies/explain-text.ts'
import { readTimestamp } from '../policies/timestamp.ts'
import { type Answer, type Call, type Command, textValue } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { printable, timeText } from './table.ts'

const notEnforced = ({ linked }: { readonly linked: boolean }): string =>
  `nothing is sent${linked ? '' : ', and no account there is known to be theirs: what is held there may not be known'}`

/** Something stands between this person and the access still. */
const isDenied = ({ verdict }: { readonly verdict: { readonly kind: string } | null }): boolean =>
  verdict?.kind === 'held'

const taken = 'given again where its `drift` says revert, or when it is wanted anew; else a finding'

/** Held indirectly without a group between. */
const ways: Readonly<Record<string, string>> = {
  primary: "it is the account's primary group",
  rule: 'a rule of the target keeps them in it',
  sync: 'another directory keeps them in it',
}

const options = {
  at: {
    type: 'string',
    takes: 'MOMENT',
    about: 'as of then, by what is known and the policy of now; with its zone: 2026-12-01T00:00:00Z',
  },
} as const

const derivation =
  (name: string) =>
  (call: Call): Promise<Answer> => {
    const [person, entitlement] = call.words
    if (person === undefined || entitlement === undefined || call.words.length > 2)
      throw usage('whose access, to what?', `usage: muster ${name} PERSON ENTITLEMENT [--at 2026-12-01T00:00:00Z]`)
    const at = momentOf(textValue(call.values, 'at'))
    return inOffice(call, async ({ db }) => {
      const answer = await explainAccess(db, createPolicyBook(), person, entitlement, at)
      switch (answer.kind) {
        case 'unknown-person':
          throw failure(
            'nobody with that person key has been heard of',
            'HR names people by personKey, e.g. P-1001; quarantined events name nobody: `muster quarantine list`',
          )
        case 'unknown-entitlement':
          throw failure(
            `there is no entitlement ${entitlement}`,
            answer.nearest ?? 'its key stands in policies/, e.g. `muster show entitlement KEY`',
          )
        case 'explained': {
          const { explanation, target, holds, open, missingSince, indirect } = answer
          return {
            json: { person, ...explanation, target, holds, open, missingSince, indirect },
            lines: (paint) => {
              const [headline = '', ...rest] = explanationLines(explanation).map(printable)
              return [
                paint.bold(headline),
                ...rest,
                ...(target.mode === 'enforce'
                  ? []
                  : [`  ${target.id} is in mode ${target.mode}: ${notEnforced(target)}`]),
                ...(missingSince === null
                  ? []
                  : [`  it was taken away behind Muster, seen at ${timeText(missingSince)}: ${taken}`]),
                ...indirect.map(({ entitlement: key, via, path }) =>
                  ways[via] !== undefined
                    ? `  ${key} is held indirectly: ${ways[via]}`
                    : `  ${key} is held indirectly by ${path.join(' → ')}; no revoke of Muster's ends that`,
                ),
                ...open.map(({ id, kind, state, guardHold }) =>
                  guardHold !== null
                    ? `  its ${kind} is held by the guard: \`muster hold release ${guardHold} --reason TEXT\` lets that mass change go (action ${id})`
                    : state === 'parked'
                      ? `  its ${kind} is parked, for it cannot succeed as it is: \`muster finding list\` says why; once that is mended: \`muster action retry ${id} --reason TEXT\` (action ${id})`
                      : kind === 'grant' && !target.linked
                        ? `  its grant waits for an account of theirs on ${target.id}: none is linked (\`muster action list ${target.id}\`; action ${id})`
                        : `  its ${kind} is under way: ${state} (action ${id})`,
                ),
                ...holds.map(({ id, closedAs, closedBy, openedAt }) =>
                  closedAs === null
                    ? `  hold ${id} is open since ${timeText(openedAt)}: an exception in the policies releases it; \`muster hold reject ${id} --reason TEXT\` denies it`
                    : `  hold ${id} was ${closedAs} by ${closedBy ?? 'somebody'}${isDenied(explanation) ? '' : ': void, for nothing is held back here any more'}`,
                ),
              ]
            },
          }
        }
        default:
          return assertNever(answer)
      }
    })
  }

const momentOf = (text: string | undefined): Instant | null => {
  if (text === undefined) return null
  const at = readTimestamp(text)
  if (at === null)
    throw usage(
      `--at ${text} is no moment`,
      'write it with its zone: 2026-12-01T00:00:00Z or 2026-12-01T05:30:00+05:30',
    )
  return at
}

export const why: Command = {
  summary: 'the derivation of an access: rules, attributes, conflicts',
  usage: 'why PERSON ENTITLEMENT [--at MOMENT]',
  options,
  run: derivation('why'),
}

/** The same derivation: what is missing stands in it as what holds does. */
export const whyNot: Command = {
  summary: 'what stands between a person and an access',
  usage: 'why-not PERSON ENTITLEMENT [--at MOMENT]',
  options,
  run: derivation('why-not'),
}
