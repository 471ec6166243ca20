/** «Identity and access service limits»: buckets, costs, headers, priorities. */
import { describe, expect, test } from 'vitest'
import type { Limits } from '../../../../simulators/graph/throttle.ts'
import { asking, codeOf, newUser, type Said } from './asking.ts'

/** 10 units, one a second; 4 writes, one in 10 s. */
const small: Limits = {
  units: { capacity: 10, perMs: 1 / 1_000 },
  writes: { capacity: 4, perMs: 1 / 10_000 },
  retryAfter: 'whole',
}
const high = { headers: { 'x-ms-throttle-priority': 'High' } }
const low = { headers: { 'x-ms-throttle-priority': 'low' } }

describe('costs', () => {
  const { ask, hand } = asking({ limits: null })
  const [user, group] = [hand.addUser(), hand.addGroup()]
  test.each([
    ['GET /users', 2],
    ['GET /users?$select=id', 1],
    ['GET /users?$select=id&$top=5', 1],
    ['GET /users?$top=5', 1],
    ['GET /users?$top=20', 2],
    ['GET /users/{user}', 1],
    ['GET /users/{user}/memberOf', 2],
    ['GET /users/{user}/transitiveMemberOf', 2],
    ['GET /groups', 1],
    ['GET /groups/{group}', 1],
    ['GET /groups/{group}/members', 3],
    ['GET /groups/{group}/members?$select=id', 2],
    ['GET /groups/{group}/members?$select=id&$top=5', 1],
    ['GET /groups/{group}/transitiveMembers', 5],
    ['GET /groups?$expand=members', 2],
  ])('%s: %i', (line, units) => {
    const said = ask(line.replace('{user}', user).replace('{group}', group))
    expect(said.headers['x-ms-resource-unit']).toBe(String(units))
  })
  test('getByIds: 3, getMemberGroups: 2', () => {
    const unitsOf = (said: Said) => said.headers['x-ms-resource-unit']
    expect(unitsOf(ask('POST /directoryObjects/getByIds', { body: { ids: [user] } }))).toBe('3')
    expect(unitsOf(ask(`POST /users/${user}/getMemberGroups`, { body: { securityEnabledOnly: false } }))).toBe('2')
  })
})

test('reads run out of units, and come back with time', () => {
  const { ask, advance, inspector } = asking({ limits: small })
  for (let read = 0; read < 5; read++) expect(ask('GET /users').status).toBe(200)
  const refused = ask('GET /users')
  expect(codeOf(refused)).toBe('429 TooManyRequests')
  expect(refused.headers).toMatchObject({
    'retry-after': '2',
    'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
    'x-ms-throttle-limit-percentage': '1.2',
  })
  expect(refused.headers['x-ms-throttle-scope']).toMatch(
    /^Tenant_Application\/ReadWrite\/[0-9a-f-]{36}\/[0-9a-f-]{36}$/,
  )
  expect(inspector.counts()).toMatchObject({ throttled: 1, units: 12 })
  advance(4_000) // it waited 2 s for its 2 units, and the refused request's own
  expect(ask('GET /users').status).toBe(200)
})

test('asking again at once makes the wait longer', () => {
  const { ask } = asking({ limits: small })
  for (let read = 0; read < 5; read++) ask('GET /users')
  const waits = [1, 2, 3].map(() => Number(ask('GET /users').headers['retry-after']))
  expect(waits).toEqual([2, 4, 6])
})

test('writes have a quota of their own, and reads go on', () => {
  const { ask, advance } = asking({ limits: small })
  const id = ask('POST /users', { body: newUser('amit') }).body.id
  for (let write = 0; write < 3; write++)
    expect(ask(`PATCH /users/${id}`, { body: { jobTitle: 'RM' } }).status).toBe(204)
  advance(6_000)
  const refused = ask(`PATCH /users/${id}`, { body: { jobTitle: 'changed' } })
  expect(refused.status).toBe(429)
  expect(refused.headers).toMatchObject({ 'x-ms-throttle-information': 'WriteLimitExceeded', 'retry-after': '4' })
  expect(refused.headers['x-ms-throttle-scope']).toContain('/Write/')
  expect(ask(`GET /users/${id}?$select=jobTitle`).body.jobTitle).toBe('RM')
})

test('the percentage is told above 0.8 only', () => {
  const { ask } = asking({ limits: small })
  const shares = Array.from({ length: 5 }, () => ask('GET /users').headers['x-ms-throttle-limit-percentage'])
  expect(shares).toEqual([undefined, undefined, undefined, undefined, '1'])
})

test('low priority is throttled first, high last', () => {
  const { ask } = asking({ limits: small })
  for (let read = 0; read < 4; read++) ask('GET /users')
  expect(ask('GET /users', low).status).toBe(429)
  const { ask: again } = asking({ limits: small })
  for (let read = 0; read < 5; read++) again('GET /users')
  expect(again('GET /users', high).status).toBe(200)
  expect(again('GET /users').status).toBe(429)
})

test('applications do not share a bucket', () => {
  const roles = ['User.Read.All']
  const apps = ['one', 'other'].map((clientId) => ({ clientId, roles, secrets: [clientId] }))
  const { ask, token } = asking({ limits: small, apps })
  const [one, other] = apps.map((app) => token(app))
  for (let read = 0; read < 6; read++) ask('GET /users', { token: one ?? '' })
  expect(ask('GET /users', { token: one ?? '' }).status).toBe(429)
  expect(ask('GET /users', { token: other ?? '' }).status).toBe(200)
})

test('Retry-After may have decimals, or not be there', () => {
  const refused = (retryAfter: Limits['retryAfter']) => {
    const { ask, advance } = asking({ limits: { ...small, retryAfter } })
    for (let read = 0; read < 5; read++) ask('GET /users')
    advance(872)
    return ask('GET /users').headers['retry-after']
  }
  expect([refused('fractional'), refused('whole'), refused(null)]).toEqual(['1.128', '2', undefined])
})

test('each part of a batch is throttled alone', () => {
  const { batch, hand } = asking({ limits: small })
  const id = hand.addUser()
  const requests = Array.from({ length: 12 }, (_, index) => ({ id: String(index), method: 'GET', url: `/users/${id}` }))
  const said = batch(requests)
  expect(said.status).toBe(200)
  const statuses = said.body.responses.map(({ status }: { status: number }) => status)
  expect(statuses).toEqual([...Array(10).fill(200), 429, 429])
  expect(said.body.responses[10].headers['Retry-After']).toBe('1')
})
