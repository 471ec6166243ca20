import { z } from 'zod'
import { defaultGuardLimits } from '../planning/guard.ts'
import { duration } from './duration.ts'

const limit = (fallback: { readonly absolute: number | null; readonly percent: number | null }) =>
  z
    .strictObject({
      absolute: z
        .int()
        .min(0)
        .nullable()
        .default(fallback.absolute)
        .describe('So many in one window; null = no such limit.'),
      percent: z
        .number()
        .min(0)
        .max(100)
        .nullable()
        .default(fallback.percent)
        .describe('Of the members, judged from 20 members up; null = no such limit.'),
    })
    .prefault({})

/** `guard` of a target. */
export const guard = z
  .strictObject({
    window: duration('1m', '7d').prefault('1h'),
    revokes: limit(defaultGuardLimits.revokes).describe('Grants revoked on the target.'),
    disables: limit(defaultGuardLimits.disables).describe('Accounts disabled on the target.'),
    entitlementRevokes: limit(defaultGuardLimits.entitlementRevokes).describe('Grants revoked of one entitlement.'),
    enables: limit(defaultGuardLimits.enables).describe('Accounts opened again on the target.'),
    deletes: limit(defaultGuardLimits.deletes).describe('Accounts deleted on the target.'),
    riskyGrants: limit(defaultGuardLimits.riskyGrants).describe(
      'Grants of entitlements of high or critical risk on the target.',
    ),
    urgentPerHour: z
      .strictObject({
        atLeast: z.int().min(0).default(defaultGuardLimits.urgentPerHour.atLeast),
        percentOfPopulation: z.number().min(0).max(100).default(defaultGuardLimits.urgentPerHour.percentOfPopulation),
      })
      .prefault({})
      .describe('Urgent leavers that pass in an hour although a limit tripped: the larger of the two.'),
  })
  .prefault({})
  .describe(
    'How much Muster takes away, opens or lets into what is risky in one window before it stops and asks a human.',
  )
