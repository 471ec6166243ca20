/** «Combine multiple HTTP requests using JSON batching». */
import { expect, test } from 'vitest'
import { asking, newUser } from './asking.ts'

type Response = { id: string; status: number; headers: Record<string, string>; body?: { error?: { code: string } } }

const json = { 'Content-Type': 'application/json' }

test('parts answer for themselves under an outer 200', () => {
  const { batch, hand, ref, inspector } = asking()
  const [group, user] = [hand.addGroup(), hand.addUser()]
  const add = { method: 'POST', url: `/groups/${group}/members/$ref`, headers: json, body: { '@odata.id': ref(user) } }
  const said = batch([
    { id: 'a', ...add },
    { id: 'b', ...add },
    { id: 'c', method: 'GET', url: `groups/${group}/members?$select=id` },
    { id: 'd', method: 'GET', url: '/users/nobody@bank.example' },
    { id: 'e', method: 'GET', url: `/groups/${group}/members/$count`, headers: { ConsistencyLevel: 'eventual' } },
  ])
  expect(said.status).toBe(200)
  const responses: Response[] = said.body.responses
  expect(responses.map(({ id, status }) => [id, status])).toEqual([
    ['a', 204],
    ['b', 400],
    ['c', 200],
    ['d', 404],
    ['e', 200],
  ])
  expect(responses[0]?.body).toBeUndefined()
  expect(responses[1]?.body?.error?.code).toBe('Request_BadRequest')
  expect(responses[4]?.body).toBe('1')
  expect(responses[2]?.headers['x-ms-resource-unit']).toBe('2')
  expect(inspector.members(group)).toEqual([user])
  expect(inspector.counts().requests).toBe(5)
})

test('what depends on a failed part fails with 424, and so on down', () => {
  const { batch, inspector } = asking()
  const create = (id: string, name: string, dependsOn: string[]) => ({
    id,
    method: 'POST',
    url: '/users',
    headers: json,
    body: newUser(name),
    dependsOn,
  })
  const said = batch([
    create('1', 'amit', []),
    create('2', 'amit', ['1']),
    create('3', 'bea', ['2']),
    create('4', 'cid', ['3']),
    create('5', 'dev', ['1']),
  ])
  expect(said.body.responses.map(({ status }: Response) => status)).toEqual([201, 400, 424, 424, 201])
  expect(inspector.users().map(({ displayName }) => displayName)).toEqual(['amit', 'dev'])
})

const get = (id: unknown) => ({ id, method: 'GET', url: '/users' })
test.each([
  ['21 parts', Array.from({ length: 21 }, (_, index) => get(String(index)))],
  ['no parts', []],
  ['ids that differ in case only', [get('a'), get('A')]],
  ['an id that is a number', [get(1)]],
  ['a part without a method', [{ id: '1', url: '/users' }]],
  ['an absolute url', [{ id: '1', method: 'GET', url: 'https://graph.microsoft.com/v1.0/users' }]],
  ['a body without Content-Type', [{ id: '1', method: 'POST', url: '/users', body: {} }]],
  ['a dependency that does not come before', [{ ...get('1'), dependsOn: ['2'] }, get('2')]],
])('%s: no batch at all', (_, requests) => {
  const { batch, inspector } = asking()
  const said = batch(requests)
  expect(said.status).toBe(400)
  expect(said.body.error.code).toBe('BadRequest')
  expect(inspector.counts().requests).toBe(0)
})
