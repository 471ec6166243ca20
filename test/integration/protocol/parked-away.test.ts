/** A target that was away for longer than bulk work waits: what takes access away is not forgotten when it is back. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { setTargetMode } from '../../../src/engine/set-target-mode.ts'
import { type House, openHouse, secondTarget, target } from '../../support/house.ts'
import { resolved } from './behind-our-back.ts'
import { works } from './people.ts'

let house: House
afterEach(() => house.close())
const silent: Outcome = { kind: 'retry', cause: { code: 'ECONNREFUSED', word: 'no-connection', elsewhere: true } }
const away = { now: false }
const leavable = (real: Connector): Connector => ({
  ...real,
  apply: async (operations, context) => (away.now ? operations.map(() => silent) : real.apply(operations, context)),
})
/** P-1 becomes somebody else while the target is away; then it is back, and has been reconciled. */
const changedMeanwhile = async (next: Parameters<House['tell']>[0]) => {
  away.now = true
  await house.tell(next)
  // Whatever waits for the target goes on waiting: nothing is given up.
  await expect(house.quiesce()).rejects.toThrow('not quiet')
  away.now = false
  for (let n = 0; n < 2; n++) {
    await house.shift(3_600_000)
    await house.sweep()
    await reconcile(house.engine, target, {
      actor: { type: 'engine', name: 'test' },
      full: true,
      signal: new AbortController().signal,
    })
    await house.quiesce()
  }
}
const open = async () => {
  away.now = false
  house = await openHouse({ connector: leavable })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
}

test('whoever moved loses what they held before', async () => {
  await open()
  await changedMeanwhile(works('P-1', await house.now(), { jobCode: 'TELLER', department: 'LENDING' }))
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
})

test('whoever was suspended is shut out', async () => {
  await open()
  await changedMeanwhile({ ...works('P-1', await house.now()), status: 'suspended' })
  expect(await house.account('P-1')).toMatchObject({ locked: true })
})

test('what only an identity provider brings is waited for, told when overdue with what feeds it, and never parked', async () => {
  const feeder: { id?: string } = {}
  const brought = { now: false }
  const fed = (real: Connector): Connector => ({
    ...real,
    apply: async (operations, context) =>
      brought.now || operations.some(({ op }) => op !== 'grant')
        ? real.apply(operations, context)
        : operations.map(() => ({
            kind: 'retry',
            retryAfterMs: 60_000,
            cause: { code: '', word: 'scim-owned', awaited: feeder.id === undefined ? [] : [feeder.id] },
          })),
  })
  house = await openHouse({ second: fed, mode: 'plan', target: { expectWithinMs: 600_000 } })
  await resolved(house)
  const [crm] = await house.rows<{ native_id: string }>(
    `select native_id from muster.entitlement where key = 'App_Crm'`,
  )
  expect(crm?.native_id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  feeder.id = crm?.native_id ?? ''
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  // Planned long before anything is sent: until then nobody waits for it.
  await house.shift(2 * 86_400_000)
  for (const id of [target, secondTarget])
    await setTargetMode(house.engine, id, 'enforce', { type: 'os-user', name: 'test', authenticated: false })
  const waiting = `select a.state::text, round(extract(epoch from a.deadline - t.mode_set_at) / 60)::int as minutes, f.kind, f.detail ->> 'todo' as todo
    from muster.action a join muster.target t on t.id = a.target left join muster.finding f on f.key = 'action:' || a.id and f.closed_at is null
    where a.target = $1 and a.kind = 'grant'`
  for (const _ of ['made', 'granted']) {
    await house.evaluateAll()
    await house.shift(600)
    for (const { id } of await house.dispatchAll()) await house.provision(id)
  }
  await house.sweep()
  expect(await house.rows(waiting, secondTarget)).toMatchObject([{ state: 'ready', minutes: 10, kind: null }])
  await expect(house.quiesce()).rejects.toThrow('not quiet')
  await house.sweep()
  expect(await house.rows(waiting, secondTarget)).toEqual([
    {
      state: 'ready',
      minutes: 10,
      kind: 'not-brought',
      todo: expect.stringContaining(`give App_Crm (${target}), by a rule`),
    },
  ])
  brought.now = true
  await house.quiesce()
  await house.sweep()
  expect(await house.rows(waiting, secondTarget)).toMatchObject([{ state: 'done', kind: null }])
})
