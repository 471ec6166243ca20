import type { AttributeValue, Worker } from '../domain/worker-event.ts'
import type { Condition } from './policy-set.ts'

/** What rules see of one employment: `status` is its state now, which a termination still to come does not change. */
export type Facts = {
  readonly worker: Worker
  readonly status: 'active' | 'leave' | 'suspended'
}

export const attributeOf = ({ worker, status }: Facts, attribute: string): AttributeValue => {
  switch (attribute) {
    case 'status':
      return status
    case 'primary':
      return worker.primary
    case 'involuntary':
      return worker.involuntary
    default:
      return Object.hasOwn(worker.attributes, attribute) ? (worker.attributes[attribute] ?? null) : null
  }
}

/** An unknown value is no reason to grant: absent satisfies only `exists: false`, not even `not`. */
export const satisfies = (value: AttributeValue, condition: Condition): boolean => {
  switch (condition.kind) {
    case 'exists':
      return (value !== null) === condition.exists
    case 'in':
      return value !== null && condition.values.includes(value)
    case 'not-in':
      return value !== null && !condition.values.includes(value)
    case 'prefix':
      return typeof value === 'string' && value.startsWith(condition.prefix)
    case 'not-prefix':
      return typeof value === 'string' && !value.startsWith(condition.prefix)
  }
}
