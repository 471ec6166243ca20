/** Break-glass accounts and a target's own groups: never written, never linked, never taken away. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Connector, OwnThing } from '../../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../../src/domain/ids.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { createFaults } from '../../support/faults.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { brokenLaws } from './laws.ts'
import { leaves, lending, managerJob, works } from './people.ts'

let house: House
let faults: ReturnType<typeof createFaults>
/** Written by the tests while the house stands: configuration that names what is only made later. */
let accounts: string[]
let entitlements: string[]
beforeEach(async () => {
  faults = createFaults()
  accounts = []
  entitlements = []
  house = await openHouse({ connector: faults.wrap, target: { protect: { accounts, entitlements } } })
})
afterEach(() => house.close())

const written = () =>
  faults.calls.filter(({ call }) => call === 'apply').flatMap(({ operations }) => operations.map(({ op }) => op))
const refused = async () =>
  (await house.rows<{ kind: string }>(`select kind from muster.finding where closed_at is null order by kind`)).map(
    ({ kind }) => kind,
  )

test('an account that is protected is not linked, and a human is told', async () => {
  await house.addAccount('P-1')
  accounts.push(String(await house.idOf('P-1')))
  await house.tell(works('P-1', (await house.now()) - 1000, { ...managerJob, jobTitle: 'Somebody else' }))
  const before = await house.lastWriteTo('P-1')
  await house.quiesce()
  // The connector, which looks who it is, is asked not to.
  expect(written()).toEqual(['ensureAccount'])
  expect(await house.lastWriteTo('P-1')).toBe(before)
  expect(await house.rows('select from muster.account')).toEqual([])
  expect(await refused()).toContain('protected')
})

test('an account that became protected is written no more, of a leaver neither; others go on', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.tell(works('P-2', start - 1000))
  await house.quiesce()
  accounts.push(String(await house.idOf('P-1')).toUpperCase())
  const before = written().length
  await house.tell(leaves('P-1', start))
  await house.tell(leaves('P-2', start))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect((await house.account('P-1'))?.locked).toBe(false)
  expect(await house.groupsOf('P-2')).toEqual([])
  expect((await house.account('P-2'))?.locked).toBe(true)
  expect(written().slice(before)).toHaveLength(lending.length + 1)
  expect(await refused()).toContain('protected')
})

test('a protected entitlement is not given, not even by a rule, and not taken from a leaver who has it', async () => {
  entitlements.push('cn=app_crm,*')
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending.filter((key) => key !== 'App_Crm'))
  expect(await refused()).toContain('protected')
  await house.addMember('P-1', 'App_Crm')
  await house.tell(leaves('P-1', start))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(['App_Crm'])
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(
    await house.rows(
      `select from muster.action a join muster.entitlement e on e.id = a.entitlement_id where a.kind = 'revoke' and e.key = 'App_Crm'`,
    ),
  ).toEqual([])
  // That is what protection means; nothing else is wrong.
  expect(await brokenLaws(house)).toEqual(['P-1 wants [] and holds [App_Crm]'])
})

test('what Muster itself is there is nobody’s account, and nobody is let into it; untold, nothing is written', async () => {
  let told = true
  let real: Connector | undefined
  const own: OwnThing[] = []
  house = await openHouse({
    connector: (directory) => ({
      ...faults.wrap((real = directory)),
      own: async () => (told ? { kind: 'complete', items: own } : { kind: 'partial', items: [], cause: 'not read' }),
    }),
  })
  const start = await house.now()
  for (const person of ['P-1', 'P-2']) await house.addAccount(person)
  own.push({ kind: 'account', nativeId: (await house.idOf('P-1')) as NativeId })
  const [crm] = await house.rows<{ id: number; lookup: string }>(
    `select id, lookup from muster.entitlement where key = 'App_Crm'`,
  )
  const [found] = await (real as Connector).resolveEntitlements(
    [{ id: crm?.id as EntitlementId, lookup: String(crm?.lookup), nativeId: null }],
    new AbortController().signal,
  )
  if (found?.kind !== 'found') throw new Error('the group is not there')
  own.push({ kind: 'entitlement', nativeId: found.nativeId })
  told = false
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, start - 1000))
  await house.evaluateAll()
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  expect(written()).toEqual([])
  told = true
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await house.rows('select from muster.account')).toHaveLength(1)
  expect(await house.groupsOf('P-2')).toEqual(lending.filter((key) => key !== 'App_Crm'))
  expect(written().filter((op) => op === 'grant')).toHaveLength(lending.length - 1)
  // By another hand; a leaver is put out of it all the same.
  await house.addMember('P-2', 'App_Crm')
  await house.tell(leaves('P-2', start))
  await house.quiesce()
  expect(await house.groupsOf('P-2')).toEqual([])
})

test('an entitlement is protected under every spelling that a catalogue may use for it', async () => {
  await house.close()
  house = await openHouse({
    connector: faults.wrap,
    target: { protect: { accounts, entitlements } },
    // RFC 4514 §2.4, RFC 4512 §1.4: the same DN.
    revised: (text) => text.replaceAll('cn=App_Crm,', 'commonName=App\\5FCrm,'),
  })
  entitlements.push(`cn=App_Crm,${house.tree.groups}`)
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending.filter((key) => key !== 'App_Crm'))
  await house.addMember('P-1', 'App_Crm')
  await house.tell(leaves('P-1', start))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(['App_Crm'])
})

test('a leaver’s account that is protected no more is shut and emptied, as operators are told', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  accounts.push(String(await house.idOf('P-1')))
  await house.tell(leaves('P-1', start))
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(false)
  // docs/operators.md, `protected`: «nothing, or unprotect it». By muster.yaml and a start.
  accounts.length = 0
  await house.shift(3_600_000)
  await house.sweep()
  await reconcile(house.engine, target, {
    actor: { type: 'engine', name: 'test' },
    signal: new AbortController().signal,
    full: true,
  })
  await house.tell(leaves('P-1', start + 1))
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(await house.groupsOf('P-1')).toEqual([])
})
