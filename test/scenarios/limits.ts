import type { GuardLimits, Limit } from '../../src/planning/guard.ts'
import type { Given } from './scenario-file.ts'

/** `accounts: expect`: how long an account may take that something else creates. A day. */
export const expectWithinMs = 86_400_000

const limit = (absolute: number | null): Limit => ({ absolute, percent: null })

export const guardLimits = ({
  revokes,
  disables,
  entitlementRevokes,
  urgentPerHour,
}: Given['targets'][string]['guard']): GuardLimits => ({
  windowMs: 3_600_000,
  revokes: limit(revokes),
  disables: limit(disables),
  entitlementRevokes: limit(entitlementRevokes),
  enables: limit(null),
  deletes: limit(null),
  riskyGrants: limit(null),
  urgentPerHour: { atLeast: urgentPerHour, percentOfPopulation: 0 },
})
