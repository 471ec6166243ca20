/** What adoption and correlation may not bring about: access that nobody decided, access that nobody took, knowledge that is older. */
import { afterEach, expect, test } from 'vitest'
import { applyAdoption, endAdoption, planAdoption } from '../../../src/engine/adopt.ts'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { setTargetMode } from '../../../src/engine/set-target-mode.ts'
import { bankPolicies, type House, type HouseOptions, openHouse, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { auditOf } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())
const actor = { type: 'os-user', name: 'ida', authenticated: false } as const
const elsewhere = { jobCode: 'X-1', department: 'OPS' }

/** P-1 stood there already, with these groups. */
const open = async (groups: readonly string[], options: HouseOptions = {}, attributes?: Record<string, string>) => {
  house = await openHouse(options)
  await house.addAccount('P-1')
  await house.addMember('P-1', ...groups)
  await house.tell(works('P-1', (await house.now()) - 1000, attributes))
  await house.quiesce()
}
const resolved = async () => {
  await house.shift(61_000)
  await house.sweep()
}
const run = (acceptShrunken = false) =>
  reconcile(house.engine, target, { actor, acceptShrunken, signal: new AbortController().signal })
const adopt = async () => {
  const adopted = await applyAdoption(house.engine, target, 'day one', actor)
  await house.quiesce()
  return adopted.map(({ key }) => key)
}
const stands = async () =>
  (await planAdoption(house.engine, target)).map(({ key, stands: how }) => `${key} ${how}`).sort()
const policyIs = async (revised: (text: string) => string) => {
  const files = bankPolicies(house.tree.groups).map(({ path, text }) => ({ path, text: revised(text) }))
  expect((await applyPolicy(house.engine, files, actor)).kind).toBe('applied')
  await resolved()
  await house.quiesce()
}

test('a rehire brings nothing of it back', async () => {
  await open(['CBS_ViewOnly', 'Staff_Vpn', 'App_RiskDesk'])
  expect(await adopt()).toEqual(['App_RiskDesk', 'Staff_Vpn'])
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  await house.shift(86_400_000)
  await house.tell(works('P-1', (await house.now()) - 1))
  await house.quiesce()
  const groups = await house.groupsOf('P-1')
  expect(groups).toContain('Staff_Intranet')
  expect(groups).not.toContain('Staff_Vpn')
  expect(groups).not.toContain('App_RiskDesk')
})

test.each(['report', 'revert'])('what came behind our back is not adopted: drift %s', async (drift) => {
  await open([], { revised: (text) => text.replace(/^( {2}App_RiskDesk:\n)/m, `$1    drift: ${drift}\n`) })
  await resolved()
  await run()
  await house.addMember('P-1', 'App_RiskDesk')
  expect(await run()).toMatchObject({ appeared: 1 })
  await house.evaluateAll()
  expect(await adopt()).toEqual([])
  expect((await house.groupsOf('P-1')).includes('App_RiskDesk')).toBe(drift === 'report')
})

test('what a draft rule wanted while Muster only observed is still what stood there', async () => {
  await open(['CBS_ViewOnly'], { mode: 'observe' })
  await resolved()
  expect(await run()).toMatchObject({ linked: 1 })
  await house.evaluateAll()
  expect(await stands()).toEqual(['CBS_ViewOnly rule'])
  await house.tell(works('P-1', (await house.now()) - 1, elsewhere))
  await house.evaluateAll()
  expect(await stands()).toEqual(['CBS_ViewOnly rest'])
  expect(await adopt()).toEqual(['CBS_ViewOnly'])
  await setTargetMode(house.engine, target, 'enforce', actor)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_ViewOnly')
})

test('what a rule has given since goes with the rule', async () => {
  await open(['CBS_ViewOnly'], {}, elsewhere)
  expect(await adopt()).toEqual(['CBS_ViewOnly'])
  for (const job of [undefined, elsewhere]) {
    await house.shift(2_000)
    await house.tell(works('P-1', await house.now(), job))
    await house.quiesce()
  }
  expect(await house.groupsOf('P-1')).not.toContain('CBS_ViewOnly')
})

test('nobody is adopted whom evaluation has not judged', async () => {
  await open(['Staff_Vpn'])
  await house.tell(leaves('P-1', (await house.now()) - 1))
  expect(await stands()).toEqual(['Staff_Vpn unjudged'])
  expect(await adopt()).toEqual([])
  expect(await house.groupsOf('P-1')).toEqual([])
})

test('what a human ends at once is taken away', async () => {
  await open(['Staff_Vpn'])
  await applyAdoption(house.engine, target, 'day one', actor)
  expect(await endAdoption(house.engine, 'P-1', 'Staff_Vpn', 'no', actor)).toBe('ended')
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('Staff_Vpn')
})

