/** Users as the API pages «Create User», «Update user», «Delete a user» and «user: revokeSignInSessions» have them. */
import { expect, test } from 'vitest'
import { defaultApp } from '../../../../simulators/graph/graph.ts'
import { asking, codeOf, newUser, startMs } from './asking.ts'

test('a created user answers the default properties only, and is found by id and by name', () => {
  const { ask, inspector } = asking()
  const made = ask('POST /users', { body: newUser('amit', { employeeId: 'P-1', department: 'LENDING' }) })
  expect(made.status).toBe(201)
  expect(Object.keys(made.body).sort()).toEqual(
    [
      '@odata.context',
      'businessPhones',
      'displayName',
      'givenName',
      'id',
      'jobTitle',
      'mail',
      'mobilePhone',
      'officeLocation',
      'preferredLanguage',
      'surname',
      'userPrincipalName',
    ].sort(),
  )
  const selected = ask(`GET /users/AMIT@bank.example?$select=id,employeeId,department,passwordProfile`).body
  expect(selected).toMatchObject({ id: made.body.id, employeeId: 'P-1', department: 'LENDING' })
  expect(selected.passwordProfile).toBeUndefined()
  expect(inspector.user(made.body.id)).not.toHaveProperty('passwordProfile')
  expect(ask(`GET /users/${made.body.id}`).body.displayName).toBe('amit')
})

test.each(['accountEnabled', 'displayName', 'mailNickname', 'userPrincipalName', 'passwordProfile'])(
  'without %s nothing is created',
  (property) => {
    const { ask, inspector } = asking()
    const { [property]: _, ...body }: Record<string, unknown> = newUser('amit')
    expect(codeOf(ask('POST /users', { body }))).toBe('400 Request_BadRequest')
    expect(inspector.users()).toEqual([])
  },
)

test.each([
  ['an unknown property', { shoeSize: 43 }],
  ['a wrong type', { accountEnabled: 'yes' }],
  ['a wrong date', { employeeHireDate: '1 March' }],
  ['a read-only property', { onPremisesSyncEnabled: true }],
  ['a domain of somebody else', { userPrincipalName: 'amit@elsewhere.example' }],
  ['a name without a domain', { userPrincipalName: 'amit' }],
])('%s is refused', (_, more) => {
  const { ask, inspector } = asking()
  expect(codeOf(ask('POST /users', { body: newUser('amit', more) }))).toBe('400 Request_BadRequest')
  expect(inspector.users()).toEqual([])
})

test('a name is taken once, whatever its case', () => {
  const { ask, inspector } = asking()
  ask('POST /users', { body: newUser('amit') })
  const again = ask('POST /users', { body: newUser('AMIT') })
  expect(codeOf(again)).toBe('400 Request_BadRequest')
  expect(again.body.error.message).toBe(
    'Another object with the same value for property userPrincipalName already exists.',
  )
  expect(inspector.users()).toHaveLength(1)
  const other = ask('POST /users', { body: newUser('bea') }).body.id
  expect(codeOf(ask(`PATCH /users/${other}`, { body: { userPrincipalName: 'amit@bank.example' } }))).toBe(
    '400 Request_BadRequest',
  )
})

test('a federated domain wants an immutable id', () => {
  const { ask } = asking({ domains: [{ name: 'bank.example', federated: true }] })
  expect(ask('POST /users', { body: newUser('amit') }).status).toBe(400)
  expect(ask('POST /users', { body: newUser('amit', { onPremisesImmutableId: 'abc' }) }).status).toBe(201)
})

test('a patch changes what it names, answers 204 and nothing', () => {
  const { ask, hand, inspector } = asking()
  const id = hand.addUser({ employeeId: 'P-1' })
  const said = ask(`PATCH /users/${id}`, {
    body: { accountEnabled: false, employeeLeaveDateTime: '2026-12-31T23:00:00Z', jobTitle: null },
  })
  expect(said).toMatchObject({ status: 204, body: '' })
  expect(inspector.user(id)).toMatchObject({
    accountEnabled: false,
    employeeLeaveDateTime: '2026-12-31T23:00:00Z',
    employeeId: 'P-1',
  })
  expect(codeOf(ask(`PATCH /users/${id}`, { body: { accountEnabled: 'no' } }))).toBe('400 Request_BadRequest')
})

test('a changed name is found, and the old one is free', () => {
  const { ask } = asking()
  const { id } = ask('POST /users', { body: newUser('amit') }).body
  expect(ask(`PATCH /users/${id}`, { body: { userPrincipalName: 'amit.r@bank.example' } }).status).toBe(204)
  expect(ask('GET /users/amit@bank.example').status).toBe(404)
  expect(ask("GET /users?$filter=userPrincipalName eq 'amit@bank.example'").body.value).toEqual([])
  expect(ask('GET /users/amit.r@bank.example').body.id).toBe(id)
  expect(ask('POST /users', { body: newUser('amit') }).status).toBe(201)
})

