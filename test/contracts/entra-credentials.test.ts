/** How the application proves who it is, and what happens when that changes while it works. */
import 'reflect-metadata'
import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { X509CertificateGenerator } from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allUses, type Uses } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { type EntraWorld, openEntraWorld } from './entra-world.ts'
import { always, freshKey, revoke, said } from './world.ts'

const clientId = '9a3d526c-b3c1-4479-ba74-197b5c5751ae'
const dayMs = 24 * 3_600_000

/** A self-signed certificate with its key, as an administrator would make one. */
const certificate = async (days: number) => {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=muster',
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + days * dayMs),
    signingAlgorithm: algorithm,
    keys,
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    pem: made.toString('pem'),
    file: `-----BEGIN PRIVATE KEY-----\n${key.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n${made.toString('pem')}\n`,
  }
}

const workload = generateKeyPairSync('rsa', { modulusLength: 2048 })
const assertion = (changes: Readonly<Record<string, unknown>> = {}) => {
  const now = Math.floor(Date.now() / 1_000)
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({
    iss: 'https://issuer.example',
    sub: 'system:serviceaccount:muster',
    aud: 'api://AzureADTokenExchange',
    iat: now,
    nbf: now - 5,
    exp: now + 600,
    jti: randomUUID(),
    ...changes,
  })}`
  return `${text}.${createSign('sha256').update(text).sign(workload.privateKey, 'base64url')}`
}

let world: EntraWorld
let good: Awaited<ReturnType<typeof certificate>>
let soon: Awaited<ReturnType<typeof certificate>>
beforeAll(async () => {
  good = await certificate(200)
  soon = await certificate(3)
  const { everyPermission } = await import('../../simulators/graph/permissions.ts')
  world = await openEntraWorld({
    apps: [
      {
        clientId,
        secrets: ['first secret', 'second secret'],
        certificates: [good.pem, soon.pem],
        federated: [
          {
            issuer: 'https://issuer.example',
            subject: 'system:serviceaccount:muster',
            publicKey: workload.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
          },
        ],
        roles: everyPermission,
      },
    ],
  })
})
afterAll(() => world?.close())

const fileOf = (name: string, text: string) => {
  const path = join(world.dir, name)
  writeFileSync(path, text)
  return path
}
const addAccount = async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId

describe('each kind of credential', () => {
  test('a workload identity: its token file is read again each time', async () => {
    const tokenFile = fileOf('token', assertion())
    const connector = world.connect({ credential: { kind: 'federated', tokenFile } })
    expect(await connector.check(always.signal)).toMatchObject({ ok: true, problems: [] })
    world.graph.revokeTokens()
    writeFileSync(tokenFile, assertion({ exp: 1 }))
    expect((await connector.check(always.signal)).ok).toBe(false)
    rmSync(tokenFile)
    expect((await connector.check(always.signal)).problems).toEqual([
      `credential.tokenFile: ${tokenFile} cannot be read (ENOENT)`,
    ])
    writeFileSync(tokenFile, assertion())
    expect(await connector.check(always.signal)).toMatchObject({
      ok: true,
      facts: [
        expect.stringContaining('federated credential'),
        expect.stringContaining('User.Read.All'),
        expect.stringMatching(/^clocks \d+ s apart$/),
      ],
      unknown: [],
    })
  })

  test('a certificate: in use, and seen to end', async () => {
    const certificateFile = fileOf('good.pem', good.file)
    const connector = world.connect({ credential: { kind: 'certificate', certificateFile } })
    const { facts } = await connector.check(always.signal)
    expect(facts).toContainEqual(expect.stringMatching(/^certificate until \d{4}-\d\d-\d\d$/))
    writeFileSync(certificateFile, soon.file)
    const { ok, problems } = await connector.check(always.signal)
    expect([ok, problems]).toEqual([false, [expect.stringMatching(/^the certificate ends on \d{4}-/)]])
    const other = await certificate(100)
    writeFileSync(certificateFile, other.file)
    world.graph.revokeTokens()
    expect(
      (await world.connect({ credential: { kind: 'certificate', certificateFile } }).check(always.signal)).ok,
    ).toBe(false)
  })

  test('a secret given by reference, and another one in its file when the first has ended', async () => {
    let file = 'second secret'
    const connector = world.connect(
      { credential: { kind: 'secret', secret: 'second secret' } },
      { secret: async (member) => (member === 'credential.secret' ? file : null) },
    )
    expect(await connector.check(always.signal)).toMatchObject({
      ok: true,
      unknown: ['when the secret ends (Entra tells no client)'],
    })
    file = 'first secret'
    world.graph.revokeTokens()
    const asked = await world.writesOf(async () => {
      const disabled = await connector.apply([{ op: 'disable', account: await addAccount() }], always)
      expect(disabled.map(said)).toEqual(['changed'])
    })
    expect(asked.filter((address) => address.startsWith('PATCH'))).toHaveLength(1)
    file = 'neither'
    world.graph.revokeTokens()
    expect((await connector.check(always.signal)).ok).toBe(false)
  })
})

test('the check asks for the permissions that the configuration uses, and for no others', async () => {
  const little = await openEntraWorld({
    apps: [
      {
        clientId: '9a3d526c-b3c1-4479-ba74-197b5c5751ae',
        secrets: ['s'],
        roles: [
          'User.Read.All',
          'GroupMember.Read.All',
          'User.EnableDisableAccount.All',
          'User.RevokeSessions.All',
          'GroupMember.ReadWrite.All',
        ],
      },
    ],
  })
  const problemsOf = async (changes: object, uses: Uses) =>
    (await little.connect({ account: { attributes: {} }, ...changes }).check(always.signal, uses)).problems
  const [writes, deletes] = ['User.ReadWrite.All', 'User.DeleteRestore.All'].map((name) =>
    expect.stringContaining(`permission ${name} is not granted`),
  )
  try {
    const found = { createAccounts: false, deleteAccounts: false, writes: true }
    expect(await problemsOf({}, found)).toEqual([])
    expect(await problemsOf({}, { ...found, deleteAccounts: true })).toEqual([deletes])
    expect(await problemsOf({}, { ...found, createAccounts: true })).toEqual([writes])
    expect(await problemsOf({ account: { attributes: { department: '{department}' } } }, found)).toEqual([writes])
    const alternatives = [{ property: 'mail', template: '{workEmail}', verify: { surname: '{familyName}' } }]
    expect(await problemsOf({ alternatives }, found)).toEqual([writes])
    expect(await problemsOf({ roleAssignableGroups: true }, found)).toEqual([
      expect.stringContaining('permission RoleManagement.ReadWrite.Directory is not granted'),
    ])
    expect(await little.connect().check(always.signal, { ...allUses, writes: false })).toMatchObject({
      ok: true,
      problems: [],
      beforeEnforce: [writes, deletes],
    })
    expect(await problemsOf({ hiddenMembershipGroups: true }, found)).toEqual([
      expect.stringContaining('permission Member.Read.Hidden is not granted'),
    ])
    const hidden = 'who is in groups with hidden membership (Member.Read.Hidden)'
    expect((await little.connect().check(always.signal, found)).unknown).toContain(hidden)
    // Nobody shows in it to this application, which is no list of nobody.
    const nativeId = little.graph.hand.addGroup({ visibility: 'HiddenMembership' }) as NativeId
    little.graph.hand.addMembers(nativeId, [little.graph.hand.addUser()])
    const ref = { id: 1 as EntitlementId, lookup: nativeId, nativeId }
    for await (const list of little.connect().membersOf([ref], always.signal))
      expect(list).toEqual({ kind: 'failed', entitlement: 1, cause: 'hidden-membership' })
    expect.assertions(10)
  } finally {
    await little.close()
  }
})

describe('while it works', () => {
  test('the token ends in the middle: one fresh one, and the change is made once', async () => {
    const connector = world.connect()
    const account = await addAccount()
    world.graph.faults.plan({ operation: 'patchUser', phase: 'before', effect: { kind: 'expire-token' } })
    const asked = await world.writesOf(async () => {
      expect((await connector.apply([{ op: 'disable', account }], always)).map(said)).toEqual(['changed'])
    })
    expect(asked.filter((address) => address.startsWith('PATCH'))).toHaveLength(1)
  })

  test('the secret is another: refused as data, and picked up when the file has it', async () => {
    const secretFile = fileOf('rotating', 'first secret\n')
    const connector = world.connect({ credential: { kind: 'secret', secretFile } })
    const account = await addAccount()
    expect((await connector.apply([{ op: 'disable', account }], always)).map(said)).toEqual(['changed'])

    writeFileSync(secretFile, 'a secret that ended')
    world.graph.revokeTokens()
    // Entra says the same of a secret that it has just been given, for a while.
    const cause = { code: 'AADSTS7000215', word: 'secret-wrong' }
    expect(await connector.apply([{ op: 'enable', account }], always)).toMatchObject([{ kind: 'retry', cause }])
    world.pass?.(300_000)
    expect(await connector.apply([{ op: 'enable', account }], always)).toMatchObject([
      { kind: 'refused', reason: 'credential', cause },
    ])
    const { ok, problems } = await connector.check(always.signal)
    expect([ok, problems.join()]).toEqual([false, expect.stringContaining('AADSTS7000215')])
    expect(problems.join()).not.toContain('a secret that ended')

    rmSync(secretFile)
    expect((await connector.apply([{ op: 'enable', account }], always)).map(said)).toEqual(['refused:credential'])

    writeFileSync(secretFile, 'second secret')
    expect((await connector.apply([{ op: 'enable', account }], always)).map(said)).toEqual(['changed'])
  })

  test('a part of a $batch says 401: one fresh token decides, for that part alone', async () => {
    const connector = world.connect()
    const accounts = [await addAccount(), await addAccount(), await addAccount()]
    const group = await world.addGroup(freshKey(), accounts)
    const fetchReally = globalThis.fetch
    const bodies: string[] = []
    const tokens = new Set<string>()
    let refusals = 1
    globalThis.fetch = async (input, init) => {
      const body = String(init?.body)
      if (!body.includes('"method":"DELETE"') && init?.method !== 'DELETE') return fetchReally(input, init)
      bodies.push(body)
      tokens.add(String(new Headers(init?.headers).get('authorization')))
      const response = await fetchReally(input, init)
      if (refusals-- <= 0) return response
      // The first two parts were done; of the third Graph says that the token had ended by then.
      world.graph.hand.addMembers(group.nativeId, accounts.slice(2))
      const whole = (await response.json()) as { responses: { id: string }[] }
      const error = { code: 'InvalidAuthenticationToken', message: 'Lifetime validation failed, the token is expired.' }
      const responses = whole.responses.map((part) =>
        part.id === '3' ? { ...part, status: 401, body: { error } } : part,
      )
      return Response.json({ responses })
    }
    try {
      const operations = accounts.map((account) => revoke(account, group))
      expect((await connector.apply(operations, always)).map(said)).toEqual(['changed', 'changed', 'changed'])
    } finally {
      globalThis.fetch = fetchReally
    }
    expect(bodies).toHaveLength(2)
    expect(bodies[1]).toContain(accounts[2])
    expect(bodies[1]).not.toContain(accounts[0])
    expect(tokens.size).toBe(2)
    expect(await world.membersOf(group)).toEqual([])
  })

  test('no token for anything: a failure, not for ever', async () => {
    const connector = world.connect()
    const account = await addAccount()
    world.graph.faults.plan({ operation: 'patchUser', times: 10, phase: 'before', effect: { kind: 'expire-token' } })
    expect(await connector.apply([{ op: 'disable', account }], always)).toMatchObject([
      { kind: 'refused', reason: 'credential', cause: { word: 'not-signed-in' } },
    ])
    world.graph.faults.clear()
  })

  test('this clock is far from Graph’s', async () => {
    const connector = world.connect({}, { now: () => Date.now() - 3_600_000 })
    expect((await connector.check(always.signal)).problems).toEqual([
      expect.stringMatching(/^this clock is 3[56]\d\d s away/),
    ])
  })

  test('a token endpoint that is away: nothing is applied', async () => {
    const connector = world.connect()
    const account = await addAccount()
    world.graph.faults.plan({ operation: 'token', times: 10, phase: 'before', effect: { kind: 'drop' } })
    expect((await connector.apply([{ op: 'disable', account }], always)).map(said)).toEqual(['retry'])
    world.graph.faults.clear()
    expect((await connector.apply([{ op: 'disable', account }], always)).map(said)).toEqual(['changed'])
  })
})
