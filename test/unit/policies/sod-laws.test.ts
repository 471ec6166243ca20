import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EntitlementId } from '../../../src/domain/ids.ts'
import type { ExceptionDef, SodDef } from '../../../src/policies/policy-set.ts'
import { judgeSod, type Present } from '../../../src/policies/separation-of-duties.ts'
import { at } from '../domain/events.ts'
import { compileSet, person } from './policies.ts'

const keys = ['A', 'B', 'C', 'D', 'E', 'F', 'G']
const id = (key: string): EntitlementId => (keys.indexOf(key) + 1) as EntitlementId
const ids = keys.map(id)
const now = at(20)

const someSod = (members: readonly string[], prefix: string) =>
  fc
    .array(
      fc
        .tuple(
          fc.shuffledSubarray([...members], { minLength: 2 }),
          fc.integer({ min: 2, max: 4 }),
          fc.integer({ min: 2, max: 4 }),
        )
        .map(([chosen, wantedSides, k]): Omit<SodDef, 'key'> => {
          const count = Math.min(wantedSides, chosen.length)
          const sides = Array.from({ length: count }, (_, s) => ({
            name: `s${s}`,
            entitlements: chosen.filter((_, i) => i % count === s).sort(),
          }))
          return { description: 'd', severity: 'high', atLeast: Math.min(k, count), sides }
        }),
      { maxLength: 4 },
    )
    .map((policies) => policies.map((policy, i) => ({ key: `${prefix}${i}`, ...policy })))

const someExceptions = fc
  .array(
    fc.record({
      policy: fc.constantFrom('p0', 'p1'),
      from: fc.integer({ min: 10, max: 30 }).map(at),
      expires: fc.integer({ min: 10, max: 30 }).map(at),
    }),
    { maxLength: 2 },
  )
  .map((all) =>
    all.map((one, i): ExceptionDef => ({ key: `x${i}`, person, approver: 'Q', reason: 'r', control: 'c', ...one })),
  )

const somePresent: fc.Arbitrary<readonly Present[]> = fc.array(
  fc.record({
    entitlement: fc.constantFrom(...ids),
    state: fc.constantFrom(
      'held' as const,
      'held' as const,
      'in-flight' as const,
      'unknown' as const,
      'indirect' as const,
      'being-revoked' as const,
    ),
    revocable: fc.boolean(),
  }),
  { maxLength: 6 },
)
const someWanted = fc.subarray([...ids])
const someCase = fc.record({
  sod: someSod(keys, 'p'),
  exceptions: someExceptions,
  present: somePresent,
  wanted: someWanted,
})

const policyOf = (sod: readonly SodDef[], exceptions: readonly ExceptionDef[] = []) =>
  compileSet({
    entitlements: keys.map((key) => ({
      key,
      target: 'ldap',
      lookup: key,
      risk: 'low',
      owner: 'o',
      description: 'd',
      drift: 'report',
      protected: false,
    })),
    roles: [],
    rules: [],
    implications: [],
    sod,
    exceptions,
  })
const judge = (
  sod: readonly SodDef[],
  exceptions: readonly ExceptionDef[],
  present: readonly Present[],
  wanted: readonly EntitlementId[],
  moment = now,
) => judgeSod(policyOf(sod, exceptions), person, moment, present, wanted)

const breaks = (policy: SodDef, set: readonly EntitlementId[]) =>
  policy.sides.filter(({ entitlements }) => entitlements.some((key) => set.includes(id(key)))).length >= policy.atLeast
const names = (policy: SodDef, entitlement: EntitlementId) =>
  policy.sides.some(({ entitlements }) => entitlements.some((key) => id(key) === entitlement))
const accepts = (exceptions: readonly ExceptionDef[], policy: SodDef, moment = now) =>
  exceptions.some((one) => one.policy === policy.key && one.from <= moment && moment < one.expires)

