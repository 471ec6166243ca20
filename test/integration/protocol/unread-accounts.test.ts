/** Some account cannot be read, perhaps for ever: reconciliation believes what it is shown of the others, and asks for each. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { type House, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { findingsOf, reconciled, setLocked, settledIn } from './behind-our-back.ts'
import { brokenLaws } from './laws.ts'
import { leaves } from './people.ts'

let house: House
afterEach(() => house.close())

/** Whoever asks for one of these is told of nobody, or of the others alone, and that this is not all. */
const unreadable = new Set<NativeId>()
const hiding =
  (tells: 'nobody' | 'the others') =>
  (real: Connector): Connector => ({
    ...real,
    accounts: async (ids, signal) => {
      const others = ids.filter((id) => !unreadable.has(id))
      if (others.length === ids.length) return real.accounts(ids, signal)
      const { items } = tells === 'nobody' || others.length === 0 ? { items: [] } : await real.accounts(others, signal)
      return { kind: 'partial', items, cause: 'insufficient-access' }
    },
  })

const open = async (tells: 'nobody' | 'the others') => {
  unreadable.clear()
  const any = { absolute: 99, percent: null }
  house = await openHouse({
    connector: hiding(tells),
    target: { guard: { ...defaultGuardLimits, revokes: any, disables: any } },
  })
  await settledIn(house, ['P-1', 'P-2', 'P-3', 'P-4'])
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  unreadable.add((await house.idOf('P-2')) as NativeId)
}
const remove = async (person: string) =>
  asDirectoryRoot(house.ldap, async (client) => client.del((await house.account(person))?.dn ?? ''))
const ofAccounts = async () => (await findingsOf(house)).filter((kind) => kind.startsWith('account-'))
const behind = () =>
  house.rows(`select i.person_key as person from muster.account a join muster.identity i on i.id = a.identity_id
    where a.behind_at is not null order by 1`)

test.each(['nobody', 'the others'] as const)(
  'one account cannot be read, and the read tells of %s: a leaver’s that was opened is shut all the same',
  async (tells) => {
    await open(tells)
    await setLocked(house, 'P-1', false)
    expect(await reconciled(house)).toMatchObject({
      accounts: 3,
      reopened: 1,
      gone: 0,
      accountsUnread: 'insufficient-access',
    })
    expect(await ofAccounts()).toEqual(['account-reopened!'])
    await house.quiesce()
    expect(await house.account('P-1')).toMatchObject({ locked: true })
    // What is over is closed for those who were read, and nobody but the other is behind.
    await house.rows('update muster.account set behind_at = muster.now()')
    await house.shift(1_000)
    expect(await reconciled(house)).toMatchObject({ accounts: 3, reopened: 0 })
    expect(await ofAccounts()).toEqual([])
    expect(await behind()).toEqual([{ person: 'P-2' }])
    expect(await brokenLaws(house)).toEqual([])
  },
)

test('whoever is not shown beside one who cannot be read is gone only when a read without that one says so', async () => {
  await open('the others')
  await remove('P-3')
  expect(await reconciled(house)).toMatchObject({ accounts: 3, gone: 1, accountsUnread: 'insufficient-access' })
  expect(await ofAccounts()).toEqual(['account-gone'])
  // Of the one nothing is known: neither gone, nor read.
  expect(
    await house.rows(`select i.person_key as person from muster.account a join muster.identity i on i.id = a.identity_id
      where a.gone_at is not null`),
  ).toEqual([{ person: 'P-3' }])
})

test('what is told of somebody who cannot be read stays told', async () => {
  await open('nobody')
  const hidden = [...unreadable]
  unreadable.clear()
  await setLocked(house, 'P-2', true)
  await reconciled(house)
  expect(await ofAccounts()).toEqual(['account-shut-elsewhere'])
  unreadable.add(hidden[0] as NativeId)
  expect(await reconciled(house, { full: true })).toMatchObject({ extent: 'full', accounts: 3 })
  expect(await ofAccounts()).toEqual(['account-shut-elsewhere'])
})
