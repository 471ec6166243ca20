import { rolesOf, sideEntitlements, sideName } from './build-policy-set.ts'
import type { Entries, Entry } from './entries.ts'
import type { RoleDef } from './policy-set.ts'
import type { Problem } from './problem.ts'
import { expandRole } from './role-expansion.ts'

/** SoD policies that cannot mean what they say, and roles and rules that break one all by themselves. */
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
  return [...problems, ...checkRoles(entries, roles, usable), ...checkRules(entries, roles, usable)]
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

const everything = (
  roles: ReadonlyMap<string, RoleDef>,
  named: readonly string[],
  entitlements: readonly string[],
): ReadonlySet<string> => new Set([...entitlements, ...named.flatMap((role) => [...expandRole(roles, role).keys()])])

/** Told once, of the innermost role: whatever contains it is broken for that reason alone. */
const checkRoles = (
  entries: Entries,
  roles: ReadonlyMap<string, RoleDef>,
  duties: readonly Duty[],
): readonly Problem[] =>
  [...entries.roles.values()].flatMap((entry) => {
    const role = roles.get(entry.key)
    if (role === undefined) return []
    const given = everything(roles, [role.key], [])
    return duties.flatMap((duty) => {
      const conflict = breach(duty, given)
      if (conflict === null || role.roles.some((nested) => breach(duty, everything(roles, [nested], [])) !== null))
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

const checkRules = (
  entries: Entries,
  roles: ReadonlyMap<string, RoleDef>,
  duties: readonly Duty[],
): readonly Problem[] =>
  [...entries.birthright.values()].flatMap((entry) => {
    if (entry.value === null) return []
    const { roles: named = [], entitlements = [] } = entry.value.grants
    const given = everything(roles, named, entitlements)
    return duties.flatMap((duty) => {
      const conflict = breach(duty, given)
      if (conflict === null || named.some((role) => breach(duty, everything(roles, [role], [])) !== null)) return []
      return [
        entry.problem(
          ['grants'],
          `rule ${entry.key} by itself breaks SoD policy ${duty.key}: ${conflict}`,
          'everybody whom it matches would be held: split the rule',
        ),
      ]
    })
  })