test('a group that is renamed, there and in the catalogue, stays adopted', async () => {
  await open(['Staff_Vpn'])
  expect(await adopt()).toEqual(['Staff_Vpn'])
  await asDirectoryRoot(house.ldap, (client) => client.modifyDN(house.groupDn('Staff_Vpn'), 'cn=Net_Vpn'))
  await policyIs((text) => text.replaceAll('Staff_Vpn', 'Net_Vpn'))
  expect(await house.groupsOf('P-1')).toContain('Net_Vpn')
})

test('what another hand took away is not given again for having left the catalogue and come back', async () => {
  const withZed = (text: string) =>
    text.replaceAll(
      /^ {2}Staff_Vpn:\n {4}target: bank-ldap\n {4}lookup: (.*)\n/gm,
      (all, dn: string) =>
        `  Zed:\n    target: bank-ldap\n    lookup: ${dn.replace('Staff_Vpn', 'Zed')}\n    risk: medium\n    owner: workplace\n    description: Z.\n${all}`,
    )
  await open(['Zed'], { revised: withZed })
  expect(await adopt()).toEqual(['Zed'])
  await run()
  await house.removeMember('P-1', 'Zed')
  expect(await run(true)).toMatchObject({ missing: 1 })
  await house.quiesce()
  await policyIs((text) => text)
  await policyIs(withZed)
  expect(await house.groupsOf('P-1')).not.toContain('Zed')
})

test('what was adopted and taken away by another hand gives nobody anything: nor what follows from it', async () => {
  await open(['App_RiskDesk'])
  expect(await adopt()).toEqual(['App_RiskDesk'])
  await run()
  await house.removeMember('P-1', 'App_RiskDesk')
  expect(await run(true)).toMatchObject({ missing: 1 })
  await house.quiesce()
  await policyIs((text) =>
    /^ {2}App_RiskDesk:/m.test(text)
      ? `${text}\nimplications:\n  risk-desk: { holds: App_RiskDesk, grants: { entitlements: [Staff_Vpn] } }\n`
      : text,
  )
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('App_RiskDesk')
  expect(await house.groupsOf('P-1')).not.toContain('Staff_Vpn')
})

test('two runs at once link an account once', async () => {
  let reads = 0
  const both = Promise.withResolvers<void>()
  house = await openHouse({
    mode: 'observe',
    connector: (real) => ({
      ...real,
      observe: async (operations, signal) => {
        const outcomes = await real.observe(operations, signal)
        reads += 1
        if (reads === 2) both.resolve()
        await both.promise
        return outcomes
      },
    }),
  })
  await house.addAccount('P-1')
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  const linked = await Promise.all([run(), run()])
  expect(linked.map((one) => one.linked).sort()).toEqual([0, 1])
  expect((await auditOf(house)).filter(({ kind }) => kind === 'account-linked')).toHaveLength(1)
})

test('an account that was linked and opened while it was looked up is not thought shut', async () => {
  const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let first = true
  house = await openHouse({
    mode: 'observe',
    connector: (real) => ({
      ...real,
      observe: async (operations, signal) => {
        const outcomes = await real.observe(operations, signal)
        if (first) {
          first = false
          reached.resolve()
          await go.promise
        }
        return outcomes
      },
    }),
  })
  await resolved()
  await house.addAccount('P-1', { locked: true })
  await house.tell(works('P-1', (await house.now()) - 5000))
  await house.evaluateAll()
  const running = run()
  await reached.promise
  await setTargetMode(house.engine, target, 'enforce', actor)
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: false })
  await house.tell({ ...works('P-1', (await house.now()) - 1), status: 'suspended' })
  go.resolve()
  await running
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
})

test('a read that tells nothing of one person stops no other, and is said', async () => {
  house = await openHouse({
    mode: 'observe',
    connector: (real) => ({
      ...real,
      observe: async (operations, signal) =>
        operations.some((one) => one.op === 'ensureAccount' && one.wanted.correlation.value === 'P-2')
          ? operations.map(() => ({ kind: 'unknown', cause: { code: '4', word: 'size-limit-exceeded' } }) as const)
          : real.observe(operations, signal),
    }),
  })
  for (const person of ['P-1', 'P-2', 'P-3']) {
    await house.addAccount(person)
    await house.tell(works(person, (await house.now()) - 1000))
  }
  await house.evaluateAll()
  expect(await run()).toMatchObject({ linked: 2, uncorrelatedPeople: '1 person: size-limit-exceeded (4)' })
})

test('an account that is opened again and again is audited each time', async () => {
  await open([])
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  for (let n = 0; n < 2; n++) {
    await asDirectoryRoot(house.ldap, async (client) => {
      const { Attribute, Change } = await import('ldapts')
      const modification = new Attribute({ type: 'pwdAccountLockedTime', values: [] })
      await client.modify((await house.account('P-1'))?.dn ?? '', new Change({ operation: 'delete', modification }))
    })
    expect(await run()).toMatchObject({ reopened: 1 })
    await house.quiesce()
    expect(await house.account('P-1')).toMatchObject({ locked: true })
  }
  expect((await auditOf(house)).filter(({ kind }) => kind === 'drift')).toHaveLength(2)
})
