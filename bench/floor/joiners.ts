import pg from 'pg'
import type { Ground } from '../house/ground.ts'
import { groupsOfDepartment, type Person } from '../house/people.ts'
import { compareDirectory } from '../house/witness.ts'
import { changeMembers, openDirectory, readGroup, resolveByOr, resolveByPages } from './directory.ts'
import { copyRows, type TableRows } from './table-rows.ts'

/** ms of each step; the faster way to resolve counts, and the steps are done one after the other. */
export type JoinersFloor = {
  readonly total: number
  readonly resolve: number
  readonly resolvedBy: string
  readonly modify: number
  readonly read: number
  readonly copy: number
}

/** The same people into the same number of groups, and the rows that Muster wrote for it, by the shortest way. */
export const joinersFloor = async (
  ground: Ground,
  people: readonly Person[],
  rows: readonly TableRows[],
): Promise<JoinersFloor> => {
  const { bench, groups } = ground
  const client = await openDirectory(bench)
  const db = new pg.Client({ connectionString: ground.adminUrl })
  await db.connect()
  const timed = async <T>(work: () => Promise<T>): Promise<readonly [T, number]> => {
    const begun = performance.now()
    const result = await work()
    return [result, performance.now() - begun]
  }
  try {
    const keys = people.map(({ key }) => key)
    const [byPages, pages] = await timed(() => resolveByPages(client, ground.people.base))
    const [byOr, or] = await timed(() => resolveByOr(client, ground.people.base, keys))
    if (byOr.size !== keys.length || keys.some((key) => !byPages.has(key)))
      throw new Error('the floor could not resolve everybody')
    const membersOf = new Map<string, string[]>()
    for (const person of people)
      for (const group of groupsOfDepartment(person.department)) {
        const dns = membersOf.get(group) ?? []
        dns.push(byOr.get(person.key) as string)
        membersOf.set(group, dns)
      }
    const [, modify] = await timed(async () => {
      for (const [group, dns] of membersOf) await changeMembers(client, 'add', `cn=${group},${groups}`, dns)
    })
    const [, read] = await timed(async () => {
      for (const group of membersOf.keys()) await readGroup(client, `cn=${group},${groups}`)
    })
    const [, copy] = await timed(() => copyRows(db, rows))
    const resolve = Math.min(or, pages)
    await compareDirectory(bench.ldap, { people: ground.people, groups, members: people, locked: null })
    return {
      total: resolve + modify + read + copy,
      resolve,
      resolvedBy: or < pages ? 'ORs of 100' : 'one paged search',
      modify,
      read,
      copy,
    }
  } finally {
    await db.end()
    await client.unbind()
  }
}
