/** What mappings may read beside HR's own words. */
import { expect, test } from 'vitest'
import type { EmploymentKey, PersonKey } from '../../../src/domain/ids.ts'
import type { Instant } from '../../../src/domain/instant.ts'
import type { Worker } from '../../../src/domain/worker-event.ts'
import { profileOf } from '../../../src/engine/profile.ts'

const worker: Worker = {
  personKey: 'P-1' as PersonKey,
  employmentKey: 'E-1' as EmploymentKey,
  primary: true,
  status: 'active',
  involuntary: false,
  hireDate: '2026-12-01',
  // The first instant of the next day in Asia/Kolkata.
  lastDayEndsAt: Date.parse('2027-07-01T00:00:00+05:30') as Instant,
  contractEndsAt: null,
  attributes: { department: 'LENDING' },
}

test('the last day of work ends with its last second, in the zone of the worker', () => {
  expect(profileOf(worker)).toEqual({
    personKey: 'P-1',
    employmentKey: 'E-1',
    hireDate: '2026-12-01',
    lastDayOfWorkEnd: '2027-06-30T18:29:59Z',
    department: 'LENDING',
  })
  expect(profileOf({ ...worker, lastDayEndsAt: null })?.lastDayOfWorkEnd).toBeNull()
})
