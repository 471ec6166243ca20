/** Compares the directory with what must stand there, member by member, on connections that are not the engine's. */
import type { Ldap } from '../../scripts/stack/part.ts'
import { asDirectoryRoot } from './bench-stack.ts'
import { accountDn, groupsOfDepartment, type People, type Person } from './people.ts'

/** A run whose result is wrong has no time. */
export class VoidRun extends Error {
  override readonly name = 'VoidRun'
}

export type Expected = {
  readonly people: People
  readonly groups: string
  /** Everybody who holds the groups of their department, and nobody else does. */
  readonly members: readonly Person[]
  /** Accounts that are locked; null: not looked at. */
  readonly locked: readonly Person[] | null
}

const placeholder = 'cn=nobody'

export const compareDirectory = (ldap: Ldap, { people, groups, members, locked }: Expected): Promise<void> =>
  asDirectoryRoot(ldap, async (client) => {
    const wanted = new Map<string, Set<string>>()
    for (const person of members)
      for (const group of groupsOfDepartment(person.department)) {
        const dns = wanted.get(group) ?? new Set()
        wanted.set(group, dns.add(accountDn(people.base, person).toLowerCase()))
      }
    const { searchEntries } = await client.search(groups, { scope: 'one', attributes: ['cn', 'member'] })
    const differences: string[] = []
    const seen = new Set<string>()
    for (const { cn, member } of searchEntries) {
      const group = String(cn)
      seen.add(group)
      const there = new Set(
        [member ?? []]
          .flat()
          .map((dn) => String(dn).toLowerCase())
          .filter((dn) => dn !== placeholder),
      )
      differences.push(...difference(group, wanted.get(group) ?? new Set(), there))
    }
    for (const group of wanted.keys()) if (!seen.has(group)) differences.push(`${group}: is not there`)
    if (locked !== null) {
      const found = await client.search(people.base, {
        scope: 'one',
        filter: '(pwdAccountLockedTime=*)',
        attributes: ['1.1'],
      })
      const there = new Set(found.searchEntries.map(({ dn }) => dn.toLowerCase()))
      differences.push(
        ...difference(
          'locked accounts',
          new Set(locked.map((person) => accountDn(people.base, person).toLowerCase())),
          there,
        ),
      )
    }
    if (differences.length > 0) throw new VoidRun(`the directory is not as expected:\n  ${differences.join('\n  ')}`)
  })

const difference = (what: string, wanted: ReadonlySet<string>, there: ReadonlySet<string>): readonly string[] => {
  const missing = [...wanted].filter((dn) => !there.has(dn))
  const extra = [...there].filter((dn) => !wanted.has(dn))
  if (missing.length === 0 && extra.length === 0) return []
  const example = [...missing, ...extra][0] ?? ''
  return [`${what}: ${missing.length} missing, ${extra.length} too many of ${wanted.size} (e.g. ${example})`]
}
