import type { z } from 'zod'
import type { QuarantineReason } from '../domain/inbox-message.ts'
import { pointer } from './json-scan.ts'

export type Fault = { readonly reason: QuarantineReason; readonly path: string; readonly message: string }

/** What the schema found, in our words and without a value of the event. */
export const schemaFaults = (error: z.ZodError, event: unknown): readonly Fault[] =>
  error.issues.map((issue) => ({ path: pointer(issue.path), ...told(issue, event) }))

const told = (issue: z.core.$ZodIssue, event: unknown): Omit<Fault, 'path'> => {
  if (at(event, issue.path) === undefined) return { reason: 'missing-member', message: 'is missing' }
  switch (issue.code) {
    case 'invalid_type':
      return { reason: 'wrong-type', message: `must be of type ${issue.expected}` }
    case 'invalid_union':
      return { reason: 'wrong-type', message: 'must be text, a number, true, false or null' }
    case 'invalid_value':
      return { reason: unknownMember(issue, event), message: `must be one of ${issue.values.map(String).join(', ')}` }
    case 'too_small':
      return { reason: 'invalid-value', message: 'must not be empty' }
    case 'too_big':
      return { reason: 'invalid-value', message: `must not be longer than ${issue.maximum}` }
    default:
      return { reason: 'invalid-value', message: 'is not valid' }
  }
}

const unknownMember = (issue: z.core.$ZodIssue, event: unknown): QuarantineReason => {
  if (typeof at(event, issue.path) !== 'string') return 'wrong-type'
  const member = issue.path.at(-1)
  return member === 'status' ? 'unknown-status' : member === 'action' ? 'unknown-action' : 'unknown-value'
}

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, step)
        ? (inner as Record<PropertyKey, unknown>)[step]
        : undefined,
    value,
  )
