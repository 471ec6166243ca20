/** $filter, $select, $top, $count as the query pages have them. */
import { describe, expect, test } from 'vitest'
import { asking, codeOf, newGroup } from './asking.ts'

const people = () => {
  const graph = asking()
  const add = (name: string, employeeId: string, department: string) =>
    graph.hand.addUser({
      displayName: name,
      userPrincipalName: `${name}@bank.example`,
      mail: `${name}@mail.example`,
      employeeId,
      department,
      accountEnabled: name !== 'cid',
    })
  const [amit, bea, cid] = [add('amit', 'P-1', 'LENDING'), add("o'bea", 'P-2', 'RISK'), add('cid', 'P-3', 'RISK')]
  const find = (filter: string, headers: Readonly<Record<string, string>> = {}, more = '') => {
    const said = graph.ask(`GET /users?$select=id&$filter=${encodeURIComponent(filter)}${more}`, { headers })
    return said.status === 200 ? said.body.value.map(({ id }: { id: string }) => id) : codeOf(said)
  }
  return { ...graph, amit, bea, cid, find }
}
const eventual = { consistencylevel: 'eventual' }

test.each([
  ["employeeId eq 'P-1'", ['amit']],
  ["employeeId eq 'p-1'", ['amit']],
  ["userPrincipalName eq 'AMIT@bank.example'", ['amit']],
  ["mail eq 'cid@mail.example'", ['cid']],
  ["displayName eq 'o''bea'", ['bea']],
  ["employeeId in ('P-1','P-3','P-9')", ['amit', 'cid']],
  ["employeeId eq 'P-3' or employeeId eq 'P-2'", ['bea', 'cid']],
  ["department eq 'RISK' and accountEnabled eq true", ['bea']],
  ["(employeeId eq 'P-1' or employeeId eq 'P-2') and department eq 'RISK'", ['bea']],
  ["startswith(displayName,'AM')", ['amit']],
  ["employeeId eq 'P-4'", []],
  ['employeeId eq null', []],
  ["employeeId ge 'P-2'", ['bea', 'cid']],
] as const)('%s', (filter, names) => {
  const graph = people()
  expect(graph.find(filter)).toEqual(names.map((name) => graph[name]))
})

describe('advanced queries', () => {
  test.each([
    "employeeId ne 'P-1'",
    "not(employeeId eq 'P-1')",
    "endswith(mail,'@mail.example')",
    "officeLocation eq 'x'",
  ])('%s', (filter) => {
    const { find } = people()
    expect(find(filter)).toBe('400 Request_UnsupportedQuery')
    expect(find(filter, eventual)).toBe('400 Request_UnsupportedQuery')
    expect(find(filter, {}, '&$count=true')).toBe('400 Request_UnsupportedQuery')
    expect(Array.isArray(find(filter, eventual, '&$count=true'))).toBe(true)
  })
})

test('fifteen alternatives and no more', () => {
  const { find, amit } = people()
  const many = (count: number) => Array.from({ length: count }, (_, index) => `'P-${index + 1}'`)
  expect(find(`employeeId in (${many(15).join(',')})`)).toContain(amit)
  expect(find(`employeeId in (${many(16).join(',')})`)).toBe('400 Request_UnsupportedQuery')
  const alternatives = (count: number) => many(count).map((id) => `employeeId eq ${id}`)
  expect(find(alternatives(15).join(' or '))).toContain(amit)
  expect(find(alternatives(16).join(' or '))).toBe('400 Request_UnsupportedQuery')
})

test.each([
  ["shoeSize eq 'x'", '400 Request_UnsupportedQuery'],
  ["employeeId eq 'P-1", '400 BadRequest'],
  ["employeeId equals 'P-1'", '400 BadRequest'],
  ['employeeId eq', '400 BadRequest'],
  ["employeeId eq 'P-1' and", '400 BadRequest'],
  ["(employeeId eq 'P-1'", '400 BadRequest'],
  ["contains(displayName,'a')", '400 BadRequest'],
])('%s is refused', (filter, expected) => {
  expect(people().find(filter)).toBe(expected)
})

