/** Membership as «Add members», «Remove member», «List group members» and the errors its users recorded have it. */
import { describe, expect, test } from 'vitest'
import { defaultApp } from '../../../../simulators/graph/graph.ts'
import { asking, codeOf, newGroup } from './asking.ts'

const withUsers = (count: number) => {
  const graph = asking()
  const group = graph.hand.addGroup()
  const users = Array.from({ length: count }, () => graph.hand.addUser())
  return { ...graph, group, users }
}

describe('one at a time', () => {
  test('added, listed, removed', () => {
    const { ask, ref, group, users, inspector } = withUsers(2)
    const [one = '', other = ''] = users
    for (const id of users)
      expect(ask(`POST /groups/${group}/members/$ref`, { body: { '@odata.id': ref(id) } }).status).toBe(204)
    expect(ask(`GET /groups/${group}/members?$select=id`).body.value).toEqual(
      users.map((id) => ({ '@odata.type': '#microsoft.graph.user', id })),
    )
    expect(ask(`DELETE /groups/${group}/members/${one}/$ref`).status).toBe(204)
    expect(inspector.members(group)).toEqual([other])
    expect(inspector.user(one)).toBeDefined()
  })

  test('already a member: 400 with the recorded words', () => {
    const { ask, ref, group, users, hand } = withUsers(1)
    hand.addMembers(group, users)
    const said = ask(`POST /groups/${group}/members/$ref`, { body: { '@odata.id': ref(users[0] ?? '') } })
    expect(codeOf(said)).toBe('400 Request_BadRequest')
    expect(said.body.error.message).toBe(
      "One or more added object references already exist for the following modified properties: 'members'.",
    )
  })

  test('the 404 of a missing member and of a missing group are the same, and name the group', () => {
    const { ask, ref, group, users } = withUsers(1)
    const [user = ''] = users
    const nobody = '00000000-0000-4000-8000-000000000000'
    const texts = [
      ask(`DELETE /groups/${group}/members/${user}/$ref`),
      ask(`POST /groups/${group}/members/$ref`, { body: { '@odata.id': ref(nobody) } }),
    ].map((said) => {
      expect(codeOf(said)).toBe('404 Request_ResourceNotFound')
      return said.body.error.message
    })
    const expected = `Resource '${group}' does not exist or one of its queried reference-property objects are not present.`
    expect(texts).toEqual([expected, expected])
    expect(ask(`DELETE /groups/${nobody}/members/${user}/$ref`).body.error.message).toBe(
      expected.replace(group, nobody),
    )
  })

  test('without /$ref it is the user who is deleted', () => {
    const { ask, group, users, hand, inspector } = withUsers(1)
    const [user = ''] = users
    hand.addMembers(group, users)
    expect(ask(`DELETE /groups/${group}/members/${user}`).status).toBe(204)
    expect(inspector.user(user)).toBeUndefined()
    expect(inspector.deleted()).toHaveLength(1)
  })

  test('… but not by an application that may write members only', () => {
    const { ask, hand, inspector } = asking({ apps: [{ ...defaultApp, roles: ['GroupMember.ReadWrite.All'] }] })
    const [group, user] = [hand.addGroup(), hand.addUser()]
    hand.addMembers(group, [user])
    expect(codeOf(ask(`DELETE /groups/${group}/members/${user}`))).toBe('403 Authorization_RequestDenied')
    expect(inspector.members(group)).toEqual([user])
    expect(ask(`DELETE /groups/${group}/members/${user}/$ref`).status).toBe(204)
  })

  test.each([
    'https://graph.microsoft.com/v1.0/directoryObjects/',
    'directoryObjects/',
    'https://127.0.0.1:8443/v1.0/devices/',
  ])('a reference by %s is none of this service', (prefix) => {
    const { ask, group, users, inspector } = withUsers(1)
    const said = ask(`POST /groups/${group}/members/$ref`, { body: { '@odata.id': `${prefix}${users[0]}` } })
    expect(codeOf(said)).toBe('400 Request_BadRequest')
    expect(inspector.members(group)).toEqual([])
  })
})

