/** Groups as «Create group», «Update group», «Delete group» and the group resource page have them. */
import { expect, test } from 'vitest'
import { asking, codeOf, newGroup } from './asking.ts'

test('a created group is as the documented one: the same properties, no more', () => {
  const { ask } = asking()
  const { status, body } = ask('POST /groups', { body: newGroup('lending', { description: 'who lends' }) })
  expect(status).toBe(201)
  expect(body).toMatchObject({
    displayName: 'lending',
    groupTypes: [],
    securityEnabled: true,
    isAssignableToRole: null,
  })
  expect(body).toMatchObject({ onPremisesSyncEnabled: null, membershipRule: null, proxyAddresses: [] })
  expect(ask(`GET /groups/${body.id}`).body).toEqual({ ...body, '@odata.context': body['@odata.context'] })
})

test('the same display name may be given twice', () => {
  const { ask } = asking()
  const statuses = [1, 2].map(() => ask('POST /groups', { body: newGroup('lending') }).status)
  expect(statuses).toEqual([201, 201])
})

test.each(['displayName', 'mailEnabled', 'mailNickname', 'securityEnabled'])(
  'without %s nothing is created',
  (property) => {
    const { ask, inspector } = asking()
    const { [property]: _, ...body }: Record<string, unknown> = newGroup('lending')
    expect(codeOf(ask('POST /groups', { body }))).toBe('400 Request_BadRequest')
    expect(inspector.groups()).toEqual([])
  },
)

test.each([
  ['mail-enabled and not Unified', { mailEnabled: true }],
  ['an unknown kind', { groupTypes: ['Secret'] }],
  ['dynamic without a rule', { groupTypes: ['DynamicMembership'] }],
  ['a rule without being dynamic', { membershipRule: 'true' }],
  ['role-assignable and dynamic', { groupTypes: ['DynamicMembership'], membershipRule: 'x', isAssignableToRole: true }],
  ['role-assignable and not security-enabled', { securityEnabled: false, isAssignableToRole: true }],
  ['an unknown property', { colour: 'red' }],
  ['a wrong type', { securityEnabled: 'yes' }],
])('%s is refused', (_, more) => {
  const { ask, inspector } = asking()
  expect(codeOf(ask('POST /groups', { body: newGroup('lending', more) }))).toBe('400 Request_BadRequest')
  expect(inspector.groups()).toEqual([])
})

test('with members from the start', () => {
  const { ask, hand, ref, inspector } = asking()
  const users = [hand.addUser(), hand.addUser()]
  const made = ask('POST /groups', { body: newGroup('lending', { 'members@odata.bind': users.map(ref) }) })
  expect(made.status).toBe(201)
  expect(inspector.members(made.body.id)).toEqual(users)
})

test('a patch changes what it names; role-assignable stays as it was made', () => {
  const { ask, hand, inspector } = asking()
  const id = hand.addGroup({ displayName: 'old' })
  expect(ask(`PATCH /groups/${id}`, { body: { displayName: 'new' } })).toMatchObject({ status: 204, body: '' })
  expect(inspector.group(id)?.displayName).toBe('new')
  expect(codeOf(ask(`PATCH /groups/${id}`, { body: { isAssignableToRole: true } }))).toBe('400 Request_BadRequest')
  const synced = hand.addGroup({ onPremisesSyncEnabled: true })
  expect(codeOf(ask(`PATCH /groups/${synced}`, { body: { description: 'x' } }))).toBe('400 Request_BadRequest')
})

test('a Microsoft 365 group comes back with its members, a security group never', () => {
  const { ask, hand, inspector } = asking()
  const [security, unified, user] = [
    hand.addGroup(),
    hand.addGroup({ groupTypes: ['Unified'], mailEnabled: true }),
    hand.addUser(),
  ]
  for (const group of [security, unified]) {
    hand.addMembers(group, [user])
    expect(ask(`DELETE /groups/${group}`).status).toBe(204)
  }
  expect(inspector.memberOf(user)).toEqual([])
  expect(ask(`POST /directory/deletedItems/${security}/restore`).status).toBe(404)
  expect(ask(`POST /directory/deletedItems/${unified}/restore`).status).toBe(200)
  expect(inspector.memberOf(user)).toEqual([unified])
})
