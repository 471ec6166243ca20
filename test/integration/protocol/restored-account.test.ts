/** A leaver's account was deleted by another hand when they left, and is restored with its id and all that it held (Entra for 30 days, AD's recycle bin). */
import { afterEach, expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { releaseHold } from '../../../src/engine/decide-hold.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { lockOpenWork } from '../../../src/store/work-queue.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { resolved } from './behind-our-back.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

const missing: Outcome = { kind: 'refused', reason: 'account-missing', cause: { code: '404', word: 'account-missing' } }

/** The real one, but that all accounts are deleted while `now`. */
const binned =
  (deleted: { readonly now: boolean }) =>
  (real: Connector): Connector => ({
    ...real,
    apply: async (operations, context) =>
      deleted.now ? operations.map(() => missing) : real.apply(operations, context),
    observe: async (operations, observing) =>
      deleted.now ? operations.map(() => missing) : real.observe(operations, observing),
    accounts: async (ids, signal) => (deleted.now ? { kind: 'complete', items: [] } : real.accounts(ids, signal)),
    grantsOf: async (ids, signal) => (deleted.now ? { kind: 'complete', items: [] } : real.grantsOf(ids, signal)),
  })

test('it is shut and emptied, although that was refused while it was gone', async () => {
  const deleted = { now: false }
  house = await openHouse({ connector: binned(deleted) })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  deleted.now = true
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  const rests = () => house.rows(`select rests from muster.action where kind = 'disable'`)
  expect(await rests()).toEqual([{ rests: 1 }])
  deleted.now = false
  const run = async (laterMs: number) => {
    await house.shift(laterMs)
    await house.sweep()
    await reconcile(house.engine, target, {
      actor: { type: 'engine', name: 'test' },
      full: true,
      signal: new AbortController().signal,
    })
    await house.quiesce()
  }
  // Its rest is not over: the run wakes it.
  await run(60_000)
  await run(600_000)
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  expect(await house.groupsOf('P-1')).toEqual([])
  // Other trouble later would not rest for hours because of it.
  expect(await rests()).toEqual([{ rests: 0 }])
})

test('many that come back together are a mass change, whatever the guard let pass while they were gone; a human’s release stands', async () => {
  const at = (absolute: number) => ({ absolute, percent: null })
  const deleted = { now: false }
  house = await openHouse({
    connector: binned(deleted),
    target: { guard: { ...defaultGuardLimits, disables: at(2), revokes: at(99), entitlementRevokes: at(99) } },
  })
  const people = ['P-1', 'P-2', 'P-3', 'P-4']
  for (const person of people) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  deleted.now = true
  const leave = async (...some: string[]) => {
    for (const person of some) await house.tell(leaves(person, await house.now()))
    await house.quiesce()
  }
  await leave('P-1', 'P-2')
  // Beyond the guard's window.
  await house.shift(3_700_000)
  await leave('P-3', 'P-4')
  const holds = () => house.rows<{ id: number }>(`select id from muster.hold where closed_at is null`)
  expect(await holds()).toEqual([])
  deleted.now = false
  const back = async () => {
    await reconcile(house.engine, target, {
      actor: { type: 'engine', name: 'test' },
      full: true,
      signal: new AbortController().signal,
    })
    await house.quiesce()
  }
  await back()
  const [hold] = await holds()
  expect(hold).toBeDefined()
  const locked = async () =>
    (await Promise.all(people.map((person) => house.account(person)))).map((one) => one?.locked)
  expect(await locked()).toEqual([false, false, false, false])
  // Gone and back once more, after a human said yes: it is not asked for twice.
  expect(
    await releaseHold(house.engine, hold?.id ?? 0, 'restored by mistake', {
      type: 'os-user',
      name: 'ines',
      authenticated: false,
    }),
  ).toEqual({
    kind: 'released',
    actions: 4,
  })
  deleted.now = true
  await house.quiesce()
  expect(await locked()).toEqual([false, false, false, false])
  deleted.now = false
  await back()
  expect(await locked()).toEqual([true, true, true, true])
})

/** The real one, but for what is refused. */
const refusing = (real: Connector, refused: (operation: Operation) => Outcome | null): Connector => ({
  ...real,
  apply: async (operations, context) => {
    const outcomes: Outcome[] = []
    for (const operation of operations) {
      const refusal = refused(operation)
      outcomes.push(...(refusal === null ? await real.apply([operation], context) : [refusal]))
    }
    return outcomes
  },
})

test('while accounts stay gone, each is asked for alone, after growing pauses, and counts for no guard', async () => {
  const asked: string[] = []
  const gone = new Set<string>()
  const at = (absolute: number) => ({ absolute, percent: null })
  house = await openHouse({
    connector: (real) =>
      refusing(real, (operation) => {
        if ('account' in operation && gone.has(String(operation.account))) asked.push(operation.op)
        return null
      }),
    target: { guard: { ...defaultGuardLimits, disables: at(3), revokes: at(99), entitlementRevokes: at(9) } },
  })
  const people = ['P-1', 'P-2', 'P-3']
  for (const person of [...people, 'P-4']) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  for (const person of people) {
    gone.add(String(await house.idOf(person)))
    const dn = (await house.account(person))?.dn ?? ''
    await asDirectoryRoot(house.ldap, (client) => client.del(dn))
  }
  for (const person of people) await house.tell(leaves(person, await house.now()))
  await house.quiesce()
  asked.length = 0
  await house.shift(3_700_000)
  await house.sweep()
  await house.tell(leaves('P-4', await house.now()))
  await house.quiesce()
  expect(asked).toEqual(['disable', 'disable', 'disable'])
  expect(await house.account('P-4')).toMatchObject({ locked: true })
  // The next pause is longer.
  await house.shift(840_000)
  await house.sweep()
  await house.quiesce()
  expect(asked).toHaveLength(3)
})

const away: Outcome = { kind: 'retry', cause: { code: 'ECONNREFUSED', word: 'connection-refused' } }

test.each([
  ['once', [missing], true],
  ['once, and a connection before that', [away, missing], true],
  ['twice', [missing, missing], false],
] as const)(
  'an account that is there by its key, and that a replica did not show: refused %s',
  async (_, told, isShut) => {
    const left = new Map<string, Outcome[]>()
    let isLeaving = false
    house = await openHouse({
      connector: (real) =>
        refusing(real, (operation) => {
          if (!isLeaving || (operation.op !== 'disable' && operation.op !== 'revoke')) return null
          const key = `${operation.op} ${'entitlement' in operation ? JSON.stringify(operation.entitlement) : ''}`
          const answers = left.get(key) ?? [...told]
          left.set(key, answers)
          return answers.shift() ?? null
        }),
    })
    await house.tell(works('P-1', (await house.now()) - 1000))
    await house.quiesce()
    isLeaving = true
    const began = await house.now()
    await house.tell(leaves('P-1', began))
    await house.quiesce()
    expect(await house.account('P-1')).toMatchObject({ locked: isShut })
    if (isShut) expect(await house.groupsOf('P-1')).toEqual([])
    // No pause of a quarter of an hour was waited out.
    expect((await house.now()) - began).toBeLessThan(900_000)
  },
)

test('evaluation waits for whoever makes a parked action ready, and sees where it went since', async () => {
  house = await openHouse({ connector: (real) => refusing(real, ({ op }) => (op === 'disable' ? missing : null)) })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  const [parked] = await house.rows<{ id: number; identity: number; dispatch: number }>(
    `select id, identity_id as identity, dispatch_id as dispatch from muster.action where state = 'parked' and kind = 'disable'`,
  )
  const { id, identity, dispatch } = parked ?? { id: 0, identity: 0, dispatch: 0 }
  const ready = Promise.withResolvers<void>()
  const commit = Promise.withResolvers<void>()
  const waking = house.admin.transaction(async (tx) => {
    await tx.query({ text: `update muster.action set state = 'dispatched' where id = $1`, values: [id] })
    ready.resolve()
    await commit.promise
  })
  await ready.promise
  const free = await house.engine.db.transaction(async (tx) => {
    const locking = lockOpenWork(tx, [identity])
    await house.waitingForALock()
    commit.resolve()
    await Promise.all([waking, locking])
    // As whoever claims it would take it.
    return await house.rows('select id from muster.dispatch where id = $1 for update skip locked', dispatch)
  })
  expect(free).toEqual([])
  expect(await house.rows('select id from muster.dispatch where id = $1', dispatch)).toEqual([{ id: dispatch }])
})

test('a group that was deleted and is restored is taken from the leaver who is in it still', async () => {
  let restored = false
  const noGroup: Outcome = { kind: 'refused', reason: 'entitlement-missing', cause: { code: '32', word: 'gone' } }
  house = await openHouse({
    connector: (real) => refusing(real, ({ op }) => (op === 'revoke' && !restored ? noGroup : null)),
  })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toEqual([])
  restored = true
  await house.shift(1_000_000)
  await house.sweep()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
})
