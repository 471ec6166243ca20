import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Adopted, GrantVerdict, Reason } from '../../../src/domain/decision.ts'
import { fold, identityAt } from '../../../src/domain/fold.ts'
import type { EntitlementId, TargetId } from '../../../src/domain/ids.ts'
import { contains } from '../../../src/domain/instant.ts'
import { canonicalPolicy } from '../../../src/policies/canonical.ts'
import { evaluate } from '../../../src/policies/evaluate.ts'
import { judgeSod, type Present } from '../../../src/policies/separation-of-duties.ts'
import { at, someEvents } from '../domain/events.ts'
import { catalogue, compileSet, idOf, person, policySet } from './policies.ts'

/** An implication leads from an earlier one to a later one only: no circles. */
const keys = ['A', 'B', 'C', 'D', 'E', 'F']
const ids = keys.map((_, i) => (i + 1) as EntitlementId)

type Pair = { readonly holds: string; readonly gives: string; readonly byRole: boolean }
const somePairs: fc.Arbitrary<readonly Pair[]> = fc.uniqueArray(
  fc.tuple(fc.nat(keys.length - 2), fc.nat(keys.length - 2), fc.boolean()).map(([i, more, byRole]) => ({
    holds: keys[i] as string,
    gives: keys[i + 1 + (more % (keys.length - 1 - i))] as string,
    byRole,
  })),
  { maxLength: 7, selector: ({ holds, gives }) => `${holds}${gives}` },
)
const someKeys = fc.subarray(keys, { maxLength: 2 })
const someAdopted: fc.Arbitrary<readonly Adopted[]> = fc.uniqueArray(
  fc
    .record({ entitlement: fc.constantFrom(...ids), from: fc.nat(10), days: fc.option(fc.integer({ min: 1, max: 6 })) })
    .map(({ entitlement, from, days }) => ({
      entitlement,
      target: 'ldap' as TargetId,
      interval: { from: at(from), to: days === null ? null : at(from + days) },
    })),
  { maxLength: 3, selector: ({ entitlement }) => entitlement },
)
const someCase = fc.record({
  pairs: somePairs,
  managers: someKeys,
  approvers: someKeys,
  adopted: someAdopted,
  events: someEvents,
})

/** One document for each thing that is said. */
const documentsOf = (pairs: readonly Pair[], given: { readonly managers: string[]; readonly approvers: string[] }) => [
  catalogue(...keys),
  ...pairs.flatMap(({ holds, gives, byRole }) => {
    const grants = byRole ? `roles: [r-${holds}-${gives}]` : `entitlements: [${gives}]`
    return [
      `implications: { i-${holds}-${gives}: { holds: ${holds}, grants: { ${grants} } } }`,
      ...(byRole ? [`roles: { r-${holds}-${gives}: { entitlements: [${gives}] } }`] : []),
    ]
  }),
  ...[['RM', given.managers] as const, ['CA', given.approvers] as const].flatMap(([job, entitlements]) =>
    entitlements.length === 0
      ? []
      : [
          `birthright: { by-${job}: { when: { jobCode: ${job} }, grants: { entitlements: [${entitlements.join()}] } } }`,
        ],
  ),
]

const words = (reason: Reason) => (reason.kind === 'implied' ? `${reason.implication}/${reason.holds}` : reason.kind)

const sorted = (reasons: readonly Reason[]) => reasons.map((reason) => JSON.stringify(reason)).sort()

