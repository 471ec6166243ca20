/** The schema that both sides are held to: read from Microsoft's metadata, and it bites. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Group, User } from '@microsoft/microsoft-graph-types'
import { describe, expect, test } from 'vitest'
import { requestViolations, violationsOf } from '../../../../simulators/graph/schema/conformance.ts'
import { readCsdl } from '../../../../simulators/graph/schema/csdl.ts'
import { jsonSchemaOf } from '../../../../simulators/graph/schema/json-schema.ts'
import { graphSchema, violationOf } from '../../../../simulators/graph/schema/schema.ts'
import type { Exchange } from '../../../../simulators/graph/service.ts'
import { checkout } from '../../house/tool.ts'

const definitions = graphSchema.definitions

test('it is what the generator makes of the metadata', () => {
  // A cut of the same shape, so that the generator is held to something where the metadata is not at hand.
  const csdl = `<Schema Namespace="microsoft.graph">
    <EntityType Name="entity" Abstract="true"><Property Name="id" Type="Edm.String" Nullable="false" /></EntityType>
    <EntityType Name="user" BaseType="graph.entity" OpenType="true">
      <Property Name="accountEnabled" Type="Edm.Boolean" />
      <Property Name="businessPhones" Type="Collection(Edm.String)" Nullable="false" />
      <Property Name="hireDate" Type="Edm.DateTimeOffset" Nullable="false" />
      <NavigationProperty Name="memberOf" Type="Collection(graph.entity)" />
      <NavigationProperty Name="drive" Type="graph.drive" />
    </EntityType>
    <EnumType Name="dayOfWeek"><Member Name="sunday" Value="0" /><Member Name="monday" Value="1" /></EnumType>
    <Action Name="check" IsBound="true">
      <Parameter Name="bindingParameter" Type="graph.user" /><Parameter Name="ids" Type="Collection(Edm.String)" />
    </Action>
  </Schema>`
  const small = jsonSchemaOf(readCsdl(csdl)).definitions as Readonly<Record<string, { properties?: object }>>
  expect(Object.keys(small)).toEqual(['entity', 'user', 'dayOfWeek', 'user.check'])
  expect(small.user?.properties).toMatchObject({
    id: { type: 'string' },
    accountEnabled: { type: ['boolean', 'null'] },
    businessPhones: { type: 'array', items: { type: 'string' } },
    hireDate: { type: 'string' },
    memberOf: { type: 'array' },
    'memberOf@odata.bind': { maxItems: 20 },
  })
  expect(small.user?.properties).not.toHaveProperty('drive')
  expect(small.dayOfWeek).toEqual({ enum: ['sunday', 'monday'] })
  expect(small['user.check']?.properties).toEqual({ ids: { type: 'array', items: { type: 'string' } } })
  // And to the real one where that is.
  const file = join(checkout, '../shared/data/graph/v1.0-users-groups.csdl')
  if (existsSync(file)) expect(jsonSchemaOf(readCsdl(readFileSync(file, 'utf8')))).toEqual(graphSchema)
})

test('it is the v1.0 metadata: so many properties of user and group', () => {
  const properties = (name: string) =>
    Object.keys(definitions[name]?.properties ?? {}).filter((property) => !property.includes('@'))
  expect(properties('user')).toEqual(
    expect.arrayContaining(['employeeLeaveDateTime', 'signInSessionsValidFromDateTime']),
  )
  expect(properties('user').length).toBeGreaterThan(79)
  expect(properties('group').length).toBeGreaterThan(51)
  expect(definitions['directoryObject.checkMemberGroups']).toBeDefined()
})

const user = { id: '1', accountEnabled: true, businessPhones: [] } satisfies User
const group = { id: '1', groupTypes: [], securityEnabled: true } satisfies Group
const link = { '@odata.type': '#microsoft.graph.user', id: '1' }

test.each([
  ['user', user],
  ['user', { ...user, accountEnabled: null, employeeHireDate: '2026-03-01T00:00:00Z' }],
  ['user', { ...user, extension_0123456789abcdef0123456789abcdef_badge: 'x' }],
  ['group', { ...group, 'members@delta': [link, { ...link, '@removed': { reason: 'deleted' } }] }],
  ['users', { '@odata.context': 'x', value: [user] }],
  ['batch', { requests: [{ id: '1', method: 'GET', url: '/users?$top=1' }] }],
  ['batchResponse', { responses: [{ id: '1', status: 204, headers: { 'Cache-Control': 'no-cache' } }] }],
  ['directoryObjects', { value: [link, { ...group, '@odata.type': '#microsoft.graph.group' }] }],
])('%s, as it should be', (definition, value) => {
  expect(violationOf(definition, value)).toBeNull()
})

test.each([
  ['user', { ...user, shoeSize: 43 }, 'shoeSize'],
  ['user', { ...user, AccountEnabled: true }, 'AccountEnabled'],
  ['user', { ...user, accountEnabled: 'true' }, 'accountEnabled'],
  ['user', { ...user, businessPhones: null }, 'businessPhones'],
  ['user', { ...user, businessPhones: [1] }, 'businessPhones'],
  ['user', { ...user, employeeHireDate: '2026-03-01' }, 'employeeHireDate'],
  ['user', { ...user, passwordProfile: { secret: 'x' } }, 'secret'],
  ['user', { ...user, groupTypes: [] }, 'groupTypes'],
  ['user', { ...user, members: [] }, 'members'],
  ['group', { ...group, 'members@odata.bind': Array(21).fill('x') }, 'bind'],
  ['group', { ...group, 'members@delta': [{ ...link, '@removed': {} }] }, 'removed'],
  ['users', { value: [user], next: 'x' }, 'next'],
  ['users', { values: [user] }, 'value'],
  ['users', { value: [{ ...user, shoeSize: 43 }] }, 'shoeSize'],
  ['directoryObjects', { value: [user] }, 'value'],
  ['directoryObjects', { value: [{ ...link, groupTypes: [] }] }, 'value'],
  ['error', { error: { code: 'x', message: 'y' } }, 'innerError'],
  [
    'error',
    { error: { code: 'x', message: 'y', innerError: { date: '2026-03-01T00:00:00Z', 'request-id': 'z' } } },
    'date',
  ],
  ['directoryObject.checkMemberGroups', { groupIds: 'x' }, 'groupIds'],
  ['directoryObject.getByIds', { id: ['x'] }, 'id'],
  ['batch', { requests: [{ id: '1', method: 'GET', url: 'https://graph.microsoft.com/v1.0/users' }] }, 'url'],
  ['batch', { requests: [{ id: 1, method: 'GET', url: '/users' }] }, 'id'],
  ['batch', { requests: [{ id: '1', method: 'POST', url: '/users', body: {} }] }, 'headers'],
  ['batch', { requests: Array(21).fill({ id: '1', method: 'GET', url: '/users' }) }, 'requests'],
  ['batchResponse', { responses: [{ id: '1', status: '200' }] }, 'status'],
])('%s with %j is caught', (definition, value, at) => {
  expect(violationOf(definition, value)?.text).toContain(at)
})

describe('an exchange that is not as Microsoft has it is told', () => {
  const good: Exchange = {
    operation: 'createUser',
    method: 'POST',
    address: '/v1.0/users',
    request: JSON.stringify({ displayName: 'x' }),
    status: 201,
    contentType: 'application/json',
    response: JSON.stringify(user),
  }
  test('the good one passes', () => {
    expect(violationsOf(good)).toEqual([])
  })
  test.each([
    ['a request', { request: JSON.stringify({ displayname: 'x' }) }],
    ['a response', { response: JSON.stringify({ ...user, shoeSize: 43 }) }],
    ['an error body', { status: 400, response: JSON.stringify({ error: 'x' }) }],
    ['a 204 with a body', { status: 204 }],
    ['an operation without a shape', { operation: 'surprise' }],
    ['a mixed list without types', { operation: 'listMembers', response: JSON.stringify({ value: [user] }) }],
    [
      'a cast list of the wrong kind',
      {
        operation: 'listMembers',
        address: '/v1.0/groups/1/members/microsoft.graph.user?$top=1',
        response: JSON.stringify({ value: [group] }),
      },
    ],
  ])('%s', (_, change) => {
    expect(violationsOf({ ...good, ...change })).toHaveLength(1)
  })

  test('of a refused one the request is told only where a client is held to it', () => {
    const innerError = { date: '2026-03-01T00:00:00', 'request-id': 'z' }
    const refused = {
      ...good,
      request: JSON.stringify({ displayname: 'x' }),
      status: 400,
      response: JSON.stringify({ error: { code: 'Request_BadRequest', message: 'no', innerError } }),
    }
    expect(violationsOf(refused)).toEqual([])
    expect(requestViolations(refused)).toHaveLength(1)
    expect(requestViolations({ ...good, status: 400 })).toEqual([])
    expect(requestViolations({ ...good, operation: 'unknown', status: 400 })).toHaveLength(1)
  })
})
