import { openAuditorOffice, type TrailLine } from '../app/auditor-office.ts'
import type { Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { variableOf } from './configured.ts'
import { tableLines, timeText } from './table.ts'

export const auditLog: Command = {
  summary: "a person's chain from the audit: decided, attempted, outcome (MUSTER_AUDITOR_DATABASE_URL)",
  usage: 'audit log PERSON',
  run: async (call) => {
    const [person] = call.words
    if (person === undefined || call.words.length > 1)
      throw usage('whose?', 'usage: muster audit log PERSON (the personKey of HR)')
    const office = openAuditorOffice(variableOf(call, 'MUSTER_AUDITOR_DATABASE_URL'))
    try {
      const trail = await office.trail(person)
      if (trail.length === 0 && !(await office.isKnown(person)))
        throw failure(
          'nobody with that person key has been heard of',
          'PERSON is the personKey of HR; `muster quarantine list` has the events that were not understood',
        )
      return {
        json: trail.map((line) => ({ ...line, at: timeText(line.at) })),
        lines: (paint) =>
          tableLines(
            paint,
            [
              'at',
              'entry',
              'what',
              'entitlement',
              'target',
              'outcome',
              'evidence',
              'because of',
              'decision',
              'action',
              'dispatch',
            ],
            trail.map((line) => [
              timeText(line.at),
              line.kind,
              whatOf(line),
              line.entitlement,
              line.target,
              outcomeOf(line),
              evidenceOf(line),
              becauseOf(line),
              line.decision,
              line.action,
              line.dispatch,
            ]),
          ),
      }
    } finally {
      await office.close()
    }
  },
}

const whatOf = ({ operation, attempt, planVersion }: TrailLine): string | null =>
  operation === null
    ? planVersion === null
      ? null
      : `plan ${planVersion}`
    : attempt === null
      ? operation
      : `${operation}, attempt ${attempt}`

const outcomeOf = ({ outcome, changed, code, next }: TrailLine): string | null =>
  outcome === null
    ? null
    : [
        outcome,
        ...(changed === false ? ['unchanged'] : []),
        ...(code === '' || code === '0' ? [] : [`code ${code}`]),
        ...(next === null || next === 'done' ? [] : [`→ ${next}`]),
      ].join(' ')

const evidenceOf = ({ evidence }: TrailLine): string | null =>
  typeof evidence?.read === 'string' ? evidence.read : null

const becauseOf = ({ cause, topic, partition, offset, policyVersion, reason }: TrailLine): string | null => {
  const parts = [
    ...(cause === null ? [] : [cause]),
    ...(topic === null || offset === null ? [] : [`${topic}/${partition}/${offset}`]),
    ...(policyVersion === null ? [] : [`policy ${policyVersion}`]),
    ...(reason === null ? [] : [reason]),
  ]
  return parts.length === 0 ? null : parts.join(', ')
}
