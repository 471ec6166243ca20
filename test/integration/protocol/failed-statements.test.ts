import { setImmediate } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import type { Transaction } from '../../../src/store/database.ts'
import { type House, openHouse } from '../../support/house.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

const failureOf = async (work: () => Promise<unknown>): Promise<{ code?: string }> => {
  try {
    await work()
    return {}
  } catch (error) {
    return error as { code?: string }
  }
}

test('the first statement that failed is the reason, however deep it is wrapped: a deadlock is repeated', async () => {
  house = await openHouse()
  const victim = { text: `do $$ begin raise exception 'victim' using errcode = '40P01'; end $$` }
  const deep = async (tx: Transaction) => {
    await tx.query(victim)
  }
  const failure = await failureOf(() =>
    house.engine.db.transaction(async (tx) => {
      tx.defer(deep(tx))
      tx.defer(tx.query({ text: 'select 1' }))
    }),
  )
  expect(failure.code).toBe('40P01')
  expect(house.engine.db.counters.repeats).toBe(4)
})

test('a server that goes while an outcome with a finding is written ends no process', async () => {
  const unhandled: unknown[] = []
  const listener = (error: unknown) => void unhandled.push(error)
  let refuse = false
  house = await openHouse({
    connector: (real) => ({
      ...real,
      apply: async (operations, context) => {
        const outcomes = await real.apply(operations, context)
        const refused = refuse ? operations.findIndex(({ op }) => op === 'revoke') : -1
        return outcomes.map((outcome, index) =>
          index === refused
            ? { kind: 'refused', reason: 'not-allowed', cause: { code: '50', word: 'insufficient-access' } }
            : outcome,
        )
      },
    }),
  })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.evaluateAll('leaver')
  const [ref] = await house.dispatchAll('leaver')
  refuse = true
  const blocker = new pg.Client({ connectionString: house.database.adminUrl })
  await blocker.connect()
  await blocker.query('begin')
  await blocker.query('select 1 from muster.action where dispatch_id = $1 for update', [ref?.id])
  process.on('unhandledRejection', listener)
  const provisioning = failureOf(() => house.provision(ref?.id ?? 0))
  await house.waitingForALock()
  await house.rows(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'test-engine' and wait_event_type = 'Lock'`)
  expect((await provisioning).code).toBe('57P01')
  await blocker.query('rollback')
  await blocker.end()
  await setImmediate()
  process.off('unhandledRejection', listener)
  expect(unhandled).toEqual([])
})

test("advisory locks are anybody's: an auditor who takes them all stops no leaver and no policy", async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  const auditor = new pg.Client({ connectionString: house.database.auditorUrl })
  await auditor.connect()
  for (const key of ['muster.guard:bank-ldap', 'muster.policy'])
    await auditor.query('select pg_advisory_lock(hashtextextended($1, 0))', [key])
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  const taken = await house.rows<{ n: number }>(
    `select count(*) as n from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
      and pid not in (select pid from pg_stat_activity where usename = 'muster_auditor')`,
  )
  expect(taken[0]?.n).toBe(0)
  await auditor.end()
})
