import { assertNever } from '../domain/never.ts'
import { type Adoptable, applyAdoption, endAdoption, planAdoption } from '../engine/adopt.ts'
import { createPolicyBook } from '../engine/policy-book.ts'
import { osActor } from './actor.ts'
import { conflictLines, conflictText } from './adoption-conflicts.ts'
import type { Answer, Call, Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { nothingKnown } from './nothing-known.ts'
import type { Paint } from './paint.ts'
import { reasonGiven, reasonOption } from './reason-given.ts'
import { printable, section, tableLines } from './table.ts'
import { targetNamed } from './target-named.ts'

const options = { reason: reasonOption } as const

const targetOf = (call: Call, verb: string): string => {
  const [target, ...more] = call.words
  if (target === undefined || target === '' || more.length > 0)
    throw usage('which target?', `usage: muster adopt ${verb}; \`muster target list\` shows them`)
  return targetNamed(call, target).id
}

const told = ({ key, risk, person_key, stands, conflicts }: Adoptable) => ({
  entitlement: key,
  risk,
  person: person_key,
  stands,
  conflicts: conflicts.map(({ entitlement: _, ...conflict }) => conflict),
})

export const adoptPlan: Command = {
  summary: 'what stands on a target that Muster never gave, and what would become of it',
  usage: 'adopt plan TARGET [--people]',
  options: { people: { type: 'boolean', about: 'names them, one by one' } },
  run: (call) => {
    const target = targetOf(call, 'plan TARGET')
    return inOffice(call, async ({ db, prisma }): Promise<Answer> => {
      const all = await planAdoption({ db, nudge: () => {}, policies: createPolicyBook() }, target)
      const unknown = await nothingKnown(prisma, target)
      return {
        exit: unknown === null ? 0 : 1,
        json: { target, nothingKnown: unknown, standing: all.map(told) },
        lines: (paint) =>
          unknown !== null && all.length === 0
            ? [`${target}: ${unknown}`]
            : planLines(target, all, call.values.people === true, paint),
      }
    })
  },
}

const becomes: Record<Adoptable['stands'], string> = {
  rule: 'stands under a rule',
  rest: 'would be adopted',
  leaver: 'of a leaver, or of somebody to come',
  unjudged: 'not judged yet',
}

const planLines = (target: string, all: readonly Adoptable[], people: boolean, paint: Paint): readonly string[] => {
  if (all.length === 0)
    return [
      `${target}: nothing stands there that Muster never gave, as far as was read: \`muster reconcile ${target}\` reads it`,
    ]
  const of = (rows: readonly Adoptable[], stands: Adoptable['stands']) =>
    rows.filter((one) => one.stands === stands).length
  return [
    ...tableLines(
      paint,
      [
        'entitlement',
        'risk',
        'stands under a rule',
        'would be adopted',
        'of these in conflict',
        'of leavers, or to come',
        'not judged yet',
      ],
      [...Map.groupBy(all, ({ key }) => key)].map(([key, rows]) => [
        key,
        rows[0]?.risk ?? '',
        of(rows, 'rule'),
        of(rows, 'rest'),
        rows.filter(({ conflicts }) => conflicts.length > 0).length,
        of(rows, 'leaver'),
        of(rows, 'unjudged'),
      ]),
    ),
    ...(people
      ? section(
          paint,
          'people',
          tableLines(
            paint,
            ['person', 'entitlement', 'what becomes of it', 'in conflict with'],
            all.map(({ person_key, key, stands, conflicts }) => [
              person_key,
              key,
              becomes[stands],
              conflicts.map(conflictText).join('; ') || null,
            ]),
          ),
        )
      : []),
    ...conflictLines(paint, all),
    of(all, 'rest') === 0
      ? 'nothing to adopt'
      : `${counted(of(all, 'rest'), 'grant')} would be adopted, and stand until somebody ends them: \`muster adopt apply ${target} --reason TEXT\`${people ? '' : '; --people names whose'}`,
  ]
}

export const adoptApply: Command = {
  summary: 'takes over what no rule explains, so that nothing is revoked on day one; audited',
  usage: 'adopt apply TARGET --reason TEXT',
  options,
  run: (call) => {
    const target = targetOf(call, 'apply TARGET --reason TEXT')
    const reason = reasonGiven(call)
    return inOffice(call, async ({ db, prisma }) => {
      const unknown = await nothingKnown(prisma, target)
      // Whoever goes on from here believes that all which stands there is taken over.
      if (unknown !== null) throw failure(`nothing of ${target} can be adopted`, unknown)
      const adopted = await applyAdoption(
        { db, nudge: () => {}, policies: createPolicyBook() },
        target,
        reason,
        osActor(),
      )
      return {
        json: { target, adopted: adopted.map(told) },
        lines: (paint) => [
          ...conflictLines(paint, adopted),
          `${target}: ${paint.bold(counted(adopted.length, 'grant'))} adopted; \`muster adopt end PERSON ENTITLEMENT --reason TEXT\` ends one`,
        ],
      }
    })
  },
}

export const adoptEnd: Command = {
  summary: 'ends one adopted access: it is revoked unless a rule gives it by now; audited',
  usage: 'adopt end PERSON ENTITLEMENT --reason TEXT',
  options,
  run: (call) => {
    const [person, entitlement, ...more] = call.words
    if (person === undefined || entitlement === undefined || more.length > 0)
      throw usage('whose access, to what?', 'usage: muster adopt end PERSON ENTITLEMENT --reason TEXT')
    const reason = reasonGiven(call)
    return inOffice(call, async ({ db }) => {
      const ended = await endAdoption({ db, nudge: () => {} }, person, entitlement, reason, osActor())
      const [who, what] = [printable(person), printable(entitlement)]
      switch (ended) {
        case 'unknown-person':
          throw failure(`nobody has the key ${who}`, 'HR names people: `muster show identity` takes the same key')
        case 'unknown-entitlement':
          throw failure(`there is no entitlement ${what}`, 'its key stands in policies/')
        case 'not-adopted':
          throw failure(`${what} of ${who} is not adopted`, `\`muster why ${who} ${what}\` says why they hold it`)
        case 'ended':
          return {
            json: { person, entitlement, ended: true },
            lines: () => [
              `${who} ${what}: no longer adopted; it is revoked unless a rule gives it (\`muster why ${who} ${what}\`)`,
            ],
          }
        default:
          return assertNever(ended)
      }
    })
  },
}
