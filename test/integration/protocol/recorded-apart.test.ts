/** What the database cannot store of one outcome, lease or part of the sweep stops none of the others. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { type House, openHouse } from '../../support/house.ts'
import { brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

const openFindings = async () =>
  (
    await house.rows<{ kind: string; urgent: boolean }>(
      'select kind, urgent from muster.finding where closed_at is null order by kind',
    )
  ).map(({ kind, urgent }) => `${kind}${urgent ? '!' : ''}`)
const states = () =>
  house.rows<{ state: string; n: number }>(
    `select state::text, count(*) as n from muster.action where lane = 'leaver' group by 1 order by state::text`,
  )

const bothWork = async (...people: string[]) => {
  for (const person of people) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
}
const bothLeave = async (...people: string[]) => {
  for (const person of people) await house.tell(leaves(person, await house.now()))
  await house.evaluateAll('leaver')
}

test('a target ends its message with NUL, as Active Directory does: the whole dispatch is recorded', async () => {
  let refuses = false
  const connector = (real: Connector): Connector => ({
    ...real,
    apply: async (operations, context) => {
      const outcomes = await real.apply(operations, context)
      return outcomes.map((outcome, index) => {
        const operation = operations[index]
        return refuses && operation?.op === 'revoke' && operation.entitlement.lookup.includes('LoanEntry')
          ? {
              kind: 'refused',
              reason: 'not-allowed',
              cause: {
                code: '50',
                word: 'insufficient-access',
                message: '00002098: SecErr \ud800 DSID-03150A48\u0000',
              },
            }
          : outcome
      })
    },
  })
  house = await openHouse({ connector })
  await bothWork('P-1', 'P-2')
  await bothLeave('P-1', 'P-2')
  refuses = true
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  refuses = false
  expect(await states()).toEqual([
    { state: 'done', n: 12 },
    { state: 'ready', n: 2 },
  ])
  expect(await house.rows(`select body->>'message' as message from muster.personal_detail`)).toEqual(
    Array.from({ length: 2 }, () => ({ message: '00002098: SecErr \ufffd DSID-03150A48' })),
  )
  await house.quiesce()
  expect(await brokenLaws(house)).toEqual([])
})

test('an outcome that the database refuses becomes unknown with a finding, the others of its dispatch are done', async () => {
  house = await openHouse()
  await bothWork('P-1', 'P-2', 'P-3')
  await bothLeave('P-1', 'P-2', 'P-3')
  await house.rows(`create function refuse_one() returns trigger language plpgsql as $f$ begin
    if new.gone_verified_at is not null and new.entitlement_id = (select id from muster.entitlement where key = 'CBS_LoanEntry')
      and new.account_id = (select c.id from muster.account c join muster.identity i on i.id = c.identity_id where i.person_key = 'P-2')
    then raise exception 'no' using errcode = '22003'; end if; return new; end $f$`)
  await house.rows(
    `create trigger refuse_one before update on muster.grants for each row execute function refuse_one()`,
  )
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  expect(
    await house.rows(`select i.person_key, a.outcome, a.unknown from muster.action a join muster.identity i on i.id = a.identity_id
    where a.lane = 'leaver' and a.state <> 'done'`),
  ).toEqual([{ person_key: 'P-2', outcome: 'unknown', unknown: true }])
  expect(await openFindings()).toEqual(['outcome-not-recorded!'])
  expect(await house.rows(`select 1 from muster.dispatch where state = 'claimed'`)).toEqual([])
  await house.rows('drop trigger refuse_one on muster.grants')
  await house.quiesce()
  await house.sweep()
  expect(await openFindings()).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('what cannot even be called unknown keeps its dispatch until the lease ends; the others are done', async () => {
  house = await openHouse()
  await bothWork('P-1', 'P-2')
  await bothLeave('P-1', 'P-2')
  await house.rows(`create function refuse_one() returns trigger language plpgsql as $f$ begin
    if new.state <> 'dispatched' and old.state = 'dispatched' and new.id = (select min(id) from muster.action where lane = 'leaver')
    then raise exception 'no' using errcode = '23514'; end if; return new; end $f$`)
  await house.rows(
    `create trigger refuse_one before update on muster.action for each row execute function refuse_one()`,
  )
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  expect(await states()).toEqual([
    { state: 'dispatched', n: 1 },
    { state: 'done', n: 13 },
  ])
  await house.shift(house.engine.settings.leaseMs + 1)
  // The sweep cannot either: it says so and goes on.
  expect(await house.sweep()).toMatchObject({ expired: 0 })
  expect(await openFindings()).toContain('sweep-failed!')
  await house.rows('drop trigger refuse_one on muster.action')
  expect(await house.sweep()).toMatchObject({ expired: 1 })
  await house.shift(61_000)
  await house.quiesce()
  await house.sweep()
  expect(await openFindings()).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('a leaver action that was tried 32,767 times is tried again', async () => {
  house = await openHouse({ settings: { leaseMs: 1000 } })
  await bothWork('P-1', 'P-2')
  await bothLeave('P-1', 'P-2')
  await house.rows(
    `update muster.action set attempts = 32767 where id = (select min(id) from muster.action where lane = 'leaver' and kind = 'revoke' and state = 'ready')`,
  )
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  await house.shift(40_000)
  await house.sweep()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await house.groupsOf('P-2')).toEqual([])
})

test('one lease that cannot be expired keeps no other from it', async () => {
  house = await openHouse()
  await bothWork('P-1', 'P-2')
  for (const person of ['P-1', 'P-2']) {
    await bothLeave(person)
    await house.dispatchAll('leaver')
    await house.shift(2_000) // the second does not gather behind the first any longer
  }
  await house.rows(
    `update muster.dispatch set state = 'claimed', lease_token = gen_random_uuid(), lease_until = muster.now() - interval '1 s' where state = 'queued'`,
  )
  await house.rows(`create function refuse_one() returns trigger language plpgsql as $f$ begin
    if new.state = 'expired' and new.id = (select min(id) from muster.dispatch where lane = 'leaver')
    then raise exception 'no' using errcode = '22003'; end if; return new; end $f$`)
  await house.rows(
    `create trigger refuse_one before update on muster.dispatch for each row execute function refuse_one()`,
  )
  expect(await house.sweep()).toMatchObject({ expired: 1 })
  expect(await openFindings()).toEqual(['sweep-failed!'])
  await house.quiesce().catch(() => {})
  expect(await house.groupsOf('P-2')).toEqual([])
})