describe('many at once', () => {
  const bind = (ref: (id: string) => string, ids: readonly string[]) => ({
    body: { 'members@odata.bind': ids.map(ref) },
  })

  test('twenty', () => {
    const { ask, ref, group, users, inspector } = withUsers(21)
    expect(ask(`PATCH /groups/${group}`, bind(ref, users.slice(0, 20))).status).toBe(204)
    expect(inspector.members(group)).toEqual(users.slice(0, 20))
  })

  test('more than twenty: none', () => {
    const { ask, ref, group, users, inspector } = withUsers(21)
    expect(ask(`PATCH /groups/${group}`, bind(ref, users)).status).toBe(400)
    expect(inspector.members(group)).toEqual([])
  })

  test('one that is there already: none', () => {
    const { ask, ref, group, users, hand, inspector } = withUsers(3)
    hand.addMembers(group, users.slice(2))
    expect(codeOf(ask(`PATCH /groups/${group}`, bind(ref, users)))).toBe('400 Request_BadRequest')
    expect(inspector.members(group)).toEqual(users.slice(2))
  })

  test('one that does not exist: none', () => {
    const { ask, ref, group, users, inspector } = withUsers(3)
    const ids = [...users, '00000000-0000-4000-8000-000000000000']
    expect(codeOf(ask(`PATCH /groups/${group}`, bind(ref, ids)))).toBe('404 Request_ResourceNotFound')
    expect(inspector.members(group)).toEqual([])
  })

  test('a property beside them: all or nothing, too', () => {
    const { ask, ref, group, users, hand, inspector } = withUsers(1)
    hand.addMembers(group, users)
    const { body } = bind(ref, users)
    expect(ask(`PATCH /groups/${group}`, { body: { ...body, description: 'new' } }).status).toBe(400)
    expect(inspector.group(group)?.description).toBeUndefined()
  })
})

describe('groups that Graph does not let be written', () => {
  const dynamic = { groupTypes: ['DynamicMembership'], membershipRule: 'user.department -eq "X"' }
  test.each([
    ['dynamic', dynamic, '400 Request_BadRequest'],
    ['synced', { onPremisesSyncEnabled: true }, '400 Request_BadRequest'],
    ['mail-enabled security', { mailEnabled: true }, '400 Request_BadRequest'],
    ['distribution', { mailEnabled: true, securityEnabled: false }, '400 Request_BadRequest'],
  ])('%s', (_, properties, expected) => {
    const { ask, ref, hand, inspector } = asking()
    const [group, member, other] = [hand.addGroup(properties), hand.addUser(), hand.addUser()]
    hand.addMembers(group, [member])
    expect(codeOf(ask(`POST /groups/${group}/members/$ref`, { body: { '@odata.id': ref(other) } }))).toBe(expected)
    expect(codeOf(ask(`PATCH /groups/${group}`, { body: { 'members@odata.bind': [ref(other)] } }))).toBe(expected)
    expect(codeOf(ask(`DELETE /groups/${group}/members/${member}/$ref`))).toBe(expected)
    expect(inspector.members(group)).toEqual([member])
  })

  test('role-assignable: with RoleManagement.ReadWrite.Directory only', () => {
    const roles = ['Group.ReadWrite.All', 'GroupMember.ReadWrite.All']
    const poor = asking({ apps: [{ ...defaultApp, roles }] })
    const group = poor.hand.addGroup({ isAssignableToRole: true })
    const user = poor.hand.addUser()
    const body = { '@odata.id': poor.ref(user) }
    expect(codeOf(poor.ask(`POST /groups/${group}/members/$ref`, { body }))).toBe('403 Authorization_RequestDenied')
    expect(codeOf(poor.ask('POST /groups', { body: newGroup('admins', { isAssignableToRole: true }) }))).toBe(
      '403 Authorization_RequestDenied',
    )
    const rich = asking()
    const other = rich.hand.addGroup({ isAssignableToRole: true })
    const theirs = { body: { '@odata.id': rich.ref(rich.hand.addUser()) } }
    expect(rich.ask(`POST /groups/${other}/members/$ref`, theirs).status).toBe(204)
  })
})

describe('groups in groups', () => {
  test('transitive membership, a cycle included', () => {
    const { ask, hand } = asking()
    const [inner, middle, outer, user] = [hand.addGroup(), hand.addGroup(), hand.addGroup(), hand.addUser()]
    hand.addMembers(inner, [user])
    hand.addMembers(middle, [inner])
    hand.addMembers(outer, [middle])
    hand.addMembers(inner, [outer])
    const ids = (said: { body: { value: { id: string }[] } }) => said.body.value.map(({ id }) => id)
    expect(ids(ask(`GET /users/${user}/memberOf`))).toEqual([inner])
    expect(ids(ask(`GET /users/${user}/transitiveMemberOf`)).sort()).toEqual([inner, middle, outer].sort())
    expect(ids(ask(`GET /groups/${outer}/transitiveMembers/microsoft.graph.user`))).toEqual([user])
    const groupIds = [outer, middle, '00000000-0000-4000-8000-000000000000']
    expect(ask(`POST /users/${user}/checkMemberGroups`, { body: { groupIds } }).body.value).toEqual([outer, middle])
    const many = Array.from({ length: 21 }, () => outer)
    expect(ask(`POST /users/${user}/checkMemberGroups`, { body: { groupIds: many } }).status).toBe(400)
  })

  test('no group takes itself, no Microsoft 365 group takes a group', () => {
    const { ask, ref, hand } = asking()
    const [group, unified] = [hand.addGroup(), hand.addGroup({ groupTypes: ['Unified'], mailEnabled: true })]
    const add = (to: string, id: string) =>
      ask(`POST /groups/${to}/members/$ref`, { body: { '@odata.id': ref(id) } }).status
    expect([add(group, group), add(unified, group), add(group, unified)]).toEqual([400, 400, 400])
  })
})