describe('laws of separation of duties', () => {
  test('L2: what it says is what the sentences of the design say, read naively', () => {
    fc.assert(
      fc.property(someCase, ({ sod, exceptions, present, wanted }) => {
        const { verdicts, violations } = judge(sod, exceptions, present, wanted)
        const goes = (one: Present) =>
          !wanted.includes(one.entitlement) && (one.revocable || one.state === 'being-revoked')
        const there = present.filter((one) => !goes(one)).map((one) => one.entitlement)
        const result = [...present.map((one) => one.entitlement), ...wanted]
        const after = [...there, ...wanted]
        const expected = new Map(
          wanted
            .filter((one) => !present.some(({ entitlement, state }) => entitlement === one && state === 'held'))
            .map((one) => {
              const open = sod.filter(
                (policy) => names(policy, one) && breaks(policy, result) && !accepts(exceptions, policy),
              )
              return [one, open.some((policy) => breaks(policy, after)) ? 'held' : open.length > 0 ? 'wait' : 'go']
            }),
        )
        expect(new Map([...verdicts].map(([one, { kind }]) => [one, kind]))).toEqual(expected)
        expect(violations.map(({ policy, exception }) => [policy, exception !== null])).toEqual(
          sod.filter((policy) => breaks(policy, there)).map((policy) => [policy.key, accepts(exceptions, policy)]),
        )
      }),
      { numRuns: 2000 },
    )
  })

  test('what is waited for is exactly what must go: without it the grant goes', () => {
    fc.assert(
      fc.property(someCase, ({ sod, exceptions, present, wanted }) => {
        for (const [entitlement, verdict] of judge(sod, exceptions, present, wanted).verdicts) {
          if (verdict.kind !== 'wait') continue
          expect(verdict.after.length).toBeGreaterThan(0)
          const left = present.filter((one) => !verdict.after.includes(one.entitlement))
          expect(judge(sod, exceptions, left, wanted).verdicts.get(entitlement)?.kind).toBe('go')
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('L2: whatever part of the grants that go are made, and whatever part of the revokes, no conflict is completed', () => {
    fc.assert(
      fc.property(someCase, fc.infiniteStream(fc.boolean()), ({ sod, exceptions, present, wanted }, coins) => {
        let now = present
        for (let step = 0; step < 6; step++) {
          const before = sod.filter((policy) =>
            breaks(
              policy,
              now.map((one) => one.entitlement),
            ),
          )
          const { verdicts } = judge(sod, exceptions, now, wanted)
          const granted = [...verdicts]
            .filter(([, { kind }]) => kind === 'go' && coins.next().value)
            .map(([entitlement]): Present => ({ entitlement, state: 'held', revocable: true }))
          const left = now.filter((one) => wanted.includes(one.entitlement) || !one.revocable || coins.next().value)
          const during = [...now, ...granted]
          for (const policy of sod)
            if (!before.includes(policy) && !accepts(exceptions, policy))
              expect(
                breaks(
                  policy,
                  during.map((one) => one.entitlement),
                ),
              ).toBe(false)
          now = [...left, ...granted]
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('the order of what is present and wanted, and saying it twice, decide nothing', () => {
    fc.assert(
      fc.property(
        someCase.chain((one) =>
          fc.tuple(
            fc.constant(one),
            fc.shuffledSubarray([...one.present, ...one.present], { minLength: one.present.length * 2 }),
            fc.shuffledSubarray([...one.wanted], { minLength: one.wanted.length }),
          ),
        ),
        ([{ sod, exceptions, present, wanted }, presentAgain, wantedAgain]) => {
          expect(judge(sod, exceptions, presentAgain, wantedAgain)).toEqual(judge(sod, exceptions, present, wanted))
        },
      ),
    )
  })

  test('symmetrical: who is held against another new grant holds that one too', () => {
    fc.assert(
      fc.property(someCase, ({ sod, present, wanted }) => {
        const { verdicts } = judge(sod, [], present, wanted)
        for (const [entitlement, verdict] of verdicts)
          for (const other of verdict.kind === 'held' ? verdict.conflictsWith : []) {
            const against = verdicts.get(other)
            if (against !== undefined)
              expect(against).toMatchObject({ kind: 'held', conflictsWith: expect.arrayContaining([entitlement]) })
          }
      }),
      { numRuns: 1000 },
    )
  })

  test('an exception never works outside its time: then everything is as without it', () => {
    fc.assert(
      fc.property(someCase, fc.integer({ min: 0, max: 40 }), ({ sod, exceptions, present, wanted }, moment) => {
        const live = exceptions.filter(({ from, expires }) => from <= moment && moment < expires)
        expect(judge(sod, exceptions, present, wanted, at(moment))).toEqual(
          judge(sod, live, present, wanted, at(moment)),
        )
      }),
    )
  })

  test('policies about other entitlements change nothing', () => {
    const apart = fc.record({
      sod: someSod(['A', 'B', 'C', 'D'], 'p'),
      unrelated: someSod(['E', 'F', 'G'], 'q'),
      present: somePresent.map((all) => all.filter(({ entitlement }) => entitlement <= 4)),
      wanted: someWanted.map((all) => all.filter((entitlement) => entitlement <= 4)),
    })
    fc.assert(
      fc.property(apart, ({ sod, unrelated, present, wanted }) => {
        expect(judge([...sod, ...unrelated], [], present, wanted)).toEqual(judge(sod, [], present, wanted))
      }),
    )
  })
})
