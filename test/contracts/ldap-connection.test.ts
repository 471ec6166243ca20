/** Connections that are secured, refused, dropped, silent or told to come back; lists that are long, cut short or lie elsewhere. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Control, PresenceFilter } from 'ldapts'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { certificates } from '../../scripts/stack/certificates.ts'
import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import { createLdapClient } from '../../src/connectors/ldap-wire/client.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { requestShim } from '../support/ldap-requests.ts'
import { freshName } from '../support/stack.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { type LdapWorld, makeLdap, openLdapWorld, operationOf, target } from './ldap-world.ts'
import { always, ensure, grant, onceSent, revoke, roundTrip, said, sorted, untilDone } from './world.ts'

let world: LdapWorld
beforeAll(async () => {
  world = await openLdapWorld({ globalLines: ['idletimeout 1'] })
})
afterEach(() => world.faults.none())
afterEach(() => void vi.restoreAllMocks())
afterAll(() => world?.close())

const using = async <T>(
  changes: Readonly<Record<string, unknown>>,
  work: (connector: ReturnType<typeof makeLdap>) => Promise<T>,
): Promise<T> => {
  const connector = createLdapConnector(target, world.configure(changes))
  try {
    return await work(connector)
  } finally {
    await connector.close()
  }
}
const checked = (changes: Readonly<Record<string, unknown>>) =>
  using(changes, (connector) => connector.check(always.signal))
const tls = () => ({ security: undefined, url: world.ldap.url, caFile: world.ldap.caFile })
const addAccount = async () => (await world.addAccounts([world.person(freshName())]))[0] as NativeId

describe('security', () => {
  test('LDAPS with the right authority', async () => {
    const { unknown, ...report } = await checked(tls())
    expect(report).toEqual({
      ok: true,
      beforeEnforce: [],
      problems: [],
      facts: [
        'as cn=muster,ou=services,dc=bank,dc=example, by password',
        'people below ou=people,dc=bank,dc=example, groups below ou=groups,dc=bank,dc=example',
      ],
    })
    expect(unknown?.join('; ')).toMatch(/^whether it may write .*; when the password ends; its clock \(not told\)$/)
  })

  test('StartTLS: nothing readable passes, the password least of all', async () => {
    let clear = ''
    world.proxy.watch((bytes) => {
      clear += bytes.toString('latin1')
      return 'pass'
    })
    expect(await checked({ security: 'startTls', caFile: world.ldap.caFile })).toMatchObject({ ok: true, problems: [] })
    world.proxy.watch(null)
    expect(clear).toContain('1.3.6.1.4.1.1466.20037')
    expect(clear).not.toContain(world.ldap.servicePassword)
    expect(clear).not.toContain('entryUUID')
  })

  test('StartTLS connections that are reset are opened and secured again', async () => {
    const [account, group] = [await addAccount(), await world.addGroup(freshName())]
    await using({ security: 'startTls', caFile: world.ldap.caFile }, async (connector) => {
      expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['changed'])
      world.faults.dropAll()
      await roundTrip()
      expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['was-so'])
      world.faults.dropAll()
      await roundTrip()
      expect((await connector.observe([grant(account, group)], always)).map(said)).toEqual(['was-so'])
    })
  })

  test('an authority that did not sign is refused, over LDAPS and StartTLS', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'muster-ca-'))
    try {
      const { caFile } = await certificates(dir)
      for (const changes of [
        { ...tls(), caFile },
        { security: 'startTls', caFile },
        { ...tls(), caFile: undefined },
      ]) {
        const report = await checked(changes)
        expect(report.ok).toBe(false)
        expect(report.problems.join()).toContain('connect-failed')
      }
      const [none, empty] = [join(dir, 'none.pem'), join(dir, 'empty.pem')]
      expect((await checked({ ...tls(), caFile: none })).problems).toEqual([
        expect.stringContaining('ca-file-unreadable'),
        `caFile: ${none} cannot be read (ENOENT)`,
      ])
      writeFileSync(empty, '\n')
      expect((await checked({ ...tls(), caFile: empty })).problems).toContain(`caFile: ${empty} is empty`)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  test('a certificate for another host is refused', async () => {
    const upstream = new URL(world.ldap.url)
    const elsewhere = await tcpProxy({ host: upstream.hostname, port: Number(upstream.port) }, '127.0.0.2')
    const report = await checked({ ...tls(), url: `ldaps://127.0.0.2:${elsewhere.port}` })
    expect(report.problems.join()).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
    await elsewhere.close()
  })

  test('a wrong password is a matter of configuration, and says so without the password', async () => {
    const [account, group] = [await addAccount(), await world.addGroup(freshName())]
    await using({ bindPassword: 'wrong-secret' }, async (connector) => {
      const outcomes = await connector.apply([grant(account, group)], always)
      expect(outcomes.map(said)).toEqual(['refused:credential'])
      const report = await connector.check(always.signal)
      expect(report.problems.join()).toContain('invalid-credentials (49)')
      expect(JSON.stringify([outcomes, report])).not.toContain('wrong-secret')
    })
  })

  test('bases that are not there are named', async () => {
    const report = await checked({ peopleBase: `ou=nowhere,${world.ldap.baseDn}` })
    expect(report.problems).toEqual([`ou=nowhere,${world.ldap.baseDn} cannot be read: no-such-object (32)`])
  })
})

describe('silence', () => {
  test('the server drops what is idle: the next call is bound again, and reads no emptier directory', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName(), [account])
    await using({}, async (connector) => {
      const before = await connector.grantsOf([account], always.signal)
      await expect.poll(() => world.proxy.connections()).toBe(0)
      const after = await connector.grantsOf([account], always.signal)
      expect(after).toEqual(before)
      expect(after).toMatchObject({ kind: 'complete', items: [{ account, entitlement: { nativeId: group.nativeId } }] })
      expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['was-so'])
    })
  })

  test('a read that is never answered ends in time, as not begun', async () => {
    const [account, group] = [await addAccount(), await world.addGroup(freshName())]
    await using({ timeouts: { connectMs: 30_000, operationMs: 500 } }, async (hasty) => {
      world.proxy.watch((bytes, direction) =>
        direction === 'to-server' && operationOf(bytes) === 0x63 ? 'swallow' : 'pass',
      )
      expect(await hasty.apply([grant(account, group)], always)).toMatchObject([
        { kind: 'retry', cause: { code: 'ETIMEDOUT' } },
      ])
      world.proxy.watch(null)
      await until(async () => (await hasty.apply([grant(account, group)], always))[0]?.kind === 'done')
    })
  })

  test('a change that was made but could not be read back is unknown, not done', async () => {
    const [account, group] = [await addAccount(), await world.addGroup(freshName())]
    await using({ timeouts: { connectMs: 30_000, operationMs: 500 } }, async (hasty) => {
      let written = false
      world.proxy.watch((bytes, direction) => {
        if (direction === 'to-server' && operationOf(bytes) === 0x66) written = true
        return written && direction === 'to-server' && operationOf(bytes) === 0x63 ? 'swallow' : 'pass'
      })
      expect(await onceSent(async () => (await hasty.apply([grant(account, group)], always))[0])).toBe('unknown')
      world.proxy.watch(null)
    })
    await using({}, async (patient) => {
      expect((await patient.observe([grant(account, group)], always)).map(said)).toEqual(['was-so'])
    })
  })

  test('many calls at once on a cold connector all answer', async () => {
    const accounts = await world.addAccounts(Array.from({ length: 20 }, () => world.person(freshName())))
    const group = await world.addGroup(freshName())
    await using({}, async (connector) => {
      const outcomes = await Promise.all(accounts.map((account) => connector.apply([grant(account, group)], always)))
      expect(outcomes.flat().map(said)).toEqual(accounts.map(() => 'changed'))
      expect(world.proxy.connections()).toBeLessThanOrEqual(3)
    })
  })

  test('closed in the middle of its work: everything answers', async () => {
    const [account, group] = [await addAccount(), await world.addGroup(freshName())]
    const connector = makeLdap(world)
    const working = connector.apply([grant(account, group)], always)
    await connector.close()
    expect(['retry', 'unknown']).toContain((await working).map(said)[0])
    expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['retry'])
  })
})

describe('giving way', () => {
  test('no request leaves before it may: reads, pages, writes', async () => {
    const [account, group] = [await addAccount(), await world.addGroup(freshName())]
    let asked = 0
    let go = Promise.resolve()
    const connector = createLdapConnector(target, world.settings, () => {
      asked += 1
      return go
    })
    const many = Array.from({ length: 600 }, (_, n) => `cn=n${n},${world.people}`)
    const work = async () => {
      expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['changed'])
      expect(await connector.whoIs(many, always.signal)).toMatchObject({ kind: 'complete' })
      expect((await connector.apply([revoke(account, group)], always)).map(said)).toEqual(['changed'])
    }
    const isSent = (request: string) => request === 'search' || request === 'modify'
    const sent = (await world.requestsOf(work)).filter(isSent)
    expect(sent).toContain('modify')
    expect(asked).toBe(sent.length)

    const may = Promise.withResolvers<void>()
    go = may.promise
    const before = asked
    let working: Promise<unknown> = Promise.resolve()
    const early = await world.requestsOf(async () => {
      working = connector.apply([grant(account, group)], always)
      await until(() => asked > before)
      await world.entryOf(account)
    })
    expect(early.filter(isSent)).toEqual([])
    may.resolve()
    await working
    await connector.close()
  })
})

test('the wait for a leaver is not the server being slow: look-ups stay look-ups, batches stay whole', async () => {
  const accounts = await world.addAccounts(Array.from({ length: 600 }, () => world.person(freshName())))
  const group = await world.addGroup(freshName())
  // Nothing takes any time but the wait, which would be slow.
  let clock = performance.now()
  vi.spyOn(performance, 'now').mockImplementation(() => clock)
  const connector = createLdapConnector(target, world.settings, async () => {
    clock += 25
  })
  const requests = await world.requestsOf(async () => {
    for (const some of [accounts.slice(0, 300), accounts.slice(300)]) {
      const grants = some.map((one) => grant(one, group))
      expect(new Set((await connector.apply(grants, always)).map(said))).toEqual(new Set(['changed']))
    }
  })
  expect(requests.filter((request) => request === 'modify')).toHaveLength(2)
  await connector.close()
})

test('a storm: the first changes are told to come back; in the end all is as it was wanted, and nothing was done twice', async () => {
  const people = Array.from({ length: 4 }, () => world.person(freshName()))
  const [leaver, ...crowd] = (await world.addAccounts(people)) as [NativeId, ...NativeId[]]
  const newcomer = world.person(freshName())
  const [full, empty] = [await world.addGroup(freshName(), [leaver]), await world.addGroup(freshName())]
  const { hostname: host, port } = new URL(world.ldap.plainUrl)
  const storm = { left: 9, through: 0 }
  const shim = await requestShim(
    { host, port: Number(port) },
    (name) => name,
    () => {
      if (storm.left > 0) storm.left -= 1
      else storm.through += 1
      return storm.through > 0 ? null : { code: 51, message: '' }
    },
  )
  await using({ url: `ldap://127.0.0.1:${shim.port}` }, async (connector) => {
    const wanted = [
      { op: 'disable', account: leaver },
      revoke(leaver, full),
      ...crowd.map((account) => grant(account, empty)),
      ensure(newcomer),
    ] as const
    expect(await untilDone(connector, wanted)).toEqual(wanted.map(() => ['throttled', 'changed']))
  })
  await shim.close()
  expect(storm).toEqual({ left: 0, through: 4 })
  expect(await world.canSignIn(leaver)).toBe(false)
  expect(await world.membersOf(full)).toEqual([])
  expect(sorted(await world.membersOf(empty))).toEqual(sorted(crowd))
  expect(await world.accountsOf(newcomer)).toHaveLength(1)
})

describe('completeness', () => {
  test('a group with 60,000 members: all of them are listed; one more comes in and goes again', async () => {
    const [account] = (await world.addAccounts([world.person(freshName())])) as [NativeId]
    const group = await world.addGroup(freshName(), [], 60_000)
    const connector = makeLdap(world)
    const listed = async () => {
      for await (const list of connector.membersOf(
        [{ id: 1 as EntitlementId, lookup: group.lookup, nativeId: group.nativeId }],
        always.signal,
      ))
        return list.kind === 'complete' ? list.members.length : list.kind
      return 'nothing'
    }
    expect(await listed()).toBe(60_000)
    expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['changed'])
    expect(await listed()).toBe(60_001)
    expect((await connector.apply([revoke(account, group)], always)).map(said)).toEqual(['changed'])
    expect(await listed()).toBe(60_000)
    await connector.close()
  })

  test('a server that gives fewer entries than there are: never complete', async () => {
    const reader = await addAccount()
    const dn = String((await world.entryOf(reader))?.dn)
    for (let at = 0; at < 501; at += 1) await world.addGroup(freshName(), at === 0 ? [reader] : [])
    await using({ bindDn: dn, bindPassword: 'a password that works' }, async () => {
      const client = createLdapClient(world.configure({ bindDn: dn, bindPassword: 'a password that works' }))
      const all = {
        base: world.groups,
        scope: 'one',
        filter: new PresenceFilter({ attribute: 'cn' }),
        attributes: ['cn'],
      } as const
      expect(await client.search(all)).toMatchObject({ ok: false, failure: { code: '4', word: 'size-limit-exceeded' } })
      let seen = 0
      const paged = await client.searchPages(all, 100, (entries) => {
        seen += entries.length
      })
      expect(paged).toMatchObject({ ok: false, failure: { code: '4' } })
      expect(seen).toBe(500)
      client.close()
    })
  })

  test('a part of the tree lies on another server: never complete', async () => {
    const account = await addAccount()
    const dn = `cn=elsewhere,${world.groups}`
    const manageDsaIt = new Control('2.16.840.1.113730.3.4.2', { critical: true })
    await world.asRoot.add(
      dn,
      { objectClass: ['referral', 'extensibleObject'], cn: 'elsewhere', ref: 'ldap://127.0.0.9/' },
      manageDsaIt,
    )
    await using({}, async (connector) => {
      expect(await connector.grantsOf([account], always.signal)).toMatchObject({
        kind: 'partial',
        cause: 'referral (10)',
      })
    })
    await world.asRoot.del(dn, manageDsaIt)
  })
})
