/** Who works at the bank of the benchmark: person i sits in department i mod 10, each department has three groups. */
import { Attribute, Change } from 'ldapts'
import type { Ldap } from '../../scripts/stack/part.ts'
import { asDirectoryRoot, freshName } from './bench-stack.ts'

export const departments = 10
export const groupsEach = 3
/** Of the people who warm the engine up: their groups are not looked at. */
export const warmDepartment = departments

export const groupNames: readonly string[] = Array.from({ length: (departments + 1) * groupsEach }, (_, i) => `G${i}`)

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
  await asDirectoryRoot(ldap, async (client) => {
    await client.add(base, { objectClass: 'organizationalUnit', ou: name })
    const todo = persons(0, count).values()
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
  return { base, count }
}

export const accountDn = (base: string, { username }: Person): string => `uid=${username},${base}`

/** Fresh groups below a unit of their own, with members where `members` names some. */
export const addGroups = async (
  ldap: Ldap,
  members: (group: string) => readonly string[] = () => [],
): Promise<string> => {
  const name = freshName()
  const base = `ou=${name},${ldap.baseDn}`
  await asDirectoryRoot(ldap, async (client) => {
    await client.add(base, { objectClass: 'organizationalUnit', ou: name })
    for (const group of groupNames) {
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
    const { searchEntries } = await client.search(base, { scope: 'one', attributes: ['1.1'] })
    const todo = searchEntries.values()
    const work = async () => {
      for (const { dn } of todo) await client.del(dn)
    }
    await Promise.all(Array.from({ length: inFlight }, work))
    await client.del(base)
  })
