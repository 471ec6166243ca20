/** What becomes of accounts behind Muster's back, as reconciliation sees it: opened, shut, renamed, moved, gone. */
import { afterEach, expect, test } from 'vitest'
import { createFaults, requestLost } from '../../support/faults.ts'
import { type House, type HouseOptions, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { findingsOf, reconciled, setLocked, settledIn } from './behind-our-back.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

const open = async (people: readonly string[], options: HouseOptions = {}) => {
  house = await openHouse(options)
  await settledIn(house, people)
}

const run = (more: { acceptShrunken?: boolean; full?: boolean } = {}) => reconciled(house, more)

const findings = () => findingsOf(house)

const crowd = Array.from({ length: 8 }, (_, n) => `P-${n + 1}`)

const locked = (person: string, to: boolean) => setLocked(house, person, to)

test("a leaver's account that somebody opened is shut again, and pages", async () => {
  await open(['P-1', 'P-2'])
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  await locked('P-1', false)
  expect(await run()).toMatchObject({ accounts: 2, reopened: 1, shutElsewhere: 0, gone: 0 })
  expect(await findings()).toEqual(['account-reopened!'])
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  expect(await run()).toMatchObject({ reopened: 0 })
  expect(await findings()).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('an account that another hand has shut stays shut, and is told', async () => {
  await open(['P-1', 'P-0'])
  await locked('P-1', true)
  expect(await run()).toMatchObject({ reopened: 0, shutElsewhere: 1 })
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  expect(await findings()).toEqual(['account-shut-elsewhere'])
  await locked('P-1', false)
  await run()
  expect(await findings()).toEqual([])
})

test('an account that is gone is told; when many seem to be, nothing is', async () => {
  await open(crowd)
  const remove = async (person: string) =>
    asDirectoryRoot(house.ldap, async (client) => client.del((await house.account(person))?.dn ?? ''))
  await remove('P-1')
  expect(await run()).toMatchObject({ gone: 1, missing: 0, accountsUnread: null })
  expect(await findings()).toContain('account-gone')
  for (const person of crowd.slice(1, 5)) await remove(person)
  expect(await run()).toMatchObject({ gone: 5, accountsUnread: '4 of 7 accounts are not shown' })
  expect(await findings()).toContain('reconcile-incomplete')
})

test('an account that another hand renames or moves is told once, by its kind; one that is opened or shut is only seen', async () => {
  await open(['P-1', 'P-2', 'P-0'])
  await run()
  const to = async (person: string, name: string) => {
    const dn = (await house.account(person))?.dn ?? ''
    await asDirectoryRoot(house.ldap, async (client) => client.modifyDN(dn, name))
  }
  await asDirectoryRoot(house.ldap, (client) =>
    client.add(`ou=elsewhere,${house.tree.people}`, { objectClass: 'organizationalUnit' }),
  )
  await to('P-1', `uid=somebody,${house.tree.people}`)
  await to('P-2', `${((await house.account('P-2'))?.dn ?? '').split(',')[0]},ou=elsewhere,${house.tree.people}`)
  expect(await run()).toMatchObject({ renamed: 2, gone: 0, missing: 0 })
  const ofAccounts = async () => (await findings()).filter((kind) => kind.startsWith('account-'))
  expect(await ofAccounts()).toEqual(['account-moved', 'account-renamed'])
  const audited = await house.rows<{ drift: string }>(
    `select convert_from(bytes, 'UTF8')::jsonb->>'drift' as drift from audit.entry where kind = 'drift' order by 1`,
  )
  expect(audited.map(({ drift }) => drift)).toEqual(['account-moved', 'account-renamed'])
  expect(await run({ full: true })).toMatchObject({ renamed: 0 })
  expect(await ofAccounts()).toEqual([])
  await to('P-1', `uid=again,${house.tree.people}`)
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  expect(await run({ full: true })).toMatchObject({ renamed: 0 })
})

test('a leaver’s account that was shut already, and that Muster itself moves, is not told as moved by another hand', async () => {
  const faults = createFaults()
  await open(['P-1', 'P-0'], {
    connector: (real) =>
      faults.wrap({
        ...real,
        // As Active Directory's does: whoever is shut for good goes to another place.
        apply: async (operations, context) => {
          if (operations.some((one) => one.op === 'disable' && one.away !== true)) {
            const dn = (await house.account('P-1'))?.dn ?? ''
            const elsewhere = `ou=elsewhere,${house.tree.people}`
            if (!dn.endsWith(elsewhere))
              await asDirectoryRoot(house.ldap, (client) => client.modifyDN(dn, `${dn.split(',')[0]},${elsewhere}`))
          }
          return real.apply(operations, context)
        },
      }),
  })
  await asDirectoryRoot(house.ldap, (client) =>
    client.add(`ou=elsewhere,${house.tree.people}`, { objectClass: 'organizationalUnit' }),
  )
  await house.tell({ ...works('P-1', (await house.now()) - 1), status: 'leave' })
  await house.quiesce()
  expect(await run({ full: true })).toMatchObject({ renamed: 0 })
  // They are back, and whether that opened the account is not known yet; then they leave: shut in any case.
  await house.tell(works('P-1', await house.now()))
  await house.evaluateAll()
  faults.next(requestLost, 'enable')
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true, dn: expect.stringContaining('ou=elsewhere') })
  expect(await run({ full: true })).toMatchObject({ renamed: 0 })
  expect(await findings()).not.toContain('account-moved')
})

test.each(['its answer arrives', 'its answer is lost'])(
  'an account that Muster itself has moved, of somebody who could not sign in before, was moved by no other hand: %s',
  async (answer) => {
    const seen: string[] = []
    await open(['P-1', 'P-0'], {
      // As AD does with `leaver.moveTo`: whoever only is away stays where they are, whoever leaves is moved.
      connector: (real) => ({
        ...real,
        apply: async (operations, context) => {
          const outcomes = await real.apply(operations, context)
          const left = operations.some((one) => one.op === 'disable' && one.away !== true)
          const dn = (await house.account('P-1'))?.dn ?? ''
          if (!left || dn.includes('ou=leavers')) return outcomes
          seen.push(dn)
          await asDirectoryRoot(house.ldap, (client) =>
            client.modifyDN(dn, `${dn.split(',')[0]},ou=leavers,${house.tree.people}`),
          )
          return outcomes.map((one, at) =>
            operations[at]?.op === 'disable' && answer === 'its answer is lost'
              ? { kind: 'unknown', cause: { code: 'ECONNRESET', word: 'connection-lost' } }
              : operations[at]?.op === 'disable' && one.kind === 'done'
                ? { ...one, changed: true, evidence: { ...one.evidence, code: '0' } }
                : one,
          )
        },
      }),
    })
    await asDirectoryRoot(house.ldap, (client) =>
      client.add(`ou=leavers,${house.tree.people}`, { objectClass: 'organizationalUnit' }),
    )
    await house.tell({ ...works('P-1', (await house.now()) - 500), status: 'suspended' })
    await house.quiesce()
    expect(await house.account('P-1')).toMatchObject({ locked: true })
    await run({ full: true })
    await house.tell(leaves('P-1', (await house.now()) - 1))
    await house.quiesce()
    expect(seen).toHaveLength(1)
    await house.shift(1_000)
    expect(await run({ full: true })).toMatchObject({ renamed: 0 })
    expect((await auditOf(house)).filter(({ kind }) => kind === 'drift').map(({ body }) => body.drift)).toEqual([])
  },
)

test('an account that is renamed before each of two runs is audited twice: the first finding does not hide the second name', async () => {
  await open(['P-1', 'P-0'])
  await run()
  const to = async (name: string) => {
    const dn = (await house.account('P-1'))?.dn ?? ''
    await asDirectoryRoot(house.ldap, async (client) => client.modifyDN(dn, `uid=${name},${house.tree.people}`))
  }
  const audited = async () =>
    (await auditOf(house)).filter(({ kind }) => kind === 'drift').map(({ body }) => body.drift)
  await to('somebody')
  expect(await run({ full: true })).toMatchObject({ renamed: 1 })
  expect(await audited()).toEqual(['account-renamed'])
  await to('again')
  expect(await run({ full: true })).toMatchObject({ renamed: 1 })
  expect(await audited()).toEqual(['account-renamed', 'account-renamed'])
})
