import { describe, expect, test } from 'vitest'
import type { EmploymentKey } from '../../../src/domain/ids.ts'
import { anEvent, at } from '../domain/events.ts'
import { catalogue, compiled, decide, told } from './policies.ts'

/** A job code is the list of entitlements that it gives: `A+B`. */
const givesByJob = (...jobs: readonly string[]) =>
  `birthright:\n${jobs.map((job) => `  job-${job.replaceAll('+', '-')}: { when: { jobCode: '${job}' }, grants: { entitlements: [${job.split('+').join(', ')}] } }\n`).join('')}`
const pair =
  'sod:\n  a-b: { severity: high, description: d, sides: [{ name: a, entitlements: [A, A2] }, { name: b, entitlements: [B, B2] }] }\n'
const three = `sod:
  two-of-three: { severity: high, description: d, atLeast: 2, sides: [{ entitlements: [A] }, { entitlements: [B] }, { entitlements: [C] }] }
`
const all = catalogue('A', 'A2', 'B', 'B2', 'C', 'D')
const jobs = givesByJob('A', 'B', 'C', 'D', 'A+C')
const singles = givesByJob('A', 'B', 'C')
const policy = compiled(all, jobs, pair)
const works = (...jobCodes: readonly string[]) =>
  jobCodes.map((jobCode, i) => anEvent(String(i), { worker: { jobCode, employmentKey: `E${i}` as EmploymentKey } }))
const judge = (jobCodes: readonly string[], ...present: readonly string[]) =>
  told(policy, decide(policy, works(...jobCodes), 20, ...present))

describe('no grant takes part in a conflict of the resulting set', () => {
  test.each(['held', 'in-flight', 'unknown', 'indirect'])('what is %s and stays counts', (state) => {
    expect(judge(['B'], `A ${state}!`).verdicts).toEqual({ B: 'held a-b against A' })
  })

  test('what is being revoked but not verified counts: the grant waits for it', () => {
    expect(judge(['B'], 'A being-revoked!').verdicts).toEqual({ B: 'wait a-b after A' })
  })

  test('of new grants all that touch a side are held, symmetrically', () => {
    expect(judge(['A', 'B']).verdicts).toEqual({ A: 'held a-b against B', B: 'held a-b against A' })
  })

  test('a second employment that would complete a conflict with what is held: only the new one is held', () => {
    expect(judge(['A', 'B'], 'A held')).toMatchObject({ verdicts: { B: 'held a-b against A' }, violations: [] })
  })

  test('one side alone is no conflict, however much of it', () => {
    expect(judge(['A'], 'A2 held!').verdicts).toEqual({ A: 'go' })
  })

  test('what is not part of the conflict goes', () => {
    expect(judge(['A+C', 'B'])).toMatchObject({
      verdicts: { A: 'held a-b against B', B: 'held a-b against A', C: 'go' },
    })
  })

  test('a wanted grant that is in flight is not verified: it is judged like a new one', () => {
    expect(judge(['A', 'B'], 'A in-flight').verdicts).toEqual({ A: 'held a-b against B', B: 'held a-b against A' })
    expect(judge(['A'], 'A in-flight').verdicts).toEqual({ A: 'go' })
  })
})

describe('what is there already', () => {
  test('a breach is reported, not taken away, and blocks nothing that is not part of it', () => {
    const answer = judge(['C'], 'A held!', 'B held!')
    expect(answer).toMatchObject({ verdicts: { C: 'go' }, violations: ['a-b: a=A b=B'] })
  })

  test('… but a grant that is part of it is held', () => {
    expect(judge(['A'], 'A2 held!', 'B held!').verdicts).toEqual({ A: 'held a-b against B' })
  })

  test('a breach that policy itself wants is a violation too', () => {
    expect(judge(['A', 'B'], 'A held', 'B held')).toMatchObject({
      wanted: ['A', 'B'],
      verdicts: {},
      violations: ['a-b: a=A b=B'],
    })
  })

  test('a breach that this plan ends by its own revokes is none', () => {
    expect(judge(['A'], 'A held', 'B held').violations).toEqual([])
    expect(judge(['A'], 'A held', 'B being-revoked!').violations).toEqual([])
  })

  test('being revoked and wanted again is there to stay', () => {
    expect(judge(['A', 'B'], 'A being-revoked', 'B held')).toMatchObject({
      verdicts: { A: 'held a-b against B' },
      violations: ['a-b: a=A b=B'],
    })
  })

  test('held and indirect at once: the revoke of one does not free the conflict', () => {
    expect(judge(['B'], 'A held', 'A indirect!').verdicts).toEqual({ B: 'held a-b against A' })
  })
})

describe('hold or wait', () => {
  test('a conflict only with what this plan revokes waits until that revoke is verified', () => {
    expect(judge(['B'], 'A held', 'A2 unknown').verdicts).toEqual({ B: 'wait a-b after A A2' })
  })

  test('a conflict that remains after the plan’s own revokes is a hold', () => {
    expect(judge(['B'], 'A held', 'A2 held!').verdicts).toEqual({ B: 'held a-b against A2' })
  })

  test('a revoke on its own side frees nothing and is not waited for', () => {
    expect(judge(['B'], 'A held', 'B2 held').verdicts).toEqual({ B: 'wait a-b after A' })
  })

  test('a hold on one policy beats a wait on another', () => {
    const both = compiled(
      all,
      jobs,
      pair,
      'sod:\n  b-c: { severity: low, description: d, sides: [{ entitlements: [B] }, { entitlements: [C] }] }\n',
    )
    expect(told(both, decide(both, works('B'), 20, 'A held', 'C held!')).verdicts).toEqual({ B: 'held b-c against C' })
  })
})