test('a value that was not encoded is cut at & and #, and a + is a space', () => {
  const { ask, hand } = asking()
  const id = hand.addGroup({ displayName: 'R&D #1' })
  hand.addUser({ userPrincipalName: 'a+b@bank.example' })
  expect(codeOf(ask("GET /groups?$filter=displayName eq 'R&D #1'"))).toBe('400 BadRequest')
  expect(ask(`GET /groups?$select=id&$filter=${encodeURIComponent("displayName eq 'R&D #1'")}`).body.value).toEqual([
    { id },
  ])
  expect(ask("GET /users?$filter=userPrincipalName eq 'a+b@bank.example'").body.value).toEqual([])
  expect(ask("GET /users?$filter=userPrincipalName eq 'a%2Bb@bank.example'").body.value).toHaveLength(1)
})

test('groups by name, nickname, kind', () => {
  const { ask } = asking()
  const id = ask('POST /groups', { body: newGroup('lending') }).body.id
  ask('POST /groups', {
    body: newGroup('team', { groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false }),
  })
  const find = (filter: string) =>
    ask(`GET /groups?$select=displayName&$filter=${encodeURIComponent(filter)}`).body.value.map(
      ({ displayName }: { displayName: string }) => displayName,
    )
  expect(find("displayName eq 'lending'")).toEqual(['lending'])
  expect(find("mailNickname eq 'lending'")).toEqual(['lending'])
  expect(find("startswith(displayName,'te')")).toEqual(['team'])
  expect(find("groupTypes/any(c:c eq 'Unified')")).toEqual(['team'])
  expect(find(`id eq '${id}'`)).toEqual(['lending'])
})

describe('$select', () => {
  test('shows what is asked for and nothing else', () => {
    const { ask, amit } = people()
    expect(ask(`GET /users/${amit}?$select=employeeId`).body).toEqual({
      '@odata.context': 'https://127.0.0.1:8443/v1.0/$metadata#users(employeeId)/$entity',
      employeeId: 'P-1',
    })
  })
  test('of what does not exist is refused', () => {
    const { ask, amit } = people()
    expect(codeOf(ask(`GET /users/${amit}?$select=id,shoeSize`))).toBe('400 BadRequest')
    expect(codeOf(ask('GET /users?$select=groupTypes'))).toBe('400 BadRequest')
  })
  test('of what is kept elsewhere: «not yet supported», as documented', () => {
    const said = people().ask('GET /users?$select=skills')
    expect(codeOf(said)).toBe('501 NotImplemented')
    expect(said.body.error.message).toBe('This operation target is not yet supported.')
  })
})

test.each([
  ['GET /users?$top=0', '400 Request_UnsupportedQuery'],
  ['GET /users?$top=x', '400 BadRequest'],
  ['GET /users?$top=1&$top=2', '400 BadRequest'],
  ['GET /users?$skip=1', '400 BadRequest'],
  ['GET /users?$orderby=displayName', '400 Request_UnsupportedQuery'],
  ['GET /users?$expand=manager', '501 NotImplemented'],
  ['GET /spaceships', '400 BadRequest'],
  ['PUT /users', '405 Request_BadRequest'],
  ['PATCH /users', '405 Request_BadRequest'],
])('%s', (line, expected) => {
  expect(codeOf(asking().ask(line))).toBe(expected)
})

test('a body that is no JSON, or does not say so, is refused', () => {
  const { ask, hand, service, token } = asking()
  const id = hand.addUser()
  expect(codeOf(ask(`PATCH /users/${id}`, { body: {}, headers: { 'content-type': 'text/plain' } }))).toBe(
    '400 BadRequest',
  )
  const reply = service.handle({
    method: 'PATCH',
    address: `/v1.0/users/${id}`,
    headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/json' },
    body: '{',
    origin: 'https://127.0.0.1:8443',
    part: null,
  })
  expect(reply.status).toBe(400)
})

test('getByIds leaves out what is not there', () => {
  const { ask, hand } = asking()
  const [user, group] = [hand.addUser(), hand.addGroup()]
  const ids = [user, group, '00000000-0000-4000-8000-000000000000']
  expect(ask('POST /directoryObjects/getByIds?$select=id', { body: { ids } }).body.value).toEqual([
    { '@odata.type': '#microsoft.graph.user', id: user },
    { '@odata.type': '#microsoft.graph.group', id: group },
  ])
  expect(ask('POST /directoryObjects/getByIds', { body: { ids, types: ['group'] } }).body.value).toHaveLength(1)
  expect(
    ask('POST /directoryObjects/getByIds', { body: { ids: Array.from({ length: 1_001 }, () => user) } }).status,
  ).toBe(400)
})
