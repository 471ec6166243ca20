/** Read-after-write is not guaranteed (hashicorp/terraform-provider-azuread #578, #793): what lags, and how it shows. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { steppedClock } from '../../../../simulators/graph/clock.ts'
import { apply, copyDirectory, emptyDirectory } from '../../../../simulators/graph/directory.ts'
import { openHand } from '../../../../simulators/graph/hand.ts'
import { after } from '../../../../simulators/graph/ordered.ts'
import { seededRandom, uuidFrom } from '../../../../simulators/graph/random.ts'
import { openStore } from '../../../../simulators/graph/store.ts'
import { asking, codeOf, newUser, tenant } from './asking.ts'

const lagging = (more = {}) => asking({ replication: { lagMs: 2_000, ...more } })

test('a created user cannot be read, written or added until it has arrived', () => {
  const { ask, advance, hand, ref } = lagging()
  const group = hand.addGroup()
  advance(2_000)
  const id = ask('POST /users', { body: newUser('amit') }).body.id
  const attempts = () => [
    codeOf(ask(`GET /users/${id}`)),
    ask(`GET /users?$filter=userPrincipalName eq 'amit@bank.example'`).body.value.length,
    codeOf(ask(`PATCH /users/${id}`, { body: { jobTitle: 'RM' } })),
    codeOf(ask(`POST /groups/${group}/members/$ref`, { body: { '@odata.id': ref(id) } })),
  ]
  const early = '404 Request_ResourceNotFound'
  expect(attempts()).toEqual([early, 0, early, early])
  advance(2_000)
  expect(attempts()).toEqual(['200 undefined', 1, '204 undefined', '204 undefined'])
})

test('but its name is taken at once', () => {
  const { ask } = lagging()
  ask('POST /users', { body: newUser('amit') })
  expect(codeOf(ask('POST /users', { body: newUser('amit') }))).toBe('400 Request_BadRequest')
})

test('an added member is not seen, cannot be removed, and is already there', () => {
  const { ask, advance, hand, ref, inspector } = lagging()
  const [group, user] = [hand.addGroup(), hand.addUser()]
  advance(2_000)
  const add = () => codeOf(ask(`POST /groups/${group}/members/$ref`, { body: { '@odata.id': ref(user) } }))
  expect(add()).toBe('204 undefined')
  expect(inspector.isMember(group, user)).toBe(true)
  expect(ask(`GET /groups/${group}/members`).body.value).toEqual([])
  expect(add()).toBe('400 Request_BadRequest')
  expect(codeOf(ask(`DELETE /groups/${group}/members/${user}/$ref`))).toBe('404 Request_ResourceNotFound')
  advance(2_000)
  expect(ask(`GET /groups/${group}/members`).body.value).toHaveLength(1)
  expect(ask(`GET /users/${user}/memberOf`).body.value).toHaveLength(1)
})

test('one object may lag more than the others', () => {
  const { ask, advance, hand, replication } = lagging()
  const [slow, quick] = [hand.addUser(), hand.addUser()]
  advance(2_000)
  replication.delay(slow, 3_000)
  for (const id of [slow, quick]) ask(`PATCH /users/${id}`, { body: { jobTitle: 'RM' } })
  const titles = () => [slow, quick].map((id) => ask(`GET /users/${id}?$select=jobTitle`).body.jobTitle)
  advance(2_000)
  expect(titles()).toEqual([null, 'RM'])
  advance(3_000)
  expect(titles()).toEqual(['RM', 'RM'])
})

test('the index behind advanced queries has a lag of its own', () => {
  const { ask, advance, hand } = asking({ replication: { lagMs: 1_000, indexLagMs: 60_000 } })
  hand.addUser({ employeeId: 'P-1' })
  const plain = () => ask("GET /users?$filter=employeeId eq 'P-1'").body.value.length
  const advanced = () =>
    ask("GET /users?$count=true&$filter=employeeId eq 'P-1'", { headers: { consistencylevel: 'eventual' } }).body.value
      .length
  expect([plain(), advanced()]).toEqual([0, 0])
  advance(1_000)
  expect([plain(), advanced()]).toEqual([1, 0])
  advance(59_000)
  expect([plain(), advanced()]).toEqual([1, 1])
})

test('answers may flip back while copies differ', () => {
  const { ask, hand } = lagging({ freshShare: 0.5 })
  const id = hand.addUser()
  const statuses = new Set(Array.from({ length: 40 }, () => ask(`GET /users/${id}`).status))
  expect([...statuses].sort()).toEqual([200, 404])
})

test('held until released', () => {
  const { ask, advance, hand, replication } = asking()
  replication.hold()
  const id = hand.addUser()
  advance(1_000_000)
  expect(ask(`GET /users/${id}`).status).toBe(404)
  replication.release()
  expect(ask(`GET /users/${id}`).status).toBe(200)
})

describe('a copy that has caught up is the primary', () => {
  const acts = fc.array(
    fc.record({
      act: fc.constantFrom('add', 'drop', 'patch', 'delete', 'group', 'wait', 'new', 'lag', 'delay'),
      group: fc.nat(4),
      user: fc.nat(7),
      ms: fc.nat(3_000),
    }),
    { minLength: 20, maxLength: 60, size: 'max' },
  )
  test('after any history, with any lag of single objects', () => {
    fc.assert(
      fc.property(acts, fc.array(fc.nat(5_000), { minLength: 8, maxLength: 8 }), (history, delays) => {
        const clock = steppedClock(0)
        const random = seededRandom(1)
        const store = openStore(clock, random, { lagMs: 1_000, indexLagMs: 0, freshShare: 0 })
        const hand = openHand(store, { id: tenant, displayName: '', domains: [] }, clock, () => uuidFrom(random))
        const users = delays.map((ms) => {
          const id = hand.addUser()
          store.replication.delay(id, ms)
          return id
        })
        const groups = Array.from({ length: 5 }, () => hand.addGroup())
        for (const { act, group, user, ms } of history) {
          const [inGroup = '', member = ''] = [groups[group], users[user]]
          const isThere = store.primary.entries.has(member)
          if (act === 'wait') clock.advance(ms)
          if (act === 'lag') store.replication.set({ lagMs: ms })
          if (act === 'delay') store.replication.delay(member, ms)
          if (act === 'new') hand.addUser({ id: uuidFrom(random) })
          if (act === 'add' && isThere) hand.addMembers(inGroup, [member])
          if (act === 'drop') hand.removeMembers(inGroup, [member])
          if (act === 'patch' && isThere) hand.patchUser(member, { jobTitle: String(ms) })
          if (act === 'delete' && isThere) hand.remove(member)
          if (act === 'group') hand.patchGroup(inGroup, { description: String(ms) })
          store.read(false)
        }
        clock.advance(10_000)
        store.replication.set({ lagMs: 0 })
        const copy = store.lagging()
        const shape = (directory: typeof copy) => ({
          entries: new Map([...directory.entries].sort()),
          deleted: new Map([...directory.deleted].sort()),
          members: new Map([...directory.members].map(([id, list]) => [id, [...after(list, 0)]] as const).sort()),
          users: directory.lists.user.rows.filter((row) => row !== undefined),
        })
        expect(shape(copy)).toEqual(shape(store.primary))
        const replayed = emptyDirectory()
        for (const logged of store.log) apply(replayed, logged)
        expect(shape(replayed)).toEqual(shape(store.primary))
        expect(shape(copyDirectory(store.primary))).toEqual(shape(store.primary))
      }),
    )
  })
})
