import { assertNever } from '../domain/never.ts'
import type { Explanation, ImpliedBy, WhyNot } from './explain.ts'
import type { Conflict } from './explain-conflict.ts'
import type { Check, RuleCheck } from './explain-rule.ts'
import { writeTimestamp } from './timestamp.ts'

/** An explanation in lines for a terminal: the answer first, then what it follows from. */
export const explanationLines = (explanation: Explanation): readonly string[] => [
  headline(explanation),
  ...wantedLines(explanation),
  ...explanation.conflicts.flatMap((conflict) => conflictLines(conflict, explanation.exceptions)),
  ...presentLines(explanation),
]

const headline = ({ entitlement, wanted, verdict, present, at }: Explanation): string => {
  const when = `at ${writeTimestamp(at)}`
  if (wanted.kind === 'no') return `${entitlement}: not wanted ${when}`
  if (verdict === null) return `${entitlement}: wanted and held ${when}`
  switch (verdict.kind) {
    case 'go':
      return `${entitlement}: wanted ${when}, ${present.includes('in-flight') ? 'on its way' : 'nothing stands against it'}`
    case 'wait':
      return `${entitlement}: wanted ${when}, waits until a conflicting revoke is verified (${verdict.policies.join(', ')})`
    case 'held':
      return `${entitlement}: wanted ${when}, held back by separation of duties (${verdict.policies.join(', ')})`
    default:
      return assertNever(verdict)
  }
}

const wantedLines = ({ wanted, lifecycle, employments }: Explanation): readonly string[] =>
  wanted.kind === 'yes'
    ? [
        ...wanted.rules.flatMap((rule) => ruleLines(rule, 'gives it')),
        ...wanted.implied.flatMap(impliedLines),
        ...(wanted.adopted ? ['  no rule gives it: another hand gave it, and it was adopted'] : []),
        `  from ${writeTimestamp(wanted.from)}${wanted.to === null ? '' : ` until ${writeTimestamp(wanted.to)}`}`,
      ]
    : [
        `  lifecycle: ${lifecycle}${employments.map(({ employmentKey, state }) => `, employment ${employmentKey} ${state}`).join('')}`,
        ...wanted.because.flatMap(whyNotLines),
      ]

const whyNotLines = (reason: WhyNot): readonly string[] => {
  switch (reason.kind) {
    case 'not-in-catalogue':
      return ['  the active policy does not know it']
    case 'no-access':
      return [reason.leaver ? '  a leaver: no employment gives access any more' : '  no employment gives access']
    case 'not-yet':
      return [`  not yet: wanted from ${writeTimestamp(reason.from)}`]
    case 'no-longer':
      return [`  no longer: was wanted until ${writeTimestamp(reason.until)}`]
    case 'no-rule-gives-it':
      return ['  no birthright rule gives it to anybody']
    case 'no-rule-matches':
      return [
        '  no rule that gives it matches; nearest:',
        ...reason.nearest.flatMap((rule) => ruleLines(rule, 'would give it')),
      ]
    case 'nothing-implies-it':
      return reason.by.map(
        ({ implication, holds }) =>
          `  implication ${implication} gives it to who should hold ${holds}, and this person should not`,
      )
    default:
      return assertNever(reason)
  }
}

const ruleLines = ({ rule, description, employmentKey, paths, checks }: RuleCheck, verb: string): readonly string[] => [
  `  rule ${rule} ${verb} for employment ${employmentKey}${description === '' ? '' : `: ${description}`}`,
  ...(checks.length === 0
    ? ['    ✓ everyone']
    : checks.map((check) => `    ${check.holds ? '✓' : '✗'} ${checkText(check)}`)),
  ...paths.filter((path) => path.length > 0).map((path) => `    through role ${path.join(' → ')}`),
]

/** What it follows from, with all that this follows from; what was told already is only named. */
const impliedLines = ({ implication, description, path, holds, from }: ImpliedBy): readonly string[] => [
  `  implication ${implication} gives it to who should hold ${holds}${from === null ? ' (above)' : ''}${description === '' ? '' : `: ${description}`}`,
  ...(path.length > 0 ? [`    through role ${path.join(' → ')}`] : []),
  ...(from === null ? [] : explanationLines(from).map((line) => `    ${line}`)),
]

const checkText = (check: Check): string =>
  check.kind === 'attribute'
    ? `${check.attribute} ${check.wanted}${check.holds ? '' : check.value === null ? ' (it is absent)' : ` (it is ${JSON.stringify(check.value)})`}`
    : `cel: ${check.expression}${check.failure === null ? '' : ` (${check.failure})`}`

const conflictLines = (conflict: Conflict, exceptions: Explanation['exceptions']): readonly string[] => {
  const exception = exceptions.find(({ policy }) => policy === conflict.policy)
  return [
    `  SoD policy ${conflict.policy} (${conflict.severity}): ${conflict.description}`,
    `    this is its side ${conflict.side}`,
    ...conflict.others.map(({ side, entitlement, standing }) => `    side ${side}: ${entitlement} (${standing})`),
    exception === undefined
      ? '    no live exception accepts it'
      : `    accepted by exception ${exception.key} of ${exception.approver} until ${writeTimestamp(exception.expires)}`,
  ]
}

const presentLines = ({ present, wanted }: Explanation): readonly string[] =>
  present.length === 0
    ? ['  on the target: not there']
    : [`  on the target: ${present.join(', ')}${wanted.kind === 'no' ? ', although nobody wants it' : ''}`]