describe('pages', () => {
  test('a hundred unless asked for more, at most 999', () => {
    const { ask, all, group, users, hand } = withUsers(1_005)
    hand.addMembers(group, users)
    const first = ask(`GET /groups/${group}/members?$select=id`)
    expect(first.body.value).toHaveLength(100)
    expect(first.body['@odata.nextLink']).toMatch(/\$select=id.*\$skiptoken=/)
    expect(all(`/groups/${group}/members?$select=id`).map(({ id }) => id)).toEqual(users)
    expect(ask(`GET /groups/${group}/members?$top=999`).body.value).toHaveLength(999)
    expect(codeOf(ask(`GET /groups/${group}/members?$top=1000`))).toBe('400 Request_UnsupportedQuery')
  })

  test('exactly one page has no next one', () => {
    const { ask, group, users, hand } = withUsers(100)
    hand.addMembers(group, users)
    expect(ask(`GET /groups/${group}/members`).body['@odata.nextLink']).toBeUndefined()
  })

  test('whoever stays is listed once, whatever comes and goes meanwhile', () => {
    const { ask, all, group, users, hand } = withUsers(400)
    hand.addMembers(group, users.slice(0, 300))
    const first = ask(`GET /groups/${group}/members?$select=id`)
    hand.removeMembers(
      group,
      users.slice(0, 250).filter((_, index) => index % 2 === 0),
    )
    hand.addMembers(group, users.slice(300))
    const rest = all(first.body['@odata.nextLink'])
    const seen = [...first.body.value, ...rest].map(({ id }) => id)
    expect(new Set(seen).size).toBe(seen.length)
    const stayed = users.filter((_, index) => index >= 250 || index % 2 === 1)
    expect(stayed.filter((id) => !seen.includes(id))).toEqual([])
  })

  test('a token belongs to its list, and is not to be made up', () => {
    const { ask, group, users, hand } = withUsers(101)
    const other = hand.addGroup()
    for (const one of [group, other]) hand.addMembers(one, users)
    const token = /skiptoken=(.*)$/.exec(ask(`GET /groups/${group}/members`).body['@odata.nextLink'])?.[1] ?? ''
    expect(ask(`GET /groups/${other}/members?$skiptoken=${token}`).status).toBe(400)
    expect(ask(`GET /groups/${group}/members?$skiptoken=X${token.slice(1)}`).status).toBe(400)
  })

  test('users and groups are mixed; a cast takes one kind, and has pages too', () => {
    const { ask, all, hand, users, group } = withUsers(150)
    const inner = hand.addGroup()
    hand.addMembers(group, [inner, ...users])
    const kinds = ask(`GET /groups/${group}/members?$select=id`).body.value.map(
      (item: { '@odata.type': string }) => item['@odata.type'],
    )
    expect(kinds.slice(0, 2)).toEqual(['#microsoft.graph.group', '#microsoft.graph.user'])
    expect(all(`/groups/${group}/members/microsoft.graph.user?$select=id`)).toEqual(users.map((id) => ({ id })))
    expect(all(`/groups/${group}/members/microsoft.graph.group?$select=id`)).toEqual([{ id: inner }])
    expect(ask(`GET /groups/${group}/members/microsoft.graph.spaceship`).status).toBe(400)
  })

  test('$count wants ConsistencyLevel: eventual', () => {
    const { ask, group, users, hand } = withUsers(3)
    hand.addMembers(group, users)
    const eventual = { headers: { consistencylevel: 'eventual' } }
    expect(ask(`GET /groups/${group}/members/$count`).status).toBe(400)
    expect(ask(`GET /groups/${group}/members/$count`, eventual)).toMatchObject({ status: 200, body: '3' })
    expect(ask(`GET /groups/${group}/members?$count=true&$top=1`, eventual).body['@odata.count']).toBe(3)
    expect(ask(`GET /groups/${group}/members?$count=true&$top=1`).body['@odata.count']).toBeUndefined()
  })
})
