/** Whose account it is, and what is ours to do with it: guests, namesakes, people mastered elsewhere. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Connector, Operation } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { type EntraWorld, makeEntra, openEntraWorld } from './entra-world.ts'
import { findsKeyless } from './keyless-accounts.ts'
import { accountOf, always, ensure, freshKey, grant, grantsOf, revoke, said, settling, unknownId } from './world.ts'

let world: EntraWorld
let connector: Connector
beforeAll(async () => {
  world = await openEntraWorld()
  connector = makeEntra(world)
})
afterEach(() => world.faults.none())
afterAll(async () => {
  await connector?.close()
  await world?.close()
})

const apply = (operations: readonly Operation[], by = connector) => by.apply(operations, always)
const inTheEnd = (operations: readonly Operation[]) => settling(world, connector, operations)
const saying = async (operations: readonly Operation[], by = connector) => (await apply(operations, by)).map(said)
const userOf = (id: NativeId | undefined) => world.graph.inspector.user(id ?? '')
const addUser = (properties: Parameters<EntraWorld['graph']['hand']['addUser']>[0]) =>
  world.graph.hand.addUser(properties) as NativeId
const addAccount = async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId

findsKeyless(() => ({
  world,
  correlation: 'employeeId',
  named: 'mailNickname',
  writesKey: true,
  connect: (changes) => world.connect(changes),
  addAccount: async (attributes) =>
    addUser({ userPrincipalName: `${freshKey()}@bank.example`, displayName: 'Jo', surname: 'Doe', ...attributes }),
  setMail: async (id, mail) => void world.graph.hand.patchUser(id, { mail }),
}))

describe('a new account', () => {
  test('has its names, its key, and a password that nobody was told', async () => {
    const somebody = world.person(freshKey())
    const bodies: string[] = []
    const fetchReally = globalThis.fetch
    globalThis.fetch = (input, init) => {
      if (typeof init?.body === 'string') bodies.push(init.body)
      return fetchReally(input, init)
    }
    const other = world.person(freshKey())
    const outcomes = await apply([ensure(somebody), ensure(other)])
    globalThis.fetch = fetchReally
    expect(outcomes.map(said)).toEqual(['changed', 'changed'])
    expect(userOf(accountOf(outcomes[0])?.nativeId)).toMatchObject({
      employeeId: somebody.key,
      userPrincipalName: `${somebody.worker.username}@bank.example`,
      mailNickname: somebody.worker.username,
      userType: 'Member',
      accountEnabled: true,
    })
    const passwords = bodies.flatMap((body) => /"password":"([^"]+)"/.exec(body)?.[1] ?? [])
    expect(new Set(passwords).size).toBe(2)
    for (const password of passwords) {
      expect(password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])(?=.*[^A-Za-z0-9]).{16,}$/)
      expect(JSON.stringify(outcomes)).not.toContain(password)
    }
  })

  test('two in one call that would have one name: the second is refused', async () => {
    const first = world.person(freshKey())
    const second = { key: freshKey(), worker: { ...first.worker } }
    expect(await saying([ensure(first), ensure(second)])).toEqual(['changed', 'refused:name-taken'])
  })

  test('the nickname is somebody else’s: refused', async () => {
    const somebody = world.person(freshKey())
    addUser({ mailNickname: String(somebody.worker.username) })
    expect(await saying([ensure(somebody)])).toEqual(['refused:name-taken'])
  })

  test('the name is taken between the look and the creation: refused by what is read then', async () => {
    const somebody = world.person(freshKey())
    world.faults.atNextWrite('before-commit', async () => {
      addUser({ userPrincipalName: `${somebody.worker.username}@bank.example` })
    })
    expect(await saying([ensure(somebody)])).toEqual(['refused:name-taken'])
  })

  test('what Graph does not take is invalid, and says so', async () => {
    const somebody = world.person(freshKey())
    const elsewhere = world.connect({ account: { userPrincipalName: '{username}@not-ours.example' } })
    expect(await saying([ensure(somebody)], elsewhere)).toEqual(['refused:invalid'])
    const nameless = { key: freshKey(), worker: { ...somebody.worker, username: null } }
    expect(await apply([ensure(nameless)])).toMatchObject([
      { reason: 'invalid', cause: { word: 'name-template-empty' } },
    ])
  })
})

describe('who it is', () => {
  test('a guest with the key is nobody of ours: passed over, not changed', async () => {
    const somebody = world.person(freshKey())
    const guest = addUser({ employeeId: somebody.key, userType: 'Guest', displayName: 'As it was' })
    const [created] = await apply([ensure(somebody)])
    expect(accountOf(created)).toMatchObject({ origin: 'created' })
    expect(accountOf(created)?.nativeId).not.toBe(guest)
    expect(userOf(guest)?.displayName).toBe('As it was')
    expect(await saying([ensure(world.person(freshKey()), false)])).toEqual(['refused:account-missing'])
  })

  test('keys that differ in case only are people that differ', async () => {
    const key = freshKey()
    await world.addAccounts([world.person(key)])
    expect(await apply([ensure(world.person(key.toUpperCase()))])).toMatchObject([
      { reason: 'account-ambiguous', cause: { word: 'correlation-not-exact' } },
    ])
    const other = freshKey()
    expect(await saying([ensure(world.person(other)), ensure(world.person(other.toUpperCase()))])).toEqual([
      'refused:account-ambiguous',
      'refused:account-ambiguous',
    ])
  })

  const alternatives = [
    { property: 'userPrincipalName', template: '{workEmail}', verify: { surname: '{familyName}' } },
    { property: 'mail', template: '{workEmail}', verify: { surname: '{familyName}', givenName: '{givenName}' } },
  ]

  test('by another property, in order, when what must agree agrees: linked, and it has the key from then on', async () => {
    const somebody = world.person(freshKey(), 'Doe')
    const account = addUser({
      userPrincipalName: String(somebody.worker.workEmail).toUpperCase(),
      surname: 'DOE',
      displayName: 'Jane',
    })
    const byName = world.connect({ alternatives })
    const [linked] = await apply([ensure(somebody)], byName)
    expect(accountOf(linked)).toMatchObject({ nativeId: account, origin: 'linked' })
    expect(userOf(account)?.employeeId).toBe(somebody.key)
    expect(accountOf((await apply([ensure(somebody)]))[0])).toMatchObject({ nativeId: account, origin: 'linked' })

    const hired = world.person(freshKey())
    const since = addUser({ mail: String(hired.worker.workEmail), employeeHireDate: '2026-12-01T00:00:00Z' })
    const byDate = [{ property: 'mail', template: '{workEmail}', verify: { employeeHireDate: '{hireDate}' } }]
    const told = { ...hired, worker: { ...hired.worker, hireDate: '2026-12-01' } }
    expect(accountOf((await apply([ensure(told)], world.connect({ alternatives: byDate })))[0])?.nativeId).toBe(since)

    const next = world.person(freshKey(), 'Roe')
    const mailed = addUser({ mail: String(next.worker.workEmail), surname: 'Roe', givenName: 'Given' })
    expect(accountOf((await apply([ensure(next)], byName))[0])?.nativeId).toBe(mailed)
  })

  test('what must agree does not: nobody guesses; whoever has another key is another', async () => {
    const byName = world.connect({ alternatives })
    const somebody = world.person(freshKey(), 'Doe')
    const account = addUser({ userPrincipalName: String(somebody.worker.workEmail), surname: 'Smith' })
    expect(await apply([ensure(somebody)], byName)).toMatchObject([
      { reason: 'account-ambiguous', cause: { word: 'alternative-not-verified' } },
    ])
    world.graph.hand.patchUser(account, { employeeId: freshKey(), surname: 'Doe' })
    expect(await apply([ensure(somebody)], byName)).toMatchObject([
      { reason: 'account-ambiguous', cause: { word: 'has-another-key' } },
    ])
  })
})

describe('mastered by an Active Directory', () => {
  const addSynced = (enabled: boolean) => {
    const somebody = world.person(freshKey())
    const id = addUser({
      employeeId: somebody.key,
      userPrincipalName: `${somebody.worker.username}@bank.example`,
      displayName: 'Of the directory',
      accountEnabled: enabled,
      onPremisesSyncEnabled: true,
    })
    return { somebody, id }
  }

  test('disabling and enabling: only a look; as wanted is done, otherwise it waits for the other directory', async () => {
    const { id } = addSynced(true)
    const asked = await world.writesOf(async () => {
      expect(await apply([{ op: 'disable', account: id }])).toEqual([
        { kind: 'retry', retryAfterMs: 60_000, cause: { code: '', word: 'mastered-elsewhere', awaited: [] } },
      ])
      expect(await saying([{ op: 'enable', account: id }])).toEqual(['was-so'])
      world.graph.hand.patchUser(id, { accountEnabled: false })
      expect(await saying([{ op: 'disable', account: id }])).toEqual(['was-so'])
      expect(await saying([{ op: 'deleteAccount', account: id }])).toEqual(['retry'])
    })
    expect(asked).toEqual([])
  })

  test('attributes are not ours: nothing is written, and they are told as they are wanted', async () => {
    const { somebody, id } = addSynced(true)
    const asked = await world.writesOf(async () => {
      const [linked] = await apply([ensure(somebody)])
      expect(said(linked)).toBe('was-so')
      expect(accountOf(linked)).toMatchObject({
        nativeId: id,
        attributesHash: connector.attributesHash(somebody.worker),
      })
    })
    expect(asked).toEqual([])
  })

  test('sessions and cloud memberships are ours', async () => {
    const { id } = addSynced(true)
    const group = await world.addGroup(freshKey())
    expect(await saying([grant(id, group)])).toEqual(['changed'])
    expect(await saying([{ op: 'endSessions', account: id }])).toEqual(['changed'])
    expect(await saying([revoke(id, group)])).toEqual(['changed'])
  })
})

describe('ending sessions', () => {
  test('is done when sessions are valid from a later moment; the groups are told', async () => {
    const account = await addAccount()
    world.graph.hand.patchUser(account, { signInSessionsValidFromDateTime: '2020-01-01T00:00:00Z' })
    const group = await world.addGroup(freshKey(), [account])
    const [outcome] = await apply([{ op: 'endSessions', account }])
    expect(said(outcome)).toBe('changed')
    expect(grantsOf(outcome)).toEqual([group.nativeId])
    expect(Date.parse(userOf(account)?.signInSessionsValidFromDateTime ?? '')).toBeGreaterThan(1_600_000_000_000)
    expect(await saying([{ op: 'endSessions', account }])).toEqual(['changed'])
    expect(await inTheEnd([{ op: 'endSessions', account: unknownId }])).toEqual(['refused:account-missing'])
    expect((await connector.observe([{ op: 'endSessions', account }], always)).map(said)).toEqual(['not-so'])
  })
})

describe('deleting', () => {
  test('opened between the look and the deletion: it stays', async () => {
    const account = await addAccount()
    world.graph.hand.patchUser(account, { accountEnabled: false })
    const fetchReally = globalThis.fetch
    let reads = 0
    globalThis.fetch = async (input, init) => {
      const response = await fetchReally(input, init)
      if (init?.method === 'GET' && String(input).includes(`/users/${account}?`) && ++reads === 1)
        world.graph.hand.patchUser(account, { accountEnabled: true })
      return response
    }
    try {
      expect(await saying([{ op: 'deleteAccount', account }])).toEqual(['refused:protected'])
    } finally {
      globalThis.fetch = fetchReally
    }
    expect(reads).toBe(2)
    expect(userOf(account)).toBeDefined()
  })

  test('never while enabled; soft; and then it is so', async () => {
    const account = await addAccount()
    const remove = { op: 'deleteAccount', account } as const
    expect(await saying([remove])).toEqual(['refused:protected'])
    expect(await saying([{ op: 'disable', account }])).toEqual(['changed'])
    expect(await saying([remove])).toEqual(['changed'])
    expect(userOf(account)).toBeUndefined()
    expect(world.graph.inspector.deleted().map(({ entry }) => entry.id)).toContain(account)
    expect(await inTheEnd([remove])).toEqual(['was-so'])
    expect(await inTheEnd([{ op: 'disable', account }])).toEqual(['refused:account-missing'])
  })
})

test('dates of HR: set, found equal, and refused when they are none', async () => {
  // The page for operators shows these.
  const attributes = {
    displayName: '{displayName}',
    employeeHireDate: '{hireDate}',
    employeeLeaveDateTime: '{lastDayOfWorkEnd}',
    employeeType: '{workerType}',
  }
  const dated = world.connect({ account: { userPrincipalName: '{username}@bank.example', attributes } })
  const base = world.person(freshKey())
  const told = (worker: Readonly<Record<string, string | null>>) => ({
    key: base.key,
    worker: { ...base.worker, hireDate: '2026-12-01', workerType: 'employee', ...worker },
  })
  const [created] = await apply([ensure(told({ lastDayOfWorkEnd: null }))], dated)
  expect(said(created)).toBe('changed')
  const account = accountOf(created)?.nativeId
  const dates = () => {
    const { employeeHireDate, employeeLeaveDateTime, employeeType } = userOf(account) ?? {}
    return [employeeHireDate, employeeLeaveDateTime ?? null, employeeType]
  }
  expect(dates()).toEqual(['2026-12-01T00:00:00Z', null, 'employee'])
  const given = told({ lastDayOfWorkEnd: '2027-07-01T00:29:59+05:30' })
  expect(await saying([ensure(given)], dated)).toEqual(['changed'])
  expect(dates()).toEqual(['2026-12-01T00:00:00Z', '2027-06-30T18:59:59Z', 'employee'])
  expect(await saying([ensure(given)], dated)).toEqual(['was-so'])
  expect(await saying([ensure(told({ lastDayOfWorkEnd: null }))], dated)).toEqual(['changed'])
  expect(dates()[1]).toBeNull()
  const vague = told({ lastDayOfWorkEnd: 'some day' })
  expect(await apply([ensure(vague)], dated)).toMatchObject([{ reason: 'invalid', cause: { word: 'value-unfit' } }])
})

test('privileged people are Entra’s to protect: refused', async () => {
  const account = world.graph.hand.addUser({}, { privileged: true }) as NativeId
  expect(await saying([{ op: 'disable', account }])).toEqual(['refused:not-allowed'])
})
