/** «Use delta query to track changes» and «Get incremental changes for groups». */
import { describe, expect, test } from 'vitest'
import { type Asking, asking, codeOf } from './asking.ts'

type Link = { id: string; '@removed'?: { reason: string } }
type Item = { id: string; 'members@delta'?: Link[]; '@removed'?: { reason: string } }

/** Follows nextLinks to the deltaLink, as a client must. */
const round = (graph: Asking, first: string) => {
  const pages: Item[][] = []
  for (let next = first; ; ) {
    const { status, body } = graph.ask(`GET ${next}`)
    expect(status).toBe(200)
    expect(['@odata.nextLink', '@odata.deltaLink'].filter((name) => name in body)).toHaveLength(1)
    pages.push(body.value)
    if (body['@odata.deltaLink'] !== undefined)
      return { pages, items: pages.flat(), deltaLink: String(body['@odata.deltaLink']) }
    next = body['@odata.nextLink']
  }
}

/** Membership as a client that merges by key has it. */
const merge = (known: Map<string, Set<string>>, items: readonly Item[]) => {
  for (const { id, 'members@delta': links = [], ...item } of items) {
    if (item['@removed'] !== undefined) {
      known.delete(id)
      continue
    }
    const members = known.get(id) ?? new Set()
    known.set(id, members)
    for (const link of links) {
      if (link['@removed'] === undefined) members.add(link.id)
      else members.delete(link.id)
    }
  }
  return known
}
const truth = ({ inspector }: Asking) =>
  new Map(inspector.groups().map(({ id }) => [id, new Set(inspector.members(id))]))

describe('groups with $select=members', () => {
  const start = '/groups/delta?$select=members'

  test('the first round tells all, in pages that split a group', () => {
    const graph = asking({ delta: { pageObjects: 3, pageMembers: 4 } })
    const users = Array.from({ length: 11 }, () => graph.hand.addUser())
    const groups = Array.from({ length: 5 }, () => graph.hand.addGroup())
    graph.hand.addMembers(groups[1] ?? '', users)
    graph.hand.addMembers(groups[3] ?? '', users.slice(0, 4))
    const { pages, items } = round(graph, start)
    expect(items.filter(({ id }) => id === groups[1])).toHaveLength(3)
    expect(pages.length).toBeGreaterThan(3)
    expect(Object.keys(items[0] ?? {})).toEqual(['id'])
    expect(merge(new Map(), items)).toEqual(truth(graph))
  })

  test('later rounds tell what changed', () => {
    const graph = asking()
    const [one, other, group] = [graph.hand.addUser(), graph.hand.addUser(), graph.hand.addGroup()]
    graph.hand.addGroup()
    graph.hand.addMembers(group, [one])
    const first = round(graph, start)
    expect(round(graph, first.deltaLink).items).toEqual([])
    graph.ask(`POST /groups/${group}/members/$ref`, { body: { '@odata.id': graph.ref(other) } })
    graph.ask(`DELETE /groups/${group}/members/${one}/$ref`)
    graph.ask(`PATCH /groups/${group}`, { body: { description: 'not selected' } })
    expect(round(graph, first.deltaLink).items).toEqual([
      {
        id: group,
        'members@delta': [
          { '@odata.type': '#microsoft.graph.user', id: other },
          { '@odata.type': '#microsoft.graph.user', id: one, '@removed': { reason: 'deleted' } },
        ],
      },
    ])
  })

  test('deleting a user shows as the removal of a member, deleting a group as its own', () => {
    const graph = asking()
    const [user, group, unified] = [
      graph.hand.addUser(),
      graph.hand.addGroup(),
      graph.hand.addGroup({ groupTypes: ['Unified'], mailEnabled: true }),
    ]
    graph.hand.addMembers(group, [user])
    const { deltaLink } = round(graph, start)
    graph.ask(`DELETE /users/${user}`)
    const [item] = round(graph, deltaLink).items
    expect(item).toMatchObject({ id: group, 'members@delta': [{ id: user, '@removed': { reason: 'deleted' } }] })
    graph.ask(`DELETE /groups/${unified}`)
    graph.ask(`DELETE /groups/${group}`)
    const removed = round(graph, deltaLink).items.filter((item) => item['@removed'] !== undefined)
    expect(removed).toHaveLength(2)
    expect(removed).toContainEqual({ id: group, '@removed': { reason: 'deleted' } })
    expect(removed).toContainEqual({ id: unified, '@removed': { reason: 'changed' } })
  })

  test('a client that merges ends with the truth, whatever happens during its rounds', () => {
    const graph = asking({ delta: { pageObjects: 2, pageMembers: 3, replay: 7 } })
    const users = Array.from({ length: 12 }, () => graph.hand.addUser())
    const groups = Array.from({ length: 6 }, () => graph.hand.addGroup())
    for (const group of groups) graph.hand.addMembers(group, users.slice(0, 7))
    const known = new Map<string, Set<string>>()
    let next: string = start
    for (let step = 0, rounds = 0; rounds < 4; step++) {
      const { body } = graph.ask(`GET ${next}`)
      merge(known, body.value)
      // Something happens between any two pages, until the last round.
      if (rounds < 3) {
        const [group = '', user = ''] = [groups[step % 5], users[(step * 5) % 12]]
        if (graph.inspector.isMember(group, user)) graph.hand.removeMembers(group, [user])
        else graph.hand.addMembers(group, [user])
        if (step === 4) graph.hand.remove(groups[5] ?? '')
        if (step === 9) graph.hand.remove(users[11] ?? '')
      }
      next = body['@odata.nextLink'] ?? body['@odata.deltaLink']
      if (body['@odata.deltaLink'] !== undefined) rounds++
    }
    expect(known).toEqual(truth(graph))
  })

  test('changes replay where they are told to', () => {
    const graph = asking({ delta: { replay: 2 } })
    const [user, group] = [graph.hand.addUser(), graph.hand.addGroup()]
    graph.hand.addMembers(group, [user])
    const { deltaLink } = round(graph, start)
    expect(round(graph, deltaLink).items).toMatchObject([{ id: group, 'members@delta': [{ id: user }] }])
  })

  test('up to fifty groups by id, and by nothing else', () => {
    const graph = asking()
    const [one, other] = [graph.hand.addGroup(), graph.hand.addGroup()]
    graph.hand.addGroup()
    const filter = encodeURIComponent(`id eq '${one}' or id eq '${other}'`)
    const { items, deltaLink } = round(graph, `${start}&$filter=${filter}`)
    expect(items.map(({ id }) => id)).toEqual([one, other])
    graph.hand.addGroup()
    graph.hand.addMembers(other, [graph.hand.addUser()])
    expect(round(graph, deltaLink).items.map(({ id }) => id)).toEqual([other])
    const many = Array.from({ length: 51 }, () => `id eq '${one}'`).join(' or ')
    expect(codeOf(graph.ask(`GET ${start}&$filter=${encodeURIComponent(many)}`))).toBe('400 Request_UnsupportedQuery')
    expect(codeOf(graph.ask(`GET ${start}&$filter=displayName eq 'x'`))).toBe('400 Request_UnsupportedQuery')
  })
})

