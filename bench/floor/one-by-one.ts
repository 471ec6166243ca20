import type { Ground } from '../house/ground.ts'
import { accountDn, groupsOfDepartment, type Person } from '../house/people.ts'
import { changeMembers, openDirectory } from './directory.ts'

/** ms that one modify a membership takes on one connection, for taking these people out of their groups. */
export const revokeOneByOne = async (
  { bench, people, groups }: Ground,
  leavers: readonly Person[],
): Promise<number> => {
  const client = await openDirectory(bench)
  try {
    const begun = performance.now()
    for (const person of leavers)
      for (const group of groupsOfDepartment(person.department))
        await changeMembers(client, 'delete', `cn=${group},${groups}`, [accountDn(people.base, person)])
    return performance.now() - begun
  } finally {
    await client.unbind()
  }
}