describe('k of n', () => {
  const kOfN = compiled(all, singles, three)
  const kJudge = (jobCodes: readonly string[], ...present: readonly string[]) =>
    told(kOfN, decide(kOfN, works(...jobCodes), 20, ...present))

  test('two of three break it, one does not', () => {
    expect(kJudge(['A']).verdicts).toEqual({ A: 'go' })
    expect(kJudge(['A'], 'B held!').verdicts).toEqual({ A: 'held two-of-three against B' })
  })

  test('three new ones: all are held', () => {
    expect(kJudge(['A', 'B', 'C']).verdicts).toEqual({
      A: 'held two-of-three against B C',
      B: 'held two-of-three against A C',
      C: 'held two-of-three against A B',
    })
  })

  test('the revoke of one of two is not enough: held; of both: wait', () => {
    expect(kJudge(['A'], 'B held', 'C held!').verdicts).toEqual({ A: 'held two-of-three against C' })
    expect(kJudge(['A'], 'B held', 'C held').verdicts).toEqual({ A: 'wait two-of-three after B C' })
  })

  test('three of three is broken by the third only', () => {
    const strict = compiled(all, singles, three.replace('atLeast: 2', 'atLeast: 3'))
    expect(told(strict, decide(strict, works('A', 'B'), 20)).verdicts).toEqual({ A: 'go', B: 'go' })
    expect(told(strict, decide(strict, works('A', 'B'), 20, 'C held!')).verdicts).toEqual({
      A: 'held two-of-three against B C',
      B: 'held two-of-three against A C',
    })
  })
})

describe('exceptions', () => {
  const exception = (from: number, expires: number) =>
    `exceptions:\n  EX: { person: P, policy: a-b, approver: Q, reason: r, control: c, from: ${iso(from)}, expires: ${iso(expires)} }\n`
  const iso = (n: number) => `1970-01-01T00:00:00.0${n}Z`
  const excepted = compiled(all, jobs, pair, exception(15, 25))

  test('a live one lets the grant go and names itself; the breach that follows is an accepted violation', () => {
    expect(told(excepted, decide(excepted, works('A', 'B'), 20))).toMatchObject({
      verdicts: { A: 'go EX', B: 'go EX' },
      nextChangeAt: 25,
    })
    expect(told(excepted, decide(excepted, works('A', 'B'), 20, 'A held', 'B held')).violations).toEqual([
      'a-b: a=A b=B accepted by EX',
    ])
  })

  test.each([14, 25, 26])('at %i it does not work', (now) => {
    expect(told(excepted, decide(excepted, works('A', 'B'), now)).verdicts).toEqual({
      A: 'held a-b against B',
      B: 'held a-b against A',
    })
  })

  test('its begin and its end wake the evaluation', () => {
    expect([12, 15, 24, 25].map((now) => decide(excepted, works('A'), now).nextChangeAt)).toEqual([15, 25, 25, null])
  })

  test('after it expired, what was granted stays, as an open violation', () => {
    expect(told(excepted, decide(excepted, works('A', 'B'), 30, 'A held', 'B held'))).toMatchObject({
      verdicts: {},
      violations: ['a-b: a=A b=B'],
    })
  })

  test('it accepts its own policy only, and for its own person only', () => {
    const two = compiled(
      all,
      jobs,
      pair,
      exception(15, 25),
      'sod:\n  b-c: { severity: low, description: d, sides: [{ entitlements: [B] }, { entitlements: [C] }] }\n',
    )
    expect(told(two, decide(two, works('A', 'B', 'C'), 20)).verdicts).toEqual({
      A: 'go EX',
      B: 'held b-c against C',
      C: 'held b-c against B',
    })
    const theirs = compiled(all, jobs, pair, exception(15, 25).replace('person: P', 'person: P2'))
    expect(told(theirs, decide(theirs, works('A', 'B'), 20)).verdicts.A).toBe('held a-b against B')
  })
})

test('conflicts are judged on what roles finally give', () => {
  const nested = compiled(
    all,
    pair,
    'roles:\n  outer: { roles: [inner] }\n  inner: { entitlements: [B] }\nbirthright:\n  r: { when: everyone, grants: { roles: [outer] } }\n',
  )
  expect(told(nested, decide(nested, [anEvent('1')], 20, 'A held!')).verdicts).toEqual({ B: 'held a-b against A' })
})

test('a side named by a role is what that role finally gives', () => {
  const byRole = compiled(
    all,
    jobs,
    `roles:
  outer: { roles: [inner] }
  inner: { entitlements: [B] }
sod:
  a-outer: { severity: high, description: d, sides: [{ entitlements: [A] }, { roles: [outer] }] }
`,
  )
  expect(told(byRole, decide(byRole, works('B'), 20, 'A held!')).verdicts).toEqual({ B: 'held a-outer against A' })
})

test('a leaver wants nothing, and nothing is judged', () => {
  const gone = [anEvent('1', { worker: { jobCode: 'A', lastDayEndsAt: at(15) } })]
  expect(told(policy, decide(policy, gone, 20, 'A held', 'B held'))).toEqual({
    wanted: [],
    verdicts: {},
    violations: [],
    nextChangeAt: null,
  })
})
