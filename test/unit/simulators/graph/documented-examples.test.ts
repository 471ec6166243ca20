/**
 * What Microsoft's documentation shows, asked of the simulator: the same status, the same context, at least the same
 * properties. documented.json holds the requests and the shapes of their answers, from the pages, by way of
 * waldekmastykarz/graph-mocks (MIT). Where that collection is at hand, documented.json itself is held to it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkout } from '../../house/tool.ts'
import { asking, newGroup } from './asking.ts'

type Documented = {
  readonly line: string
  readonly status: number
  /** After `$metadata#`; null: the page leaves it out. */
  readonly context: string | null
  /** Properties of the object, or of the first one of a list. */
  readonly keys: readonly string[]
  /** Answered as text/plain. */
  readonly text: boolean
}
const { documented, notServed }: { documented: readonly Documented[]; notServed: Readonly<Record<string, string>> } =
  JSON.parse(readFileSync(new URL('documented.json', import.meta.url), 'utf8'))

/** An address of another storage beside the answer; and a property that «Get group» does not show. */
const leftOut = new Set(['@odata.id', 'organizationId'])

const tenant = () => {
  const graph = asking()
  const { hand } = graph
  const user = hand.addUser({ displayName: 'Adele Vance', mail: 'x#EXT#@contoso.com' })
  const [group, outer, gone] = [
    hand.addGroup({ displayName: 'AAD Contoso Users', membershipRuleProcessingState: 'On' }),
    hand.addGroup(),
    hand.addGroup({ groupTypes: ['Unified'], mailEnabled: true }),
  ]
  hand.patchUser(user, { userPrincipalName: 'adele#EXT#@contoso.com' })
  hand.addMembers(outer, [group])
  hand.addMembers(group, [user, hand.addGroup({ displayName: 'a group' })])
  hand.remove(gone)
  return { ...graph, user, group, outer, gone }
}
type Tenant = ReturnType<typeof tenant>

/** The documented request, with our objects in the place of theirs. */
const ours = ({ line }: Documented, { user, group, gone }: Tenant) =>
  line
    .replace(/\/deletedItems\/(?!microsoft)[^/?]+/, `/deletedItems/${gone}`)
    .replace(/\/groups\/(?!delta|\$)[^/?]+/, `/groups/${group}`)
    .replace(/\/users\/(?!delta|\$)[^/?]+/, `/users/${user}`)
    .replace(/\/directoryObjects\/(?!getByIds)[^/?]+/, `/directoryObjects/${user}`)
    .replace(/\/members\/\{[^/]+/, `/members/${user}`)

const bodyOf = ({ line }: Documented, { ref, hand, group, outer, user }: Tenant): unknown => {
  if (line.endsWith('/members/$ref')) return { '@odata.id': ref(hand.addUser()) }
  if (line.endsWith('/checkMemberGroups')) return { groupIds: [group, outer] }
  if (line.endsWith('/getMemberGroups')) return { securityEnabledOnly: false }
  if (line.endsWith('/getByIds')) return { ids: [user, group], types: ['user', 'group', 'device'] }
  if (line === 'POST /groups') return newGroup('library', { groupTypes: ['Unified'], mailEnabled: true })
  return line.startsWith('PATCH /groups') ? { description: 'new' } : undefined
}

test.each(documented)('$line', (example) => {
  const world = tenant()
  const body = bodyOf(example, world)
  const said = world.ask(ours(example, world), {
    ...(body === undefined ? {} : { body }),
    headers: example.line.includes('$count') ? { consistencylevel: 'eventual' } : {},
  })
  expect(said.status).toBe(example.status)
  if (example.text) expect(said).toMatchObject({ body: expect.stringMatching(/^\d+$/) })
  if (example.status === 204) expect(said.body).toBe('')
  if (example.context !== null) expect(said.body['@odata.context'].split('$metadata#')[1]).toBe(example.context)
  if (example.keys.length === 0) return
  const list: readonly object[] = Array.isArray(said.body.value) ? said.body.value : [said.body]
  expect(list.length).toBeGreaterThan(0)
  const shown = new Set(list.flatMap((item) => Object.keys(item)))
  expect(example.keys.filter((key) => !leftOut.has(key) && !shown.has(key))).toEqual([])
})

test('enough of it is served that this says something', () => {
  expect(documented.length).toBeGreaterThan(30)
  for (const operation of ['members/$ref', 'memberOf', 'groups/delta', 'restore', 'getByIds', 'PATCH /groups'])
    expect(documented.some(({ line }) => line.includes(operation))).toBe(true)
})

describe('what we wrote down is what the collection has', () => {
  type Example = {
    readonly request: { readonly url: string; readonly exampleUrl?: string; readonly method: string }
    readonly response: { readonly statusCode: number; readonly body?: unknown }
  }
  const file = join(checkout, '../shared/data/graph/documented-examples.json')
  const examples: readonly Example[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
  const lineOf = ({ request }: Example) =>
    `${request.method} ${(request.exampleUrl ?? request.url).replace('https://graph.microsoft.com/v1.0', '')}`
  /** Some bodies stand there as text with commas too many. */
  const read = (body: unknown): unknown => {
    if (typeof body !== 'string' || !body.trimStart().startsWith('{')) return body
    return JSON.parse(body.replace(/,(\s*[}\]])/g, '$1'))
  }

  test('every example is served, or told not to be; each with its status, context and properties', () => {
    const byLine = new Map(documented.map((one) => [one.line, one]))
    for (const example of examples) {
      const line = lineOf(example)
      const mine = byLine.get(line)
      if (mine === undefined) {
        expect(Object.keys(notServed)).toContain(line)
        continue
      }
      const body = read(example.response.body) as Readonly<Record<string, unknown>> | string | undefined
      const context = typeof body === 'object' ? body['@odata.context'] : undefined
      const first = typeof body === 'object' && Array.isArray(body.value) ? body.value[0] : body
      expect([line, mine.status, mine.context]).toEqual([
        line,
        example.response.statusCode,
        typeof context === 'string' ? context.split('$metadata#')[1] : null,
      ])
      const keys = typeof first === 'object' ? Object.keys(first).filter((key) => key !== '@odata.context') : []
      expect([line, mine.keys]).toEqual([line, keys])
    }
  })
  test('nothing is both', () => {
    expect(documented.filter(({ line }) => line in notServed)).toEqual([])
  })
})
