/** Who works at the bank of the benchmark: person i sits in department i mod 10, each department has three groups. */
import { Attribute, Change } from 'ldapts'
import type { Ldap } from '../../scripts/stack/part.ts'
import { asDirectoryRoot, freshName } from './bench-stack.ts'

export const departments = 10
export const groupsEach = 3
/** Of the people who warm the engine up: their groups are not looked at. */
export const warmDepartment = departments

/** Departments of a usual ground: ten, and the one that warms up. */
export const usualDepartments = departments + 1

export const groupNames = (ofDepartments: number): readonly string[] =>
  Array.from({ length: ofDepartments * groupsEach }, (_, i) => `G${i}`)

export const groupsOfDepartment = (department: number): readonly string[] =>
  Array.from({ length: groupsEach }, (_, i) => `G${department * groupsEach + i}`)

export type Person = {
  readonly number: number
  readonly key: string
  readonly username: string
  readonly department: number
}

/** People `from` … `from + count - 1`. */
export const persons = (from: number, count: number, department?: number): readonly Person[] =>
  Array.from({ length: count }, (_, i) => {
    const number = from + i
    return { number, key: `P-${number}`, username: `u${number}`, department: department ?? number % departments }
  })

export const displayNameOf = ({ number }: Person): string => `Name ${number}`
export const familyNameOf = ({ number }: Person): string => `Family ${number}`

/** Accounts below one organizational unit; their attributes are what the mapping wants, so that they are linked as they are. */
export type People = { readonly base: string; readonly count: number }

const inFlight = 16

export const addPeople = async (ldap: Ldap, count: number): Promise<People> => {
  const name = freshName()
  const base = `ou=${name},${ldap.baseDn}`
  await asDirectoryRoot(ldap, (client) => client.add(base, { objectClass: 'organizationalUnit', ou: name }))
  return morePeople(ldap, { base, count: 0 }, count)
}

/** The same unit with so many accounts in all. */
export const morePeople = async (ldap: Ldap, { base, count }: People, wanted: number): Promise<People> => {
  await asDirectoryRoot(ldap, async (client) => {
    const todo = persons(count, Math.max(0, wanted - count)).values()
    const work = async () => {
      for (const person of todo)
        await client.add(accountDn(base, person), {
          objectClass: 'inetOrgPerson',
          cn: displayNameOf(person),
          sn: familyNameOf(person),
          givenName: 'Given',
          employeeNumber: person.key,
        })
    }
    await Promise.all(Array.from({ length: inFlight }, work))
  })
  return { base, count: Math.max(count, wanted) }
}

/** Takes the lock off these accounts, so that they can leave once more. */
export const unlock = (ldap: Ldap, base: string, people: readonly Person[]): Promise<void> =>
  asDirectoryRoot(ldap, async (client) => {
    const todo = people.values()
    const none = new Change({
      operation: 'replace',
      modification: new Attribute({ type: 'pwdAccountLockedTime', values: [] }),
    })
    const work = async () => {
      for (const person of todo) await client.modify(accountDn(base, person), none)
    }
    await Promise.all(Array.from({ length: inFlight }, work))
  })

export const accountDn = (base: string, { username }: Person): string => `uid=${username},${base}`

/** DNs of the members that these people make, by group. */
export const membersByGroup = ({ base }: People, people: readonly Person[]): ReadonlyMap<string, readonly string[]> => {
  const members = new Map<string, string[]>()
  for (const person of people)
    for (const group of groupsOfDepartment(person.department)) {
      const dns = members.get(group) ?? []
      dns.push(accountDn(base, person))
      members.set(group, dns)
    }
  return members
}

/** Fresh groups below a unit of their own, with members where `members` names some. */
export const addGroups = async (
  ldap: Ldap,
  ofDepartments: number,
  members: (group: string) => readonly string[] = () => [],
): Promise<string> => {
  const name = freshName()
  const base = `ou=${name},${ldap.baseDn}`
  await asDirectoryRoot(ldap, async (client) => {
    await client.add(base, { objectClass: 'organizationalUnit', ou: name })
    for (const group of groupNames(ofDepartments)) {
      const dn = `cn=${group},${base}`
      await client.add(dn, { objectClass: 'groupOfNames', member: 'cn=nobody' })
      const values = members(group)
      for (let at = 0; at < values.length; at += 500)
        await client.modify(
          dn,
          new Change({
            operation: 'add',
            modification: new Attribute({ type: 'member', values: values.slice(at, at + 500) }),
          }),
        )
    }
  })
  return base
}

/** Removes a unit and what is directly below it. */
export const removeUnit = (ldap: Ldap, base: string): Promise<void> =>
  asDirectoryRoot(ldap, async (client) => {
    const { searchEntries } = await client.search(base, { scope: 'one', attributes: ['1.1'], paged: true })
    const todo = searchEntries.values()
    const work = async () => {
      for (const { dn } of todo) await client.del(dn)
    }
    await Promise.all(Array.from({ length: inFlight }, work))
    await client.del(base)
  })
