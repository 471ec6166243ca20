import { expect } from 'vitest'
import {
  type Answer,
  type Expectation,
  type Given,
  type Happening,
  type HrEvent,
  hrEvent,
  type Scenario,
} from './scenario-file.ts'

/** What is seen of one person from outside. */
export type Observation = {
  readonly lifecycle: string
  readonly leaver: boolean
  /** Its evaluation throws, and nothing is granted. */
  readonly parked: boolean
  /** Target → names of the groups that hold the account directly, by the target itself. */
  readonly holds: Readonly<Record<string, readonly string[]>>
  readonly accounts: Readonly<Record<string, 'enabled' | 'disabled' | 'none'>>
  readonly wanted: readonly string[]
  /** Open SoD holds: entitlement → policies. */
  readonly held: Readonly<Record<string, readonly string[]>>
  readonly violations: readonly string[]
  /** Entitlements of the catalogue that were found on a target and that nothing explains. */
  readonly reported: readonly string[]
  /** Verified changes since the last look that really changed the target, in the order in which they were verified. */
  readonly changes: readonly {
    readonly change: string
    readonly lane: string
    readonly startedAt: number
    readonly verifiedAt: number
  }[]
  readonly open: Readonly<Record<string, string>>
}

/** Anything that can live through a scenario: the pure core, or the whole app on real parts. */
export type ScenarioHouse = {
  readonly ingest: (event: HrEvent) => Promise<void>
  readonly clock: (at: string) => Promise<void>
  readonly applyPolicies: (sources: readonly string[]) => Promise<void>
  readonly setMode: (target: string, mode: 'observe' | 'plan' | 'enforce') => Promise<void>
  readonly reject: (person: string, entitlement: string) => Promise<void>
  /** A human lets go what the guard holds of this kind on the target. */
  readonly release: (target: string, changes: 'revoke' | 'disable') => Promise<void>
  /** From now on Muster's evaluation of this person throws, or does so no more. */
  readonly failing: (person: string, fails: boolean) => Promise<void>
  /** From now on the call of this change hangs; `answered` ends it. */
  readonly calling: (person: string, change: string) => Promise<void>
  readonly answered: (person: string, change: string, as: Answer) => Promise<void>
  readonly down: (target: string) => Promise<void>
  readonly up: (target: string) => Promise<void>
  /** Somebody else sets an account of the target to this. */
  readonly outside: (entry: Given['directory'][number]) => Promise<void>
  readonly restart: () => Promise<void>
  /** Until nothing more can happen by itself. */
  readonly rest: () => Promise<void>
  readonly observe: (person: string) => Promise<Observation>
  readonly close: () => Promise<void>
}

export const runScenario = async (
  { given, steps }: Scenario,
  open: (given: Given) => Promise<ScenarioHouse>,
): Promise<void> => {
  const house = await open(given)
  try {
    let at = given.now
    for (const [i, step] of steps.entries()) {
      for (const [j, happening] of step.when.entries()) {
        if ('clock' in happening) at = happening.clock
        await happen(house, given, happening, String(1_000 * i + j).padStart(10, '0'), at)
      }
      await house.rest()
      for (const [person, expected] of Object.entries(step.then))
        check(await house.observe(person), expected, `step ${i + 1}, ${person}`)
    }
  } finally {
    await house.close()
  }
}

const happen = async (
  house: ScenarioHouse,
  given: Given,
  happening: Happening,
  sequence: string,
  now: string,
): Promise<void> => {
  if ('hr' in happening) {
    const { person } = happening.hr
    await house.ingest(
      hrEvent.parse({
        id: `event-${sequence}`,
        sequence,
        effectiveAt: now,
        recordedtime: now,
        username: person.toLowerCase(),
        displayName: person,
        ...given.people[person],
        ...happening.hr,
      }),
    )
  } else if ('clock' in happening) await house.clock(happening.clock)
  else if ('policies' in happening) await house.applyPolicies(happening.policies)
  else if ('mode' in happening)
    for (const [target, mode] of Object.entries(happening.mode)) await house.setMode(target, mode)
  else if ('reject' in happening) await house.reject(happening.reject.person, happening.reject.entitlement)
  else if ('release' in happening) await house.release(happening.release.target, happening.release.changes)
  else if ('failing' in happening) await house.failing(happening.failing, true)
  else if ('mended' in happening) await house.failing(happening.mended, false)
  else if ('calling' in happening) await house.calling(happening.calling.person, happening.calling.change)
  else if ('answered' in happening)
    await house.answered(happening.answered.person, happening.answered.change, happening.answered.as)
  else if ('down' in happening) await house.down(happening.down)
  else if ('up' in happening) await house.up(happening.up)
  else if ('outside' in happening) await house.outside(happening.outside)
  else await house.restart()
}

const check = (seen: Observation, expected: Expectation, where: string): void => {
  const { before = [], lane, holds, ...plain } = expected
  const comparable: Record<string, unknown> = {
    lifecycle: seen.lifecycle,
    leaver: seen.leaver,
    parked: seen.parked,
    accounts: seen.accounts,
    wanted: seen.wanted.toSorted(),
    held: seen.held,
    violations: seen.violations.toSorted(),
    reported: seen.reported.toSorted(),
    changes: seen.changes.map(({ change }) => change).toSorted(),
    open: seen.open,
  }
  for (const [key, value] of Object.entries(plain))
    expect(comparable[key], `${where}: ${key}`).toEqual(Array.isArray(value) ? value.toSorted() : value)
  if (holds !== undefined) {
    const all = Array.isArray(holds)
      ? Object.values(seen.holds).flat()
      : Object.fromEntries(Object.entries(seen.holds).map(([on, names]) => [on, names.toSorted()]))
    const wanted = Array.isArray(holds)
      ? holds
      : Object.fromEntries(Object.entries(holds).map(([on, names]) => [on, names.toSorted()]))
    expect(Array.isArray(all) ? all.toSorted() : all, `${where}: holds`).toEqual(
      Array.isArray(wanted) ? wanted.toSorted() : wanted,
    )
  }
  if (lane !== undefined)
    expect(new Set(seen.changes.map((one) => one.lane)), `${where}: lane`).toEqual(new Set([lane]))
  for (const [first, second] of before) {
    const earlier = seen.changes.find(({ change }) => change === first)
    const later = seen.changes.find(({ change }) => change === second)
    expect(earlier, `${where}: ${first} happened`).toBeDefined()
    expect(later, `${where}: ${second} happened`).toBeDefined()
    expect(earlier?.verifiedAt, `${where}: ${first} was verified before ${second} was sent`).toBeLessThan(
      later?.startedAt ?? 0,
    )
  }
}
