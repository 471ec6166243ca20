import { rolesOf, sideEntitlements, sideName } from './build-policy-set.ts'
import type { Entries, Entry } from './entries.ts'
import { implicationsOf, impliedPairs, listedOf, withImplied } from './implied-pairs.ts'
import type { RoleDef } from './policy-set.ts'
import type { Problem } from './problem.ts'
import { expandRole } from './role-expansion.ts'

/** SoD policies that cannot mean what they say, and implications, roles and rules that break one all by themselves. */
export const checkDuties = (entries: Entries): readonly Problem[] => {
  const roles = rolesOf(entries)
  const duties = [...entries.sod.values()].flatMap((entry) =>
    entry.value === null ? [] : [{ entry, value: entry.value, sides: sidesOf(roles, entry.value.sides) }],
  )
  const problems = duties.flatMap(({ entry, value, sides }) => [
    ...checkSides(entry, sides),
    ...checkAtLeast(entry, value.atLeast, sides.length),
  ])
  const usable: readonly Duty[] = duties
    .filter(({ sides }) => overlaps(sides).length === 0)
    .map(({ entry, value, sides }) => ({ key: entry.key, atLeast: value.atLeast ?? sides.length, sides }))
  const implied = implicationsOf(entries, roles)
  const breaks: Breaks = (duty, named, entitlements) =>
    breach(
      duty,
      withImplied(implied, [...entitlements, ...named.flatMap((role) => [...expandRole(roles, role).keys()])]),
    )
  return [
    ...problems,
    ...checkImplied(entries, roles, usable, implied),
    ...checkRoles(entries, roles, usable, breaks),
    ...checkRules(entries, usable, breaks),
  ]
}

type Side = { readonly name: string; readonly entitlements: readonly string[]; readonly given: boolean }
type Duty = { readonly key: string; readonly atLeast: number; readonly sides: readonly Side[] }

const sidesOf = (
  roles: ReadonlyMap<string, RoleDef>,
  written: NonNullable<Entry<'sod'>['value']>['sides'],
): readonly Side[] =>
  written.map((side) => ({
    name: sideName(side),
    entitlements: sideEntitlements(roles, side),
    given: (side.roles ?? []).length + (side.entitlements ?? []).length > 0,
  }))

const checkSides = (entry: Entry<'sod'>, sides: readonly Side[]): readonly Problem[] => {
  const problems: Problem[] = []
  // A side that lost a malformed list is not empty in its author's eyes.
  if (entry.mended) return problems
  sides.forEach(({ name, entitlements, given }, i) => {
    if (!given)
      problems.push(entry.problem(['sides', i], 'this side is empty', 'list the entitlements or roles that make it'))
    else if (entitlements.length === 0)
      problems.push(entry.problem(['sides', i], 'the roles of this side give nothing'))
    if (given && name === '')
      problems.push(
        entry.problem(
          ['sides', i],
          'this side needs a name',
          'only a side of one entitlement or role is called after it',
        ),
      )
    if (name !== '' && sides.findIndex((side) => side.name === name) < i)
      problems.push(entry.problem(['sides', i], `two sides are called ${name}`))
  })
  for (const { entitlement, first, second } of overlaps(sides))
    problems.push(
      entry.problem(
        ['sides', second],
        `${entitlement} is in two sides: ${sides[first]?.name || first + 1} and ${sides[second]?.name || second + 1}`,
        'nobody can keep apart a thing from itself: if a role brings it in, list the entitlements that matter instead of the role',
      ),
    )
  return problems
}

const overlaps = (sides: readonly Side[]): readonly { entitlement: string; first: number; second: number }[] => {
  const seen = new Map<string, number>()
  return sides.flatMap(({ entitlements }, second) =>
    entitlements.flatMap((entitlement) => {
      const first = seen.get(entitlement)
      if (first === undefined) seen.set(entitlement, second)
      return first === undefined ? [] : [{ entitlement, first, second }]
    }),
  )
}

const checkAtLeast = (entry: Entry<'sod'>, atLeast: number | undefined, sides: number): readonly Problem[] =>
  atLeast !== undefined && atLeast > sides
    ? [
        entry.problem(
          ['atLeast'],
          `atLeast is ${atLeast}, but there are only ${sides} sides: this policy could never be broken`,
        ),
      ]
    : []

/** Which entitlement of which side, when these entitlements together break it; else null. */
const breach = ({ atLeast, sides }: Duty, given: ReadonlySet<string>): string | null => {
  const touched = sides.flatMap(({ entitlements }) => entitlements.find((key) => given.has(key)) ?? [])
  return touched.length >= atLeast ? touched.join(' with ') : null
}

/** As `breach`, of what these roles and entitlements give and all that follows from it. */
type Breaks = (duty: Duty, roles: readonly string[], entitlements: readonly string[]) => string | null

/** Told once, of the last step on the way: whatever leads there is broken for that reason alone. */
const checkImplied = (
  entries: Entries,
  roles: ReadonlyMap<string, RoleDef>,
  duties: readonly Duty[],
  implied: ReadonlyMap<string, readonly string[]>,
): readonly Problem[] => {
  const catalogue = listedOf(entries)
  const told = new Set<string>()
  return [...entries.implications.values()].flatMap((entry) =>
    (entry.value === null ? [] : impliedPairs(entry.value, catalogue, roles)).flatMap(({ holds }) => {
      if (told.has(holds)) return []
      told.add(holds)
      return duties.flatMap((duty) => {
        const conflict = breach(duty, withImplied(implied, [holds]))
        if (
          conflict === null ||
          implied.get(holds)?.some((next) => breach(duty, withImplied(implied, [next])) !== null)
        )
          return []
        return [
          entry.problem(
            [],
            `what ${holds} implies by itself breaks SoD policy ${duty.key}: ${conflict}`,
            'nobody could ever be given all of it',
          ),
        ]
      })
    }),
  )
}

/** Told once, of the innermost role: whatever contains it is broken for that reason alone. */
const checkRoles = (
  entries: Entries,
  roles: ReadonlyMap<string, RoleDef>,
  duties: readonly Duty[],
  breaks: Breaks,
): readonly Problem[] =>
  [...entries.roles.values()].flatMap((entry) => {
    const role = roles.get(entry.key)
    if (role === undefined) return []
    const given = [...expandRole(roles, role.key).keys()]
    return duties.flatMap((duty) => {
      const conflict = breaks(duty, [role.key], [])
      if (
        conflict === null ||
        role.roles.some((nested) => breaks(duty, [nested], []) !== null) ||
        given.some((one) => breaks(duty, [], [one]) !== null)
      )
        return []
      return [
        entry.problem(
          [],
          `role ${role.key} by itself breaks SoD policy ${duty.key}: ${conflict}`,
          'nobody could ever be given all of it: split the role',
        ),
      ]
    })
  })

const checkRules = (entries: Entries, duties: readonly Duty[], breaks: Breaks): readonly Problem[] =>
  [...entries.birthright.values()].flatMap((entry) => {
    if (entry.value === null) return []
    const { roles: named = [], entitlements = [] } = entry.value.grants
    return duties.flatMap((duty) => {
      const conflict = breaks(duty, named, entitlements)
      if (
        conflict === null ||
        named.some((role) => breaks(duty, [role], []) !== null) ||
        entitlements.some((one) => breaks(duty, [], [one]) !== null)
      )
        return []
      return [
        entry.problem(
          ['grants'],
          `rule ${entry.key} by itself breaks SoD policy ${duty.key}: ${conflict}`,
          'everybody whom it matches would be held: split the rule',
        ),
      ]
    })
  })
