import { conditionsOf } from './build-conditions.ts'
import type { Entries, Entry } from './entries.ts'
import { impliedPairs, listedOf } from './implied-pairs.ts'
import type { Section } from './policy-document.ts'
import type { ExceptionDef, PolicySet, RoleDef, RuleDef, SodDef } from './policy-set.ts'
import { expandRole } from './role-expansion.ts'
import { readTimestamp } from './timestamp.ts'

/** The entries as the rest of the house knows them. Entries whose form is wrong are left out: they were reported. */
export const buildPolicySet = (entries: Entries): PolicySet => {
  const roles = rolesOf(entries)
  const catalogue = listedOf(entries)
  return {
    entitlements: valid(entries.entitlements).map(([key, value]) => ({
      key,
      ...value,
      drift: value.drift ?? 'report',
      protected: value.protected ?? false,
    })),
    roles: [...roles.values()].sort(byKey),
    rules: valid(entries.birthright).map(
      ([key, { description = '', when, cel = null, grants }]): RuleDef => ({
        key,
        description,
        when:
          when === 'everyone'
            ? []
            : Object.entries(when)
                .sort(byName)
                .flatMap(([attribute, written]) => conditionsOf(written).map((is) => ({ attribute, is }))),
        cel,
        roles: sorted(grants.roles),
        entitlements: sorted(grants.entitlements),
      }),
    ),
    implications: valid(entries.implications).map(([key, value]) => ({
      key,
      description: value.description ?? '',
      pairs: impliedPairs(value, catalogue, roles),
    })),
    sod: valid(entries.sod).map(
      ([key, { description, severity, atLeast, sides }]): SodDef => ({
        key,
        description,
        severity,
        atLeast: atLeast ?? sides.length,
        sides: sides.map((side) => ({ name: sideName(side), entitlements: sideEntitlements(roles, side) })),
      }),
    ),
    exceptions: valid(entries.exceptions).flatMap(([key, { from, expires, ...value }]): ExceptionDef[] => {
      const [begins, ends] = [readTimestamp(from), readTimestamp(expires)]
      return begins === null || ends === null ? [] : [{ key, ...value, from: begins, expires: ends }]
    }),
  }
}

export type WrittenSide = {
  readonly name?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly entitlements?: readonly string[] | undefined
}

/** '' when it has none and more than one thing could lend it. */
export const sideName = ({ name, roles = [], entitlements = [] }: WrittenSide): string =>
  name ?? (roles.length + entitlements.length === 1 ? ([...entitlements, ...roles][0] ?? '') : '')

export const sideEntitlements = (roles: ReadonlyMap<string, RoleDef>, side: WrittenSide): readonly string[] =>
  sorted([...(side.entitlements ?? []), ...(side.roles ?? []).flatMap((role) => [...expandRole(roles, role).keys()])])

export const rolesOf = ({ roles }: Entries): ReadonlyMap<string, RoleDef> =>
  new Map(
    valid(roles).map(([key, { description = '', roles: nested, entitlements }]) => [
      key,
      { key, description, roles: sorted(nested), entitlements: sorted(entitlements) },
    ]),
  )

const valid = <S extends Section>(
  entries: ReadonlyMap<string, Entry<S>>,
): readonly [string, NonNullable<Entry<S>['value']>][] =>
  [...entries.values()]
    .flatMap(({ key, value }): [string, NonNullable<Entry<S>['value']>][] => (value === null ? [] : [[key, value]]))
    .sort(byName)

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const byName = (a: readonly [string, unknown], b: readonly [string, unknown]): number => compareText(a[0], b[0])
const byKey = (a: { key: string }, b: { key: string }): number => compareText(a.key, b.key)
const sorted = (names: readonly string[] = []): readonly string[] => [...new Set(names)].sort(compareText)