describe('laws of implications', () => {
  test('at every moment a thing is wanted exactly while some reason holds, and each reason that holds is told', () => {
    fc.assert(
      fc.property(someCase, ({ pairs, managers, approvers, adopted, events }) => {
        const policy = compileSet(policySet(...documentsOf(pairs, { managers, approvers })))
        const history = fold(events)
        const now = at(0)
        const { timeline } = evaluate({
          history,
          personKey: person,
          policies: [{ activeFrom: null, policy }],
          now,
          present: [],
          adopted,
        })
        // No interval is cut for the order in which its reasons were come by.
        timeline.forEach(({ entitlement, interval, reasons }, i) => {
          const next = timeline[i + 1]
          if (next?.entitlement === entitlement && next.interval.from === interval.to)
            expect(sorted(next.reasons)).not.toEqual(sorted(reasons))
        })
        for (let moment = 0; moment < 18; moment++) {
          const wanted = new Map(
            timeline
              .filter(({ interval }) => contains(interval, at(moment)))
              .map(({ entitlement, reasons }) => [policy.keyOf.get(entitlement) as string, reasons.map(words)]),
          )
          const { employments } = identityAt(history, at(moment))
          const jobs = employments.flatMap(({ givesAccess, worker }) =>
            givesAccess ? [String(worker?.attributes.jobCode)] : [],
          )
          for (const key of keys) {
            const expected = [
              ...jobs.flatMap((job) => ((job === 'RM' ? managers : approvers).includes(key) ? ['rule'] : [])),
              ...pairs.flatMap(({ holds, gives }) =>
                gives === key && wanted.has(holds) ? [`i-${holds}-${gives}/${holds}`] : [],
              ),
            ].sort()
            const told = wanted.get(key) ?? []
            const row = adopted.find(({ entitlement }) => policy.keyOf.get(entitlement) === key)
            if (told.includes('adopted')) {
              // A human's wish, and nothing else's, while it stands and somebody has access.
              expect([moment, key, expected]).toEqual([moment, key, []])
              expect(row !== undefined && contains(row.interval, at(moment)) && jobs.length > 0).toBe(true)
            } else expect([moment, key, [...told].sort()]).toEqual([moment, key, expected])
            if (jobs.length === 0) expect([moment, key, told]).toEqual([moment, key, []])
          }
        }
      }),
      { numRuns: 120 },
    )
  })

  test('how the files are split and ordered changes nothing in what is decided', () => {
    fc.assert(
      fc.property(
        someCase.chain((one) =>
          fc.tuple(
            fc.constant(one),
            fc.shuffledSubarray(documentsOf(one.pairs, one), { minLength: documentsOf(one.pairs, one).length }),
            fc.nat(13),
          ),
        ),
        ([{ pairs, managers, approvers, adopted, events }, shuffled, now]) => {
          const sets = [policySet(...documentsOf(pairs, { managers, approvers })), policySet(...shuffled)]
          const [one, other] = sets.map((set) =>
            evaluate({
              history: fold(events),
              personKey: person,
              policies: [{ activeFrom: null, policy: compileSet(set) }],
              now: at(now),
              present: [],
              adopted,
            }),
          )
          expect(sets.map(canonicalPolicy)[0]).toBe(sets.map(canonicalPolicy)[1])
          expect(other).toEqual(one)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('nothing goes unless all on some way to it, from a reason of its own, may be held', () => {
    const someSod = fc.uniqueArray(fc.tuple(fc.constantFrom(...keys), fc.constantFrom(...keys)), {
      maxLength: 3,
      selector: (sides) => [...sides].sort().join(),
    })
    const somePresent: fc.Arbitrary<readonly Present[]> = fc.uniqueArray(
      fc.record({
        entitlement: fc.constantFrom(...ids),
        state: fc.constantFrom('held' as const, 'held' as const, 'in-flight' as const, 'being-revoked' as const),
        revocable: fc.boolean(),
      }),
      { maxLength: 4, selector: ({ entitlement }) => entitlement },
    )
    fc.assert(
      fc.property(
        someCase,
        someSod,
        somePresent,
        fc.nat(13),
        ({ pairs, managers, approvers, events }, conflicts, present, now) => {
          const set = policySet(...documentsOf(pairs, { managers, approvers }))
          // Not by the parser, which refuses what nobody could be given.
          const policy = compileSet({
            ...set,
            sod: conflicts.flatMap(([a, b], i) =>
              a === b
                ? []
                : [
                    {
                      key: `s${i}`,
                      description: 'd',
                      severity: 'low' as const,
                      atLeast: 2,
                      sides: [
                        { name: 'a', entitlements: [a] },
                        { name: 'b', entitlements: [b] },
                      ],
                    },
                  ],
            ),
          })
          const { wanted, verdicts } = evaluate({
            history: fold(events),
            personKey: person,
            policies: [{ activeFrom: null, policy }],
            now: at(now),
            present,
          })
          const own = judgeSod(
            policy,
            person,
            at(now),
            present,
            wanted.map(({ entitlement }) => entitlement),
          ).verdicts
          const bad: readonly GrantVerdict['kind'][] = ['go', 'wait', 'held']
          const byRule = (key: string) =>
            wanted.some(
              ({ entitlement, reasons }) =>
                policy.keyOf.get(entitlement) === key && reasons.some(({ kind }) => kind === 'rule'),
            )
          /** The worst on each way that ends at `key`. */
          const ways = (key: string): readonly number[] => {
            const mine = bad.indexOf(own.get(idOf(policy, key))?.kind ?? 'go')
            return byRule(key)
              ? [mine]
              : pairs
                  .filter(
                    ({ gives, holds }) =>
                      gives === key && wanted.some(({ entitlement }) => policy.keyOf.get(entitlement) === holds),
                  )
                  .flatMap(({ holds }) => ways(holds).map((worst) => Math.max(worst, mine)))
          }
          for (const [entitlement, { kind }] of verdicts)
            expect([entitlement, kind]).toEqual([
              entitlement,
              bad[Math.min(...ways(policy.keyOf.get(entitlement) as string))],
            ])
        },
      ),
      { numRuns: 250 },
    )
  })
})
