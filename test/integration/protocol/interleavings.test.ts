/** The laws under random interleavings of events, deaths, lost answers, sweeps and passing time, on real parts. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { createFaults, createGates } from '../../support/faults.ts'
import { openHouse } from '../../support/house.ts'
import { type Course, happen, happenings } from './interleavings.ts'
import { auditOf, brokenLaws, conflicts } from './laws.ts'

const seed = Number(process.env.MUSTER_TEST_SEED ?? Date.now() % 2 ** 31)
const forMs = Number(process.env.MUSTER_TEST_PROPERTY_MS ?? 30_000)
const none = { absolute: null, percent: null }
const pairs = [
  ['CBS_LoanEntry', 'CBS_LoanApprove'],
  ['CBS_LoanEntry', 'CBS_LoanDisburse'],
] as const
/** When the last of the future-dated events has taken effect. */
const theEnd = 3 * 3_600_000

type Directory = ReadonlyMap<string, { readonly groups: readonly string[] }>

/** What differs between two looks at the directory. */
const changesBetween = (before: Directory, after: Directory) =>
  [...new Set([...before.keys(), ...after.keys()])].flatMap((person) => {
    const [was, is] = [before.get(person)?.groups ?? [], after.get(person)?.groups ?? []]
    return [
      ...is.filter((key) => !was.includes(key)).map((key) => ({ person, key, kind: 'grant' })),
      ...was.filter((key) => !is.includes(key)).map((key) => ({ person, key, kind: 'revoke' })),
    ]
  })

test('the laws hold after any interleaving', { timeout: forMs + 180_000 }, async () => {
  process.stderr.write(`interleavings: seed ${seed} (MUSTER_TEST_SEED)\n`)
  let runs = 0
  const endsAt = performance.now() + forMs
  const property = fc.asyncProperty(happenings, fc.boolean(), async (course, foundThere) => {
    // Begun is ended, and judged: interrupted from outside, the last would go on beside the next file, and nobody would hear of it.
    if (runs > 0 && performance.now() > endsAt) return
    const gates = createGates()
    const faults = createFaults()
    const house = await openHouse({
      settings: { pause: gates.pause },
      connector: faults.wrap,
      target: { guard: { ...defaultGuardLimits, revokes: none, disables: none, entitlementRevokes: none } },
    })
    try {
      if (foundThere) {
        await house.addAccount('P-3')
        await house.addMember('P-3', 'CBS_LoanApprove')
      }
      let directory: Directory = await house.everything()
      /** L2 in the directory itself, and L7: whatever changed there was attempted by just these dispatches. */
      const afterProvision = async (dispatches: readonly number[]) => {
        expect(await conflicts(house, pairs)).toEqual([])
        const now = await house.everything()
        const changes = changesBetween(directory, now)
        directory = now
        if (changes.length === 0) return
        const refs = new Map(
          (await house.rows<{ person_key: string; id: number }>('select person_key, id from muster.identity')).map(
            (row) => [row.person_key, row.id],
          ),
        )
        const keys = new Map(house.entitlements.map(({ id, key }) => [key, id]))
        const attempted = (await auditOf(house)).flatMap(({ kind, body }) =>
          kind === 'attempt' && dispatches.includes(Number(body.dispatch))
            ? (body.operations as { action: number }[])
            : [],
        )
        const actions = await house.rows<{ identity_id: number; kind: string; entitlement_id: number }>(
          'select identity_id, kind::text, entitlement_id from muster.action where id = any($1)',
          attempted.map(({ action }) => action),
        )
        for (const { person, key, kind } of changes)
          expect(
            actions.filter(
              (one) =>
                one.identity_id === refs.get(person) && one.entitlement_id === keys.get(key) && one.kind === kind,
            ),
          ).toHaveLength(1)
      }
      const all: Course = { house, gates, faults, beginning: await house.now(), told: new Map(), afterProvision }
      for (const one of course) await happen(all, one)
      gates.clear()
      faults.clear()
      await house.recover((id) => afterProvision([id]))
      expect(await brokenLaws(house)).toEqual([])
      await house.shift(theEnd)
      await house.quiesce((id) => afterProvision([id]))
      expect(await brokenLaws(house)).toEqual([])
      runs++
    } finally {
      await house.close()
    }
  })
  await fc.assert(property, { seed, numRuns: Math.max(1_000, forMs / 50) })
  process.stderr.write(`interleavings: ${runs} runs held\n`)
  expect(runs).toBeGreaterThan(0)
})
