import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from 'ldapts'
import pg from 'pg'
import { auditEntry } from '../../src/audit/entry.ts'
import type { Ground } from '../house/ground.ts'
import { accountDn, groupsOfDepartment, type Person } from '../house/people.ts'
import { VoidRun } from '../house/witness.ts'
import { changeMembers, groupsHolding, lockAccount, openDirectory } from './directory.ts'

export type LeaverFloor = {
  /** ms of each leaver: three modifies, the lock, one read-back, one committed audit row. */
  readonly leave: (people: readonly Person[]) => Promise<readonly number[]>
  readonly close: () => Promise<void>
}

/** A direct loop: no queue, no plan, no other process. It knows the groups and the DN. */
export const openLeaverFloor = async (ground: Ground): Promise<LeaverFloor> => {
  const client = await openDirectory(ground.bench)
  const db = new pg.Client({ connectionString: ground.engineUrl })
  await db.connect()
  return {
    leave: async (people) => {
      const took: number[] = []
      for (const [index, person] of people.entries()) {
        await pause(10 + ((index * 7) % 23))
        const begun = performance.now()
        await leaveDirectly(client, db, ground, person)
        took.push(performance.now() - begun)
      }
      return took
    },
    close: async () => {
      await db.end()
      await client.unbind()
    },
  }
}

const leaveDirectly = async (
  client: Client,
  db: pg.Client,
  { people, groups }: Ground,
  person: Person,
): Promise<void> => {
  const dn = accountDn(people.base, person)
  for (const group of groupsOfDepartment(person.department))
    await changeMembers(client, 'delete', `cn=${group},${groups}`, [dn])
  await lockAccount(client, dn)
  if ((await groupsHolding(client, groups, dn)).length > 0)
    throw new VoidRun('the direct loop left a membership behind')
  const entry = auditEntry('outcome', Date.now(), {}, { person: person.number, outcome: 'done' })
  await db.query({
    name: 'floor-audit',
    text: 'insert into audit.entry (recorded_at, kind, bytes, leaf_hash) values (now(), $1, $2, $3)',
    values: [entry.kind, Buffer.from(entry.text), Buffer.from(entry.leafHash, 'hex')],
  })
}
