import { afterEach, expect, test } from 'vitest'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

const actions = () =>
  house.rows<{ kind: string; lane: string; state: string; outcome: string; n: number }>(
    'select kind::text, lane::text, state::text, outcome, count(*)::int as n from muster.action group by 1, 2, 3, 4 order by min(id)',
  )

test('the first thing HR ever says of somebody with an account is that they left: it is found, shut and emptied', async () => {
  house = await openHouse()
  await house.addAccount('P-1')
  await house.addMember('P-1', 'CBS_LoanEntry')
  await house.tell(leaves('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await house.rows('select kind from muster.finding')).toEqual([])
  expect((await actions()).map(({ kind, lane, state }) => `${lane} ${kind} ${state}`)).toEqual([
    'leaver ensureAccount done',
    'leaver disable done',
    'leaver revoke done',
  ])
})

test('leavers without any account: looked for once, together, and never made', async () => {
  const calls: string[][] = []
  house = await openHouse({
    connector: (real) => ({
      ...real,
      observe: (operations, signal) => {
        calls.push(operations.map(({ op }) => op))
        return real.observe(operations, signal)
      },
    }),
  })
  const people = Array.from({ length: 50 }, (_, i) => `P-${i}`)
  for (const person of people) await house.tell(leaves(person, (await house.now()) - 1000))
  await house.quiesce()
  expect(calls.map(({ length }) => length)).toEqual([50])
  const once = [{ kind: 'ensureAccount', lane: 'leaver', state: 'done', outcome: 'refused', n: 50 }]
  expect(await actions()).toEqual(once)
  expect(await house.rows('select count(*)::int as n from muster.absent_account')).toEqual([{ n: 50 }])
  expect(await house.rows('select kind from muster.finding')).toEqual([])
  // What HR goes on telling of them, or a clock that goes on, looks no more.
  for (const person of people) await house.tell(leaves(person, (await house.now()) - 500))
  await house.shift(86_400_000)
  await house.sweep()
  await house.quiesce()
  expect(await actions()).toEqual(once)
  expect(await house.account('P-1')).toBeNull()
})

test('who was rehired in between is looked for again, also when all of it is dated before the first look', async () => {
  house = await openHouse()
  const start = await house.now()
  await house.tell(leaves('P-1', start - 1000))
  await house.quiesce()
  await house.tell(works('P-1', start - 900))
  await house.evaluateAll()
  await house.addAccount('P-1')
  await house.tell(leaves('P-1', start - 800))
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
})

test('looking writes nothing: the attributes of an account stay as they were found', async () => {
  const applied: string[] = []
  house = await openHouse({
    connector: (real) => ({
      ...real,
      apply: (operations, context) => {
        applied.push(...operations.map(({ op }) => op))
        return real.apply(operations, context)
      },
    }),
  })
  await house.addAccount('P-1')
  // Nothing but who: a mapping of this would blank the account.
  await house.tell(leaves('P-1', (await house.now()) - 1000, { attributes: {} }))
  await house.quiesce()
  expect(applied).toEqual(['disable'])
})

test('the target is down, and a worker dies while it looks: it is looked for again until it is known', async () => {
  let down = true
  house = await openHouse({
    connector: (real) => ({
      ...real,
      observe: (operations, signal) =>
        down
          ? Promise.resolve(operations.map(() => ({ kind: 'retry', cause: { code: 'ECONNREFUSED', word: 'down' } })))
          : real.observe(operations, signal),
    }),
  })
  await house.addAccount('P-1')
  await house.tell(leaves('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  expect(await actions()).toMatchObject([{ kind: 'ensureAccount', state: 'ready', outcome: 'retry' }])
  await house.rows(`update muster.action set unknown = true`)
  down = false
  await house.recover()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
})

test('a start put off by a correction: who is to come does not sign in, until the start', async () => {
  house = await openHouse()
  const start = (await house.now()) + 30 * 86_400_000
  await house.tell({ ...works('P-1', (await house.now()) - 1000), id: 'e-join' })
  await house.quiesce()
  await house.tell({ ...works('P-1', start), action: 'correct', supersedes: 'e-join' })
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.shift(start - (await house.now()) + 1000)
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: false })
  expect(await house.groupsOf('P-1')).not.toEqual([])
})

test.each([false, true])(
  'a leaver whose account another hand made anew has that one shut and emptied (told to be gone before: %s)',
  async (told) => {
    house = await openHouse()
    for (const person of ['P-1', 'P-0']) await house.tell(works(person, (await house.now()) - 1000))
    await house.quiesce()
    const dn = (await house.account('P-1'))?.dn ?? ''
    const first = await house.idOf('P-1')
    await asDirectoryRoot(house.ldap, (client) => client.del(dn))
    if (told)
      await reconcile(house.engine, target, {
        actor: { type: 'engine', name: 'test' },
        signal: new AbortController().signal,
        full: true,
      })
    // With the same key and the same name, as whoever repairs an account makes it; groups still list the name.
    await house.addAccount('P-1')
    expect((await house.account('P-1'))?.dn).toBe(dn)
    expect(await house.groupsOf('P-1')).not.toEqual([])
    await house.tell(leaves('P-1', (await house.now()) - 1))
    await house.quiesce()
    expect(await house.account('P-1')).toMatchObject({ locked: true })
    expect(await house.groupsOf('P-1')).toEqual([])
    const second = await house.idOf('P-1')
    // The first one, restored, would be nobody's: a human is told, until it is linked again.
    const replaced = () =>
      house.rows<{ urgent: boolean; native: string }>(
        `select f.urgent, a.native_id as native from muster.finding f join muster.account a on a.id = (f.detail->>'account')::bigint
          where f.kind = 'account-replaced' and f.closed_at is null`,
      )
    expect(await replaced()).toEqual([{ urgent: true, native: first }])
    await house.shift(86_400_000)
    await house.sweep()
    expect(await replaced()).toHaveLength(1)
    if (told) await house.shift(180 * 86_400_000)
    else {
      // As `muster unlink` and `muster link` do.
      await house.rows(
        'update muster.account set unlinked_at = muster.now() where unlinked_at is null and native_id = $1',
        second,
      )
      await house.rows('update muster.account set unlinked_at = null where native_id = $1', first)
    }
    await house.sweep()
    expect(await replaced()).toEqual([])
  },
)