describe('users', () => {
  test('only what is selected counts as a change', () => {
    const graph = asking()
    const id = graph.hand.addUser()
    const { deltaLink } = round(graph, '/users/delta?$select=accountEnabled')
    graph.ask(`PATCH /users/${id}`, { body: { jobTitle: 'RM' } })
    expect(round(graph, deltaLink).items).toEqual([])
    graph.ask(`PATCH /users/${id}`, { body: { accountEnabled: false } })
    expect(round(graph, deltaLink).items).toEqual([{ id, accountEnabled: false }])
  })

  test('a deleted user can come back: «changed»; gone for good: «deleted»', () => {
    const graph = asking()
    const id = graph.hand.addUser()
    const { deltaLink } = round(graph, '/users/delta?$select=id')
    graph.ask(`DELETE /users/${id}`)
    expect(round(graph, deltaLink).items).toEqual([{ id, '@removed': { reason: 'changed' } }])
    graph.ask(`DELETE /directory/deletedItems/${id}`)
    expect(round(graph, deltaLink).items).toEqual([{ id, '@removed': { reason: 'deleted' } }])
  })
})

test('$deltatoken=latest tells nothing and goes on from now', () => {
  const graph = asking()
  graph.hand.addGroup()
  const { items, deltaLink, pages } = round(graph, '/groups/delta?$select=members&$deltatoken=latest')
  expect([items, pages.length]).toEqual([[], 1])
  const group = graph.hand.addGroup()
  expect(round(graph, deltaLink).items.map(({ id }) => id)).toEqual([group])
})

test('after seven days: 410, and where to begin again', () => {
  const graph = asking()
  graph.hand.addGroup()
  const { deltaLink } = round(graph, '/groups/delta?$select=members')
  graph.advance(7 * 24 * 3_600_000)
  expect(graph.ask(`GET ${deltaLink}`).status).toBe(200)
  graph.advance(1_000)
  const said = graph.ask(`GET ${deltaLink}`)
  expect(said.status).toBe(410)
  const { location = '' } = said.headers
  expect(location).toMatch(/\/v1\.0\/groups\/delta\?\$deltatoken=$/)
  expect(round(graph, location).items).toHaveLength(1)
})

test.each([
  ['$top=5', '400 Request_UnsupportedQuery'],
  ['$expand=members', '400 Request_UnsupportedQuery'],
  ['$orderby=displayName', '400 Request_UnsupportedQuery'],
  ['$deltatoken=made-up-by-somebody', '400 Request_BadRequest'],
])('%s is not for delta', (option, expected) => {
  expect(codeOf(asking().ask(`GET /groups/delta?${option}`))).toBe(expected)
})

test('a link of users is none of groups', () => {
  const graph = asking()
  const { deltaLink } = round(graph, '/users/delta?$select=id')
  expect(codeOf(graph.ask(`GET ${deltaLink.replace('/users/', '/groups/')}`))).toBe('400 Request_BadRequest')
})

test('delta tells what the lagging copy has', () => {
  const graph = asking({ replication: { lagMs: 5_000 } })
  const group = graph.hand.addGroup()
  graph.advance(5_000)
  const { deltaLink } = round(graph, '/groups/delta?$select=members')
  const user = graph.hand.addUser()
  graph.hand.addMembers(group, [user])
  expect(round(graph, deltaLink).items).toEqual([])
  graph.advance(5_000)
  expect(round(graph, deltaLink).items).toMatchObject([{ id: group, 'members@delta': [{ id: user }] }])
})