test('a user from on-premises is patched there', () => {
  const { ask, hand, inspector } = asking()
  const id = hand.addUser({ onPremisesSyncEnabled: true })
  const said = ask(`PATCH /users/${id}`, { body: { accountEnabled: false } })
  expect(codeOf(said)).toBe('400 Request_BadRequest')
  expect(said.body.error.message).toContain('on-premises mastered Directory Sync objects')
  expect(inspector.user(id)?.accountEnabled).toBe(true)
})

test('permissions: enabling, the leave date and the rest are three things', () => {
  const only = (...roles: string[]) => ({ ...defaultApp, roles })
  const enable = { body: { accountEnabled: false } }
  const leave = { body: { employeeLeaveDateTime: '2026-12-31T23:00:00Z' } }
  const title = { body: { jobTitle: 'RM' } }
  const statuses = (...roles: string[]) => {
    const { ask, hand } = asking({ apps: [only(...roles)] })
    const id = hand.addUser()
    return [enable, leave, title].map((more) => ask(`PATCH /users/${id}`, more).status)
  }
  expect(statuses('User.ReadWrite.All')).toEqual([204, 403, 204])
  expect(statuses('User.EnableDisableAccount.All')).toEqual([204, 403, 403])
  expect(statuses('User-LifeCycleInfo.ReadWrite.All', 'User.Read.All')).toEqual([403, 204, 403])
  expect(statuses('User.Read.All')).toEqual([403, 403, 403])
})

test('an administrator needs more than a permission', () => {
  const { ask, hand } = asking()
  const id = hand.addUser({}, { privileged: true })
  expect(codeOf(ask(`PATCH /users/${id}`, { body: { accountEnabled: false } }))).toBe('403 Authorization_RequestDenied')
  const trusted = asking({ apps: [{ ...defaultApp, mayWriteAdministrators: true }] })
  const other = trusted.hand.addUser({}, { privileged: true })
  expect(trusted.ask(`PATCH /users/${other}`, { body: { accountEnabled: false } }).status).toBe(204)
})

test('sessions are revoked by a moment', () => {
  const { ask, hand, advance } = asking()
  const id = hand.addUser()
  advance(5_000)
  const said = ask(`POST /users/${id}/revokeSignInSessions`)
  expect(said).toMatchObject({ status: 200, body: { value: true } })
  const read = ask(`GET /users/${id}?$select=signInSessionsValidFromDateTime`).body
  expect(Date.parse(read.signInSessionsValidFromDateTime)).toBe(startMs + 5_000)
})

test('a deleted user can be restored with its groups for 30 days', () => {
  const { ask, hand, inspector, advance } = asking()
  const [id, group] = [hand.addUser(), hand.addGroup()]
  hand.addMembers(group, [id])
  expect(ask(`DELETE /users/${id}`).status).toBe(204)
  expect(codeOf(ask(`GET /users/${id}`))).toBe('404 Request_ResourceNotFound')
  expect(inspector.members(group)).toEqual([])
  expect(ask(`GET /directory/deletedItems/${id}?$select=deletedDateTime`).body.deletedDateTime).toBe(
    '2026-11-20T08:00:00Z',
  )
  expect(ask('GET /directory/deletedItems/microsoft.graph.user').body.value).toHaveLength(1)
  const restored = ask(`POST /directory/deletedItems/${id}/restore`)
  expect(restored).toMatchObject({ status: 200, body: { id, '@odata.type': '#microsoft.graph.user' } })
  expect(inspector.members(group)).toEqual([id])
  ask(`DELETE /users/${id}`)
  advance(30 * 24 * 3_600_000)
  expect(ask(`POST /directory/deletedItems/${id}/restore`).status).toBe(404)
})

test('a restored user whose name was taken meanwhile is refused', () => {
  const { ask, hand } = asking()
  const id = hand.addUser({ userPrincipalName: 'amit@bank.example' })
  ask(`DELETE /users/${id}`)
  ask('POST /users', { body: newUser('amit') })
  expect(ask(`POST /directory/deletedItems/${id}/restore`).status).toBe(400)
})

test('gone for good', () => {
  const { ask, hand } = asking()
  const id = hand.addUser()
  ask(`DELETE /users/${id}`)
  expect(ask(`DELETE /directory/deletedItems/${id}`).status).toBe(204)
  expect(ask(`GET /directory/deletedItems/${id}`).status).toBe(404)
})
