/** What mappings may read beside HR's own words. */
import { expect, test } from 'vitest'
import { fold, identityAt } from '../../../src/domain/fold.ts'
import type { EmploymentKey, PersonKey } from '../../../src/domain/ids.ts'
import type { Instant } from '../../../src/domain/instant.ts'
import type { Worker } from '../../../src/domain/worker-event.ts'
import { profileAt, profileOf } from '../../../src/engine/profile.ts'
import { anEvent, aTermination, at } from '../domain/events.ts'

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

test('a termination that says who, and no more: the rest is what HR said before; what it does say is so', () => {
  const said = (id: string, from: number, attributes: Worker['attributes']) =>
    anEvent(id, { effectiveAt: at(from), worker: { hireDate: '2020-01-01', attributes } })
  const hired = said('1', 10, { workEmail: 'old@bank.example', givenName: 'Amit', familyName: 'R' })
  const moved = said('2', 20, { workEmail: 'new@bank.example', givenName: 'Amit', familyName: 'R' })
  const left = aTermination('3', 30, { worker: { attributes: { workEmail: null, familyName: 'S', givenName: '' } } })
  const profileOn = (moment: number, ...events: Parameters<typeof fold>[0]) => {
    const history = fold(events)
    return profileAt(history, identityAt(history, at(moment)), at(moment))
  }
  const all = [hired, moved, left, aTermination('4', 40, { worker: { attributes: { familyName: 'S' } } })]
  for (const moment of [30, 40])
    expect(profileOn(moment, ...all)).toMatchObject({
      workEmail: 'new@bank.example',
      givenName: 'Amit',
      familyName: 'S',
      hireDate: '2020-01-01',
    })
  // Whoever is there is as HR says, and what HR took back it never said.
  expect(profileOn(20, hired, said('2', 20, {}))).not.toHaveProperty('workEmail')
  const undone = anEvent('5', { action: 'rescind', supersedes: '2' })
  expect(profileOn(40, ...all, undone)).toMatchObject({ workEmail: 'old@bank.example' })
  expect(profileOn(30, left)).toMatchObject({ familyName: 'S', workEmail: null })
})

test('of several employments that ended, what the primary one said last is under it', () => {
  const other = { employmentKey: 'E2' as EmploymentKey, primary: false, attributes: { workEmail: 'b@bank.example' } }
  const history = fold([
    anEvent('1', { worker: { attributes: { workEmail: 'a@bank.example' } } }),
    anEvent('2', { worker: other }),
    aTermination('3', 20, { worker: { ...other, attributes: {} } }),
    aTermination('4', 20, { worker: { attributes: {} } }),
  ])
  expect(profileAt(history, identityAt(history, at(20)), at(20))).toMatchObject({ workEmail: 'a@bank.example' })
})
