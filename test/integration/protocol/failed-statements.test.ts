import { setImmediate } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { dispatch } from '../../../src/engine/dispatch.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import type { Transaction } from '../../../src/store/database.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { until } from '../../support/until.ts'
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
  expect((await failureOf(() => house.engine.db.query(victim))).code).toBe('40P01')
  expect(house.engine.db.counters.repeats).toBe(8)
})

test.each(['rolled back', 'committed'])(
  'a transaction that was %s takes no statement more: its connection may be somebody else’s by now',
  async (end) => {
    house = await openHouse()
    const kept: Transaction[] = []
    const failed = await failureOf(() =>
      house.engine.db.transaction(async (tx) => {
        kept.push(tx)
        if (end === 'rolled back') await Promise.all([tx.query({ text: 'select 1/0' })])
      }),
    )
    expect(failed.code).toBe(end === 'rolled back' ? '22012' : undefined)
    const { statements } = house.engine.db.counters
    const late = await Promise.allSettled(kept.map((tx) => tx.query({ text: 'select 1' })))
    expect(late.map(({ status }) => status)).toEqual(['rejected'])
    expect(house.engine.db.counters.statements).toBe(statements)
  },
)

test('the guard fails at one target while it counts at another: that has ended before its transaction has', async () => {
  house = await openHouse({ second: (real) => real })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.evaluateAll('leaver')
  const counts: string[] = []
  const engine: Engine = {
    ...house.engine,
    guardMembers: {
      of: async (of, _rows, _limits, { all }) => {
        if (of === target) throw new Error('cannot count')
        // Whatever the first failure brings about at once has happened.
        await setImmediate()
        const members = await all().catch((error: unknown) => String(error))
        counts.push(typeof members === 'string' ? members : 'counted')
        return typeof members === 'string' ? { accounts: 0, grants: 0, holders: new Map() } : members
      },
    },
  }
  await expect(dispatch(engine, 'leaver')).rejects.toThrow('cannot count')
  await until(() => counts.length > 0)
  expect(counts).toEqual(['counted'])
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
  blocker.on('error', () => {})
  await blocker.connect()
  await blocker.query('begin')
  await blocker.query('select 1 from muster.action where dispatch_id = $1 for update', [ref?.id])
  process.on('unhandledRejection', listener)
  // Also when it fails: other files come after it in this process.
  onTestFinished(() => {
    process.off('unhandledRejection', listener)
    return blocker.end()
  })
  const provisioning = failureOf(() => house.provision(ref?.id ?? 0))
  await house.waitingForALock()
  await house.rows(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'test-engine' and wait_event_type = 'Lock'`)
  expect((await provisioning).code).toBe('57P01')
  await blocker.query('rollback')
  await setImmediate()
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
