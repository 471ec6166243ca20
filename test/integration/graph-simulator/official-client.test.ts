/** The journeys of Muster through Microsoft's own client: what it makes of the simulator, it would make of Graph. */
import { GraphError, PageIterator } from '@microsoft/microsoft-graph-client'
import type { Group, User } from '@microsoft/microsoft-graph-types'
import { expect, test } from 'vitest'
import { clientOf, noRetries, started } from './started.ts'

const newUser = (name: string): User => ({
  accountEnabled: true,
  displayName: name,
  mailNickname: name,
  userPrincipalName: `${name}@bank.example`,
  passwordProfile: { password: 'Correct-horse-9' },
})

test('a joiner, a mover and a leaver', async () => {
  const simulator = await started()
  const { inspector } = simulator
  const graph = clientOf(simulator)
  const user: User = await graph.api('/users').post(newUser('amit'))
  const group: Group = await graph
    .api('/groups')
    .post({ displayName: 'R&D #1', mailEnabled: false, mailNickname: 'rd', securityEnabled: true } satisfies Group)
  const [id = '', groupId = ''] = [user.id, group.id]
  await graph
    .api(`/groups/${groupId}/members/$ref`)
    .post({ '@odata.id': `${simulator.url}/v1.0/directoryObjects/${id}` })
  const found = await graph
    .api('/groups')
    .filter(`displayName eq '${encodeURIComponent('R&D #1')}'`)
    .select('id')
    .get()
  expect(found.value).toEqual([{ id: groupId }])
  expect((await graph.api(`/users/${id}/memberOf`).select('id').get()).value).toMatchObject([{ id: groupId }])
  await graph.api(`/users/${id}`).patch({ accountEnabled: false } satisfies User)
  expect(await graph.api(`/users/${id}/revokeSignInSessions`).post({})).toMatchObject({ value: true })
  await graph.api(`/groups/${groupId}/members/${id}/$ref`).delete()
  expect(inspector.members(groupId)).toEqual([])
  expect(inspector.user(id)).toMatchObject({ accountEnabled: false })
  await graph.api(`/users/${id}`).delete()
  await graph.api(`/directory/deletedItems/${id}/restore`).post({})
  expect(inspector.user(id)?.userPrincipalName).toBe('amit@bank.example')
})

test('its page iterator reads every member of a large group', async () => {
  const simulator = await started()
  const group = simulator.hand.addGroup()
  const users = Array.from({ length: 2_500 }, () => simulator.hand.addUser())
  simulator.hand.addMembers(group, users)
  const graph = clientOf(simulator)
  const first = await graph.api(`/groups/${group}/members`).select('id').top(999).get()
  const seen: string[] = []
  await new PageIterator(graph, first, ({ id }: { id: string }) => {
    seen.push(id)
    return true
  }).iterate()
  expect(seen).toEqual(users)
  expect(simulator.inspector.counts().byOperation.listMembers).toBe(3)
})

test('its page iterator follows a delta to its link', async () => {
  const simulator = await started({ delta: { pageObjects: 2, pageMembers: 3 } })
  const users = Array.from({ length: 8 }, () => simulator.hand.addUser())
  const group = simulator.hand.addGroup()
  simulator.hand.addMembers(group, users)
  const graph = clientOf(simulator)
  const rounds = async (address: string) => {
    const members: string[] = []
    const iterator = new PageIterator(
      graph,
      await graph.api(address).get(),
      (item: { 'members@delta'?: { id: string }[] }) => {
        members.push(...(item['members@delta'] ?? []).map(({ id }) => id))
        return true
      },
    )
    await iterator.iterate()
    return { members, deltaLink: iterator.getDeltaLink() ?? '' }
  }
  const first = await rounds('/groups/delta?$select=members')
  expect(first.members).toEqual(users)
  const late = simulator.hand.addUser()
  simulator.hand.addMembers(group, [late])
  expect((await rounds(first.deltaLink)).members).toEqual([late])
})

test('an error arrives as its GraphError, with ids and code', async () => {
  const simulator = await started()
  const graph = clientOf(simulator)
  const error: unknown = await graph
    .api('/users/nobody@bank.example')
    .header('client-request-id', 'ours')
    .get()
    .catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(GraphError)
  if (!(error instanceof GraphError)) return
  expect(error).toMatchObject({ statusCode: 404, code: 'Request_ResourceNotFound' })
  expect(error.requestId).toBe(error.headers?.get('request-id'))
  expect(JSON.parse(String(error.body)).innerError['client-request-id']).toBe('ours')
})

test('its own retry waits as long as Retry-After says', async () => {
  const simulator = await started()
  simulator.faults.plan({
    operation: 'listUsers',
    phase: 'before',
    effect: { kind: 'throttle', retryAfter: '0.1' },
    times: 2,
  })
  const graph = clientOf(simulator)
  expect(await graph.api('/users').get()).toMatchObject({ value: [] })
  expect(simulator.inspector.counts()).toMatchObject({ throttled: 2, byOperation: { listUsers: 3 } })
})

test('with its retries off, a 429 is an error with Retry-After', async () => {
  const simulator = await started({
    limits: { units: { capacity: 2, perMs: 0.0001 }, writes: { capacity: 1, perMs: 1 }, retryAfter: 'whole' },
  })
  const graph = clientOf(simulator)
  await graph.api('/users').middlewareOptions([noRetries]).get()
  const error: unknown = await graph
    .api('/users')
    .middlewareOptions([noRetries])
    .get()
    .catch((caught: unknown) => caught)
  expect(error).toMatchObject({ statusCode: 429, code: 'TooManyRequests' })
  if (error instanceof GraphError) expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(1)
})

test('a host that the client does not know gets no token, and the simulator says so', async () => {
  const simulator = await started()
  const graph = clientOf({ ...simulator, host: 'elsewhere.example' })
  await expect(graph.api('/users').get()).rejects.toMatchObject({ statusCode: 401, code: 'InvalidAuthenticationToken' })
})
