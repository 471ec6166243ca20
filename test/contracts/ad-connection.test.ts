/** Domain controllers that are secured, wrong, gone, or more than one. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { certificates } from '../../scripts/stack/certificates.ts'
import { createAdConnector } from '../../src/connectors/ad/connector.ts'
import { doubtMs, returnMs } from '../../src/connectors/ad/settling.ts'
import { allUses, type Connector } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { requestShim } from '../support/ldap-requests.ts'
import { freshName } from '../support/stack.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { type AdWorld, adTools, change, openAdWorld, target } from './ad-world.ts'
import { operationOf } from './ldap-world.ts'
import { accountOf, always, ensure, grant, revoke, said } from './world.ts'

let world: AdWorld
beforeAll(async () => {
  world = await openAdWorld()
})
afterEach(() => world.faults.none())
afterAll(() => world?.close())

const using = async <T>(
  changes: Readonly<Record<string, unknown>>,
  work: (connector: Connector) => Promise<T>,
  tools: Parameters<typeof createAdConnector>[2] = adTools,
): Promise<T> => {
  const connector = createAdConnector(target, world.configure(changes), tools)
  try {
    return await work(connector)
  } finally {
    await connector.close()
  }
}
const checked = (changes: Readonly<Record<string, unknown>>, tools = adTools) =>
  using(changes, (connector) => connector.check(always.signal), tools)
const tls = () => ({ security: undefined, urls: [world.ad.url], caFile: world.ad.caFile })
const addAccount = async () => (await world.addAccounts([world.person(freshName())]))[0] as NativeId

describe('security', () => {
  test('LDAPS: created with a password, granted, disabled; no problems', async () => {
    const somebody = world.person(freshName())
    const group = await world.addGroup(freshName())
    await using(tls(), async (connector) => {
      expect(await connector.check(always.signal)).toMatchObject({ ok: true, problems: [] })
      const [created] = await connector.apply([ensure(somebody)], always)
      const account = accountOf(created)?.nativeId as NativeId
      expect((await connector.apply([grant(account, group), { op: 'disable', account }], always)).map(said)).toEqual([
        'changed',
        'changed',
      ])
      expect(await world.membersOf(group)).toEqual([account])
    })
  })

  test('an authority that did not sign, and a certificate for another address, are refused', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'muster-ca-'))
    const elsewhere = await tcpProxy({ host: new URL(world.ad.url).hostname, port: 636 }, '127.0.0.2')
    try {
      const { caFile } = await certificates(dir)
      expect((await checked({ ...tls(), caFile })).problems.join()).toContain('connect-failed')
      const wrongName = await checked({ ...tls(), urls: [`ldaps://127.0.0.2:${elsewhere.port}`] })
      expect(wrongName.problems.join()).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
    } finally {
      await elsewhere.close()
      rmSync(dir, { recursive: true, force: true })
    }
  })

  test('a wrong password says so, without the password', async () => {
    const [account, group] = [await addAccount(), await world.addGroup(freshName())]
    await using({ bindPassword: 'wrong-secret' }, async (connector) => {
      const outcomes = await connector.apply([grant(account, group)], always)
      expect(outcomes.map(said)).toEqual(['refused:credential'])
      const report = await connector.check(always.signal)
      expect(report.problems.join()).toContain('invalid-credentials (49)')
      expect(JSON.stringify([outcomes, report])).not.toContain('wrong-secret')
    })
  })

  test('a password that its file has changed since is the one to bind with', async () => {
    const secret = async (member: string) => (member === 'bindPassword' ? world.ad.servicePassword : null)
    await using(
      { bindPassword: 'wrong-secret' },
      async (connector) => expect((await connector.check(always.signal)).problems).toEqual([]),
      { ...adTools, secret },
    )
  })
})

describe('doctor', () => {
  test('names what the service account may not do, bases that are not there, and a clock that differs', async () => {
    const { baseDn } = world.ad
    await world.addGroup(freshName())
    expect((await checked({ peopleBase: `CN=Users,${baseDn}` })).problems).toEqual([
      `CN=Users,${baseDn}: accounts cannot be created there`,
    ])
    expect((await checked({ groupsBase: `CN=Users,${baseDn}` })).problems).toEqual([
      `CN=Users,${baseDn}: the members of a group there cannot be written`,
    ])
    expect((await checked({ leaver: { moveTo: `OU=Nowhere,${baseDn}` } })).problems).toEqual([
      `OU=Nowhere,${baseDn} cannot be read: no-such-object (32)`,
    ])
    const account = { rdn: 'CN={username}', attributes: { givenname: 'x', mial: 'y' } }
    const alternatives = [{ property: 'maill', template: '{workEmail}', verify: { gvenName: '{givenName}' } }]
    expect((await checked({ correlation: 'employeeIDD', alternatives, account })).problems).toEqual([
      "correlation: the directory's schema has no attribute employeeIDD",
      "alternatives: the directory's schema has no attribute maill",
      "alternatives: the directory's schema has no attribute gvenName",
      "account.attributes: the directory's schema has no attribute mial",
    ])
    const late = { ...adTools, now: () => Date.now() + 3_600_000 }
    expect((await checked({}, late)).problems.join()).toMatch(/its clock and ours differ by 3\d{3} s/)
    expect((await checked({ searchBase: world.people })).ok).toBe(true)
  })

  test('asks for what the configuration uses, of accounts too; tells the credential, the clock and what AD does not say', async () => {
    await addAccount()
    const { ok, facts, unknown } = await checked({})
    expect([ok, facts, unknown]).toEqual([
      true,
      [
        expect.stringMatching(/^as .*, by password$/),
        expect.stringMatching(/^people below /),
        expect.stringMatching(/^clocks \d+ s apart$/),
        'its password does not end',
      ],
      ['whether it may set passwords and delete accounts (AD shows it at the first time)'],
    ])
    const users = `CN=Users,${world.ad.baseDn}`
    const found = { createAccounts: false, deleteAccounts: false, writes: true }
    await using({ peopleBase: users, correlation: 'sAMAccountName' }, async (connector) => {
      const beyond = await connector.check(always.signal, found)
      expect(beyond.problems).toEqual([
        `${users}: userAccountControl, sn, givenName, mail, department of an account there cannot be written`,
      ])
      expect(beyond.unknown).toEqual([])
      // Where nobody has the key, one who can be found without it shows the same.
      const alternatives = [{ property: 'sAMAccountName', template: '{username}', verify: { cn: '{displayName}' } }]
      await using({ peopleBase: users, alternatives }, async (keyless) =>
        expect((await keyless.check(always.signal, found)).problems).toEqual(beyond.problems),
      )
      expect(await connector.check(always.signal, { ...found, writes: false })).toMatchObject({
        ok: true,
        problems: [],
        beforeEnforce: beyond.problems,
      })
    })
    await using({ peopleBase: users, groupsBase: users }, async (connector) => {
      const observed = await connector.check(always.signal, { ...allUses, writes: false })
      expect(observed.problems).toEqual([])
      expect(observed.beforeEnforce).toEqual(
        expect.arrayContaining([
          `${users}: accounts cannot be created there`,
          `${users}: the members of a group there cannot be written`,
        ]),
      )
    })
  })

  test.each([
    [1, 'groups'],
    [2, 'accounts'],
  ])(
    'the connection breaks at search %d for what may be written: said of the %s, not that there are none',
    async (nth, what) => {
      await Promise.all([addAccount(), world.addGroup(freshName())])
      const upstream = { host: new URL(world.ad.plainUrl).hostname, port: 389 }
      let asked = 0
      const shim = await requestShim(upstream, async (attribute) => {
        if (attribute === 'allowedAttributesEffective' && ++asked === nth) await shim.close()
        return attribute
      })
      const { problems, unknown } = await checked({ urls: [`ldap://127.0.0.1:${shim.port}`] })
      await shim.close()
      const base = what === 'groups' ? 'OU=Groups' : 'OU=People'
      expect(problems).toContainEqual(expect.stringMatching(`^${what} below ${base},.* cannot be read: \\S+`))
      expect(unknown?.join()).not.toContain('nobody below')
    },
  )
})

describe('several controllers', () => {
  const ways = async () => {
    const upstream = { host: new URL(world.ad.plainUrl).hostname, port: 389 }
    const [first, second] = [await tcpProxy(upstream), await tcpProxy(upstream)]
    return { first, second, urls: [first, second].map(({ port }) => `ldap://127.0.0.1:${port}`) }
  }

  test('the first is used while it is there; a call that loses it fails, the next goes to the second and stays', async () => {
    const [account, group] = [await addAccount(), await world.addGroup(freshName())]
    const { first, second, urls } = await ways()
    await using({ urls }, async (connector) => {
      expect((await connector.grantsOf([account], always.signal)).kind).toBe('complete')
      expect(second.connections()).toBe(0)

      // The write connection breaks, and so does every attempt at a new one: the call does not wander to the second.
      first.watch((bytes, direction) => {
        if (direction !== 'to-server' || operationOf(bytes) !== 0x66) return 'pass'
        first.refuse(true)
        first.resetAll()
        return 'reset'
      })
      expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['unknown'])
      expect(second.connections()).toBe(0)
      expect(await world.membersOf(group)).toEqual([])

      expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['changed'])
      expect(second.connections()).toBeGreaterThan(0)
      first.watch(null)
      first.refuse(false)
      expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['was-so'])
      expect(first.connections()).toBe(0)
    })
    await Promise.all([first.close(), second.close()])
  })

  test('shortly after a switch, what ends access is sent whatever is read; by a read alone nothing is so', async () => {
    const [shut, out] = [await addAccount(), await addAccount()]
    const group = await world.addGroup(freshName())
    await world.asRoot.modify(`<GUID=${shut}>`, change('replace', 'userAccountControl', ['514']))
    const ended = [{ op: 'disable', account: shut } as const, revoke(out, group)]
    const { first, second, urls } = await ways()
    let now = Date.now()
    await using(
      { urls },
      async (connector) => {
        const writes: number[] = []
        const watch = (proxy: typeof first) =>
          proxy.watch((bytes, direction) => {
            if (direction === 'to-server' && operationOf(bytes) === 0x66) writes.push(proxy.port)
            return 'pass'
          })
        watch(first)
        watch(second)
        // Its first call: another process may have written to another controller just now.
        expect((await connector.observe(ended, always)).map(said)).toEqual(['unknown', 'unknown'])
        now += doubtMs
        expect((await connector.apply(ended, always)).map(said)).toEqual(['was-so', 'was-so'])
        expect(writes).toEqual([])

        first.refuse(true)
        first.resetAll()
        await expect.poll(() => first.connections()).toBe(0)
        expect(await connector.apply(ended, always)).toMatchObject([
          { kind: 'done', changed: true },
          { kind: 'retry', cause: { word: 'controllers-settling' } },
        ])
        expect(writes).toEqual([second.port, second.port])
        expect((await connector.apply([grant(out, group)], always)).map(said)).toEqual(['changed'])
        expect((await connector.apply([revoke(out, group)], always)).map(said)).toEqual(['changed'])
        now += doubtMs
        await until(async () => !(await connector.apply(ended, always)).map(said).includes('retry'))
        expect((await connector.apply(ended, always)).map(said)).toEqual(['was-so', 'was-so'])
      },
      { ...adTools, now: () => now },
    )
    expect(await world.membersOf(group)).toEqual([])
    await Promise.all([first.close(), second.close()])
  })

  test('back to the first when that is there again and answers: everybody meets there, and no read alone is believed', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName())
    const notYetThere = randomUUID() as NativeId
    const missing = [
      grant(notYetThere, group),
      { op: 'enable', account: notYetThere } as const,
      ensure(world.person(freshName()), false),
      grant(account, { lookup: `CN=${freshName()},OU=Groups,${world.ad.baseDn}`, nativeId: notYetThere }),
      { op: 'deleteAccount', account: notYetThere } as const,
    ]
    const eachIs = (word: string) => missing.map(() => word)
    const { first, second, urls } = await ways()
    let now = Date.now()
    await using(
      { urls },
      async (connector) => {
        const searches: number[] = []
        let isDeaf = false
        const watch = (proxy: typeof first) =>
          proxy.watch((bytes, direction) => {
            if (direction !== 'to-server' || operationOf(bytes) !== 0x63) return 'pass'
            searches.push(proxy.port)
            return proxy === first && isDeaf ? 'reset' : 'pass'
          })
        watch(first)
        watch(second)
        const revoked = async () => (await connector.apply([revoke(account, group)], always)).map(said).join()
        first.refuse(true)
        expect((await connector.apply(missing, always)).map(said)).toEqual(eachIs('retry'))
        expect((await connector.observe(missing, always)).map(said)).toEqual(eachIs('unknown'))
        now += doubtMs
        await until(async () => (await revoked()) === 'was-so')
        const gone = 'refused:account-missing'
        expect((await connector.apply(missing, always)).map(said)).toEqual([
          gone,
          gone,
          gone,
          'refused:entitlement-missing',
          'was-so',
        ])

        // It lets us in, and answers nothing: nobody goes there, and it is asked once a minute, not with every call.
        isDeaf = true
        first.refuse(false)
        now += returnMs
        await connector.apply(missing, always)
        await until(() => searches.includes(first.port))
        await until(async () => (await revoked()) === 'was-so')
        const asked = searches.filter((port) => port === first.port).length
        for (let calls = 0; calls < 3; calls += 1) expect(await revoked()).toBe('was-so')
        expect(searches.filter((port) => port === first.port)).toHaveLength(asked)

        isDeaf = false
        now += returnMs
        await until(async () => (await revoked()) && searches.at(-1) === first.port)
        expect(await revoked()).toBe('retry')
        expect((await connector.apply(missing, always)).map(said)).toEqual(eachIs('retry'))
        now += doubtMs
        expect(await revoked()).toBe('was-so')
        expect(searches.at(-1)).toBe(first.port)
      },
      { ...adTools, now: () => now },
    )
    await Promise.all([first.close(), second.close()])
  })

  test('none is there: surely not applied', async () => {
    const [account, group] = [await addAccount(), await world.addGroup(freshName())]
    const { first, second, urls } = await ways()
    first.refuse(true)
    second.refuse(true)
    await using({ urls }, async (connector) => {
      expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['retry'])
      expect((await connector.check(always.signal)).ok).toBe(false)
    })
    await Promise.all([first.close(), second.close()])
  })
})
