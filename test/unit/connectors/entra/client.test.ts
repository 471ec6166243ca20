/** The rules of asking, against a Graph that is a table of answers. */
import { describe, expect, test } from 'vitest'
import { createGraphClient } from '../../../../src/connectors/entra/client.ts'
import { type Failure, failed, ok } from '../../../../src/connectors/entra/errors.ts'
import { createPacing } from '../../../../src/connectors/entra/pacing.ts'
import { membership, membersOf, oneUser } from '../../../../src/connectors/entra/paths.ts'
import type { Answer, Gate, Request } from '../../../../src/connectors/entra/transport.ts'
import { createLocalBudget, createLocalStore } from '../../../../src/connectors/local-budget.ts'
import type { Lane } from '../../../../src/domain/action.ts'

const origin = 'https://graph.example'
const body = (value: unknown): ReturnType<typeof ok<Answer>> =>
  ok({ status: 200, body: value, header: () => null, requestId: 'whole' })
const lost: Failure = { status: null, code: 'ECONNRESET', word: 'connection-lost', sent: true }
const open: Gate = () => true

const graph = (
  answer: (request: Request) => ReturnType<typeof ok<Answer>> | ReturnType<typeof failed>,
  lane: Lane = 'bulk',
) => {
  const asked: Request[] = []
  const client = createGraphClient(
    {
      isOurs: (link) => link.startsWith(`${origin}/`),
      send: async (request) => {
        asked.push(request)
        return answer(request)
      },
    },
    createPacing(
      createLocalBudget(createLocalStore(), lane, () => 0),
      {
        tenantSize: 'large',
        limits: { requestsAtOnce: 8 },
      },
    ),
    { lane, giveWay: async () => {}, now: () => 0 },
    8,
  )
  return { client, asked }
}
const pagesOf = async (answer: Parameters<typeof graph>[0]) => {
  const { client, asked } = graph(answer)
  const items: unknown[] = []
  const read = await client.pages(membersOf('g'), (some) => items.push(...some))
  return { read: read.ok ? 'whole' : read.failure.word, items, asked: asked.length }
}

describe('pages', () => {
  test('every link is followed, an empty page too', async () => {
    const { read, items } = await pagesOf(({ path }) =>
      path.startsWith('/')
        ? body({ value: [1], '@odata.nextLink': `${origin}/2` })
        : path.endsWith('2')
          ? body({ value: [], '@odata.nextLink': `${origin}/3` })
          : body({ value: [3] }),
    )
    expect([read, items]).toEqual(['whole', [1, 3]])
  })

  test('a link that comes again is a failure, not the end and not for ever', async () => {
    const { read, asked } = await pagesOf(() => body({ value: [1], '@odata.nextLink': `${origin}/same` }))
    expect([read, asked]).toEqual(['repeated-link', 2])
  })

  test('a link to another host is not followed: it would be given our token', async () => {
    const { read, asked } = await pagesOf(() => body({ value: [], '@odata.nextLink': 'https://graph.example.evil/2' }))
    expect([read, asked]).toEqual(['foreign-link', 1])
  })

  test('a page that cannot be read, and one that fails in the middle, leave nothing whole', async () => {
    expect((await pagesOf(() => body({ items: [] }))).read).toBe('page-not-legible')
    const broken = await pagesOf(({ path }) =>
      path.startsWith('/')
        ? body({ value: [1], '@odata.nextLink': `${origin}/2` })
        : failed({ ...lost, word: 'timeout' }),
    )
    expect(broken.read).toBe('timeout')
  })
})

describe('asking again', () => {
  test('a read that met a broken connection is asked once more, a change never', async () => {
    const reading = graph(() => failed(lost))
    expect((await reading.client.read(oneUser('u'))).ok).toBe(false)
    expect(reading.asked).toHaveLength(2)
    const writing = graph(() => failed(lost))
    expect((await writing.client.write({ method: 'DELETE', resource: membership('g', 'u') }, open)).ok).toBe(false)
    expect(writing.asked).toHaveLength(1)
  })

  test('the lease is asked by the transport, right before it sends; of reads it is not', async () => {
    const { client, asked } = graph(() => body({}))
    await client.write({ method: 'PATCH', resource: oneUser('u') }, open)
    await client.read(oneUser('u'))
    expect(asked.map(({ gate }) => gate)).toEqual([open, undefined])
  })
})

describe('several in one request', () => {
  const remove = (...ids: readonly string[]) =>
    ids.map((id) => ({ method: 'DELETE', resource: membership('g', id) }) as const)

  test('answers are told apart by id, in any order; one that is missing is unknown', async () => {
    const { client, asked } = graph(() =>
      body({
        responses: [
          { id: '3', status: 404, body: { error: { code: 'Request_ResourceNotFound' } } },
          { id: '1', status: 204, headers: { 'Request-Id': 'own' } },
        ],
      }),
    )
    const answers = await client.writeMany(remove('a', 'b', 'c'), open)
    expect(answers[0]).toMatchObject({ ok: true, value: { requestId: 'own' } })
    expect(answers[1]).toMatchObject({ ok: false, failure: { status: null, sent: true, word: 'part-missing' } })
    expect(answers[2]).toMatchObject({ ok: false, failure: { status: 404 } })
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/$batch' })
    expect(asked[0]?.body).toEqual({
      requests: ['a', 'b', 'c'].map((id, at) => ({
        id: String(at + 1),
        method: 'DELETE',
        url: `/groups/g/members/${id}/$ref`,
      })),
    })
  })

  test('a 429 inside a 200 is heard', async () => {
    const { client } = graph(() =>
      body({
        responses: [
          { id: '1', status: 204 },
          { id: '2', status: 429, headers: { 'Retry-After': '2.5' } },
        ],
      }),
    )
    const answers = await client.writeMany(remove('a', 'b'), open)
    expect(answers[1]).toMatchObject({ ok: false, failure: { word: 'throttled', retryAfterMs: 2_500 } })
    expect(await client.write({ method: 'DELETE', resource: membership('g', 'c') }, open)).toMatchObject({
      ok: false,
      failure: { word: 'throttled', sent: false },
    })
  })
})

test('leavers ask with high priority, reads that may wait with low', async () => {
  for (const [lane, reading, expected] of [
    ['bulk', undefined, 'Normal'],
    ['bulk', { priority: 'Low' }, 'Low'],
    ['leaver', undefined, 'High'],
    ['leaver', { priority: 'Low' }, 'High'],
  ] as const) {
    const { client, asked } = graph(() => body({}), lane)
    await client.read(oneUser('u'), reading)
    expect(asked[0]?.priority).toBe(expected)
  }
})
