import { type Call, textValue } from './command.ts'
import { usage } from './complaint.ts'

/** Of an act by hand: it goes into the audit. */
export const reasonGiven = ({ values }: Call): string => {
  const reason = textValue(values, 'reason')
  if (reason === undefined || reason.trim() === '') throw usage('why?', 'say it: --reason TEXT goes into the audit')
  return reason
}

export const reasonOption = {
  type: 'string',
  takes: 'TEXT',
  about: 'why; needed, and read by auditors (auditor.reasons)',
} as const
