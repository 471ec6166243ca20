/** Trouble on order: what reaches the wire, and what was done or not done before it. */
import { describe, expect, test } from 'vitest'
import type { Effect, Fault } from '../../../simulators/graph/faults.ts'
import type { GraphSimulatorOptions } from '../../../simulators/graph/simulator.ts'
import { clientOf, scope, secretCredential, started } from './started.ts'

const world = async (options: GraphSimulatorOptions = {}) => {
  const simulator = await started(options)
  const { token } = await secretCredential(simulator).getToken(scope)
  const [group, user] = [simulator.hand.addGroup(), simulator.hand.addUser()]
  const send = (method: string, path: string, body?: unknown, signal?: AbortSignal) =>
    fetch(`${simulator.url}/v1.0${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
  const add = (signal?: AbortSignal) =>
    send(
      'POST',
      `/groups/${group}/members/$ref`,
      { '@odata.id': `${simulator.url}/v1.0/directoryObjects/${user}` },
      signal,
    )
  return { ...simulator, group, user, send, add, token }
}

const adding = (phase: Fault['phase'], effect: Effect): Fault => ({ operation: 'addMember', phase, effect })

describe.each(['before', 'after'] as const)('%s the change', (phase) => {
  const isDone = phase === 'after'

  test('the connection is dropped', async () => {
    const { add, faults, inspector, group, user } = await world()
    faults.plan(adding(phase, { kind: 'drop' }))
    await expect(add()).rejects.toThrow('fetch failed')
    expect(inspector.isMember(group, user)).toBe(isDone)
    expect(faults.waiting()).toEqual([])
    expect((await add()).status).toBe(isDone ? 400 : 204)
  })

  test('no answer comes', async () => {
    const { add, send, faults, inspector, group, user } = await world()
    faults.plan(adding(phase, { kind: 'silence' }))
    const controller = new AbortController()
    const answer = add(controller.signal)
    await expect.poll(() => inspector.counts().byOperation.addMember).toBe(1)
    // Another request, sent later on another connection, is answered: this one was not.
    await Promise.race([answer, send('GET', '/users')]).then((first) => expect(first.url).toMatch(/\/users$/))
    controller.abort()
    await expect(answer).rejects.toThrow(/abort/i)
    expect(inspector.isMember(group, user)).toBe(isDone)
  })

  test.each([500, 502, 503, 504])('%i as HTML, without Retry-After', async (status) => {
    const { add, faults, inspector, group, user } = await world()
    faults.plan(adding(phase, { kind: 'status', status }))
    const response = await add()
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('text/html')
    expect(response.headers.get('retry-after')).toBeNull()
    expect(await response.text()).toContain('<html>')
    expect(inspector.isMember(group, user)).toBe(isDone)
  })
})

test('a storm of 429 by number, then quiet', async () => {
  const { send, faults, inspector } = await world()
  faults.plan({ operation: '*', phase: 'before', effect: { kind: 'throttle', retryAfter: '2.128' }, nth: 2, times: 3 })
  const answers: Response[] = []
  for (let turn = 0; turn < 5; turn++) answers.push(await send('GET', '/users'))
  expect(answers.map(({ status }) => status)).toEqual([200, 429, 429, 429, 200])
  expect(answers[1]?.headers.get('retry-after')).toBe('2.128')
  expect(inspector.counts().throttled).toBe(3)
})

test('a fault by key hits that object only', async () => {
  const { send, faults, user, hand } = await world()
  const other = hand.addUser()
  faults.plan({ operation: 'getUser', key: user, phase: 'before', effect: { kind: 'status', status: 503 } })
  expect((await send('GET', `/users/${other}`)).status).toBe(200)
  expect((await send('GET', `/users/${user}`)).status).toBe(503)
  expect((await send('GET', `/users/${user}`)).status).toBe(200)
})

test('half an answer, then nothing', async () => {
  const { send, faults } = await world()
  faults.plan({ operation: 'listUsers', phase: 'after', effect: { kind: 'cut-body' } })
  const response = await send('GET', '/users')
  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow()
})

test('a page that leads to itself, and one without items that goes on', async () => {
  const { send, faults, group, hand } = await world()
  hand.addMembers(
    group,
    Array.from({ length: 150 }, () => hand.addUser()),
  )
  const read = async (address: string) => {
    const response = await send('GET', address)
    return (await response.json()) as { '@odata.nextLink'?: string; value: unknown[] }
  }
  faults.plan({ operation: 'listMembers', phase: 'after', effect: { kind: 'repeat-next-link' } })
  const address = `/groups/${group}/members?$select=id`
  expect((await read(address))['@odata.nextLink']).toMatch(new RegExp(`/groups/${group}/members\\?\\$select=id$`))
  faults.plan({ operation: 'listMembers', phase: 'after', effect: { kind: 'empty-page' } })
  const empty = await read(address)
  expect(empty.value).toEqual([])
  expect(empty['@odata.nextLink']).toBeDefined()
  expect((await read(address)).value).toHaveLength(100)
})

test('a token that ends in the middle of a run: the official client gets a new one by its credential', async () => {
  const simulator = await started()
  const graph = clientOf(simulator)
  await graph.api('/users').get()
  simulator.faults.plan({ operation: 'listUsers', phase: 'before', effect: { kind: 'expire-token' } })
  await expect(graph.api('/users').get()).rejects.toMatchObject({ statusCode: 401 })
  // What was given out before stays void.
  await expect(graph.api('/users').get()).rejects.toMatchObject({ statusCode: 401 })
  expect(await clientOf(simulator).api('/users').get()).toMatchObject({ value: [] })
})

test('the token endpoint can fail, too', async () => {
  const simulator = await started()
  simulator.faults.plan({ operation: 'token', phase: 'before', effect: { kind: 'status', status: 503 }, times: 9 })
  await expect(secretCredential(simulator).getToken(scope)).rejects.toThrow()
  simulator.faults.clear()
  expect((await secretCredential(simulator).getToken(scope)).token).not.toBe('')
})

test('a part of a batch fails alone; a dropped part takes the answer of all with it', async () => {
  const { send, faults, group, user, url, inspector } = await world()
  const requests = [
    { id: '1', method: 'GET', url: '/users' },
    {
      id: '2',
      method: 'POST',
      url: `/groups/${group}/members/$ref`,
      headers: { 'Content-Type': 'application/json' },
      body: { '@odata.id': `${url}/v1.0/directoryObjects/${user}` },
    },
  ]
  faults.plan({ operation: 'listUsers', phase: 'before', effect: { kind: 'throttle' } })
  const body = (await (await send('POST', '/$batch', { requests })).json()) as { responses: { status: number }[] }
  expect(body.responses.map(({ status }) => status)).toEqual([429, 204])
  faults.plan({ operation: 'batch', phase: 'after', effect: { kind: 'drop' } })
  const [, second] = requests
  const removal = { ...second, method: 'DELETE', url: `/groups/${group}/members/${user}/$ref`, body: undefined }
  await expect(send('POST', '/$batch', { requests: [removal] })).rejects.toThrow('fetch failed')
  expect(inspector.isMember(group, user)).toBe(false)
})

test('chaos of one seed is the same chaos again', async () => {
  const effects = [{ phase: 'before', effect: { kind: 'status', status: 503 } }] as const
  const run = async (seed: number) => {
    const { send, faults } = await world({ seed: 1 })
    faults.chaos({ seed, share: 0.3, operations: ['listUsers'], effects })
    const statuses: number[] = []
    for (let turn = 0; turn < 30; turn++) statuses.push((await send('GET', '/users')).status)
    return statuses
  }
  const [one, again, other] = [await run(1), await run(1), await run(2)]
  expect(again).toEqual(one)
  expect(other).not.toEqual(one)
  expect(one.filter((status) => status === 503).length).toBeGreaterThan(2)
  expect(one.filter((status) => status === 200).length).toBeGreaterThan(10)
})
