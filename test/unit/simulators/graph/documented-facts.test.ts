/**
 * What Microsoft says, page by page, and that the simulator does it. `page` is where it is said: learn.microsoft.com/graph
 * + the path, or the issue in which somebody recorded what the service really answered.
 */
import { expect, test } from 'vitest'
import { defaultApp } from '../../../../simulators/graph/graph.ts'
import { type Asking, asking, codeOf, newGroup, newUser } from './asking.ts'

type Fact = {
  readonly fact: string
  readonly page: string
  readonly shows: (graph: Asking) => unknown
  readonly is: unknown
}

const nobody = '00000000-0000-4000-8000-000000000000'
const pair = (graph: Asking, properties = {}) => {
  const [group, user] = [graph.hand.addGroup(properties), graph.hand.addUser()]
  const path = `/groups/${group}/members`
  const reference = { body: { '@odata.id': graph.ref(user) } }
  return { group, user, path, reference }
}
const member = (graph: Asking, properties = {}) => {
  const made = pair(graph, properties)
  graph.hand.addMembers(made.group, [made.user])
  return made
}

const facts: readonly Fact[] = [
  {
    fact: 'adding a member answers 204 and no body',
    page: '/api/group-post-members',
    shows: (graph) => {
      const { path, reference } = pair(graph)
      const { status, body } = graph.ask(`POST ${path}/$ref`, reference)
      return [status, body]
    },
    is: [204, ''],
  },
  {
    fact: 'adding one who is a member already is a 400',
    page: '/api/group-post-members',
    shows: (graph) => {
      const { path, reference } = member(graph)
      return codeOf(graph.ask(`POST ${path}/$ref`, reference))
    },
    is: '400 Request_BadRequest',
  },
  {
    fact: '… in words that its users have recorded',
    page: 'https://github.com/pnp/pnpframework/issues/139',
    shows: (graph) => {
      const { path, reference } = member(graph)
      return graph.ask(`POST ${path}/$ref`, reference).body.error.message
    },
    is: "One or more added object references already exist for the following modified properties: 'members'.",
  },
  {
    fact: 'adding somebody who does not exist is a 404',
    page: '/api/group-post-members',
    shows: (graph) => {
      const { path } = pair(graph)
      return graph.ask(`POST ${path}/$ref`, { body: { '@odata.id': graph.ref(nobody) } }).status
    },
    is: 404,
  },
  {
    fact: 'up to 20 members in one PATCH; with an error in the body none is added',
    page: '/api/group-post-members',
    shows: (graph) => {
      const { group } = member(graph)
      const many = Array.from({ length: 20 }, () => graph.ref(graph.hand.addUser()))
      const patch = (bound: readonly string[]) => [
        graph.ask(`PATCH /groups/${group}`, { body: { 'members@odata.bind': bound } }).status,
        graph.inspector.members(group).length,
      ]
      return [patch([...many.slice(1), graph.ref(nobody)]), patch([...many, graph.ref(nobody)]), patch(many)]
    },
    is: [
      [404, 1],
      [400, 1],
      [204, 21],
    ],
  },
  {
    fact: 'removing a member answers 204 and leaves the user alone',
    page: '/api/group-delete-members',
    shows: (graph) => {
      const { path, user } = member(graph)
      return [graph.ask(`DELETE ${path}/${user}/$ref`).status, graph.ask(`GET /users/${user}`).status]
    },
    is: [204, 200],
  },
  {
    fact: 'without /$ref the object itself is deleted, if the application may',
    page: '/api/group-delete-members',
    shows: (graph) => {
      const { path, user } = member(graph)
      return [graph.ask(`DELETE ${path}/${user}`).status, graph.ask(`GET /users/${user}`).status]
    },
    is: [204, 404],
  },
  {
    fact: 'removing one who is no member is a 404 that names the group',
    page: 'https://github.com/microsoftgraph/microsoft-graph-docs/issues/18714',
    shows: (graph) => {
      const { path, user, group } = pair(graph)
      const { message } = graph.ask(`DELETE ${path}/${user}/$ref`).body.error
      return message.includes(`'${group}' does not exist or one of its queried reference-property objects`)
    },
    is: true,
  },
  {
    fact: 'a list of members has 100 on a page',
    page: '/api/group-list-members',
    shows: (graph) => {
      const { path, group } = pair(graph)
      graph.hand.addMembers(
        group,
        Array.from({ length: 101 }, () => graph.hand.addUser()),
      )
      const { body } = graph.ask(`GET ${path}`)
      return [body.value.length, '@odata.nextLink' in body]
    },
    is: [100, true],
  },
  {
    fact: 'and at most 999',
    page: '/api/group-list-members',
    shows: (graph) => [999, 1000].map((top) => graph.ask(`GET ${pair(graph).path}?$top=${top}`).status),
    is: [200, 400],
  },
  {
    fact: 'a member that comes from a rule cannot be removed',
    page: '/api/group-delete-members',
    shows: (graph) => {
      const { path, user } = member(graph, { groupTypes: ['DynamicMembership'], membershipRule: 'true' })
      return graph.ask(`DELETE ${path}/${user}/$ref`).status
    },
    is: 400,
  },
  {
    fact: 'isAssignableToRole is set at creation and never again',
    page: '/api/resources/group',
    shows: (graph) => graph.ask(`PATCH /groups/${pair(graph).group}`, { body: { isAssignableToRole: true } }).status,
    is: 400,
  },
  {
    fact: 'a user is created with its required properties, 201',
    page: '/api/user-post-users',
    shows: (graph) => graph.ask('POST /users', { body: newUser('amit') }).status,
    is: 201,
  },
  {
    fact: 'updating a user answers 204 and no body',
    page: '/api/user-update',
    shows: (graph) => {
      const { status, body } = graph.ask(`PATCH /users/${graph.hand.addUser()}`, { body: { jobTitle: 'RM' } })
      return [status, body]
    },
    is: [204, ''],
  },
  {
    fact: 'what is mastered on-premises is not updated',
    page: '/api/user-update',
    shows: (graph) => {
      const id = graph.hand.addUser({ onPremisesSyncEnabled: true })
      return codeOf(graph.ask(`PATCH /users/${id}`, { body: { displayName: 'x' } }))
    },
    is: '400 Request_BadRequest',
  },
  {
    fact: 'revoking sessions answers 200 and true',
    page: '/api/user-revokesigninsessions',
    shows: (graph) => {
      const { status, body } = graph.ask(`POST /users/${graph.hand.addUser()}/revokeSignInSessions`)
      return [status, body.value]
    },
    is: [200, true],
  },
  {
    fact: 'a deleted user is kept for 30 days and can be restored',
    page: '/api/directory-deleteditems-restore',
    shows: (graph) => {
      const id = graph.hand.addUser()
      graph.ask(`DELETE /users/${id}`)
      graph.advance(29 * 24 * 3_600_000)
      return [graph.ask(`GET /users/${id}`).status, graph.ask(`POST /directory/deletedItems/${id}/restore`).status]
    },
    is: [404, 200],
  },
  {
    fact: 'security groups are not restored',
    page: '/api/directory-deleteditems-restore',
    shows: (graph) => {
      const { group } = pair(graph)
      graph.ask(`DELETE /groups/${group}`)
      return graph.ask(`POST /directory/deletedItems/${group}/restore`).status
    },
    is: 404,
  },
  {
    fact: 'without the permission: 403 Authorization_RequestDenied',
    page: '/resolve-auth-errors',
    shows: (graph) => {
      const poor = asking({ apps: [{ ...defaultApp, roles: ['User.Read.All'] }] })
      return [codeOf(poor.ask('POST /users', { body: newUser('amit') })), codeOf(graph.ask('GET /users'))]
    },
    is: ['403 Authorization_RequestDenied', '200 undefined'],
  },
  {
    fact: 'an error has code, message, and an inner error with ids and date',
    page: '/errors',
    shows: ({ ask }) => {
      const { headers, body } = ask('GET /users/nobody@bank.example', { headers: { 'client-request-id': 'ours' } })
      return [
        Object.keys(body.error),
        body.error.innerError['client-request-id'],
        body.error.innerError['request-id'] === headers['request-id'],
      ]
    },
    is: [['code', 'message', 'innerError'], 'ours', true],
  },
  {
    fact: 'checkMemberGroups is transitive and takes 20 groups',
    page: '/api/directoryobject-checkmembergroups',
    shows: (graph) => {
      const { group, user } = member(graph)
      const outer = graph.hand.addGroup()
      graph.hand.addMembers(outer, [group])
      return [20, 21].map((count) => {
        const groupIds = Array.from({ length: count }, () => outer)
        const { status, body } = graph.ask(`POST /users/${user}/checkMemberGroups`, { body: { groupIds } })
        return status === 200 ? body.value.includes(outer) : status
      })
    },
    is: [true, 400],
  },
  {
    fact: 'advanced operators want ConsistencyLevel: eventual and $count=true',
    page: '/aad-advanced-queries',
    shows: ({ ask }) => {
      const eventual = { headers: { consistencylevel: 'eventual' } }
      const line = "GET /users?$filter=employeeId ne 'x'"
      return [ask(line).status, ask(line, eventual).status, ask(`${line}&$count=true`, eventual).status]
    },
    is: [400, 400, 200],
  },
  {
    fact: 'in takes 15 values',
    page: '/filter-query-parameter',
    shows: ({ ask }) =>
      [15, 16].map((count) => {
        const values = Array.from({ length: count }, (_, index) => `'${index}'`)
        return ask(`GET /users?$filter=employeeId in (${values.join(',')})`).status
      }),
    is: [200, 400],
  },
  {
    fact: 'a delta round ends with a deltaLink, and $deltatoken=latest begins with one',
    page: '/delta-query-overview',
    shows: ({ ask, hand }) => {
      hand.addGroup()
      const { body } = ask('GET /groups/delta?$deltatoken=latest')
      return [body.value, '@odata.deltaLink' in body, '@odata.nextLink' in body]
    },
    is: [[], true, false],
  },
  {
    fact: 'delta takes no $top, $expand, $orderby, and filters by id only',
    page: '/delta-query-overview',
    shows: ({ ask }) =>
      ['$top=1', '$expand=members', '$orderby=id', "$filter=displayName eq 'x'", `$filter=id eq '${nobody}'`].map(
        (option) => ask(`GET /groups/delta?${option}`).status,
      ),
    is: [400, 400, 400, 400, 200],
  },
  {
    fact: 'a delta token of a directory object lives seven days; then 410 and a Location with an empty token',
    page: '/delta-query-overview',
    shows: ({ ask, advance }) => {
      const link = ask('GET /users/delta').body['@odata.deltaLink']
      advance(7 * 24 * 3_600_000 + 1_000)
      const { status, headers } = ask(`GET ${link}`)
      return [status, headers.location?.endsWith('/v1.0/users/delta?$deltatoken=')]
    },
    is: [410, true],
  },
  {
    fact: 'a batch has 20 requests at most, with unique ids',
    page: '/json-batching',
    shows: ({ batch }) => {
      const get = (id: string) => ({ id, method: 'GET', url: '/users' })
      const many = Array.from({ length: 21 }, (_, index) => get(String(index)))
      return [batch(many).status, batch([get('1'), get('1')]).status, batch(many.slice(1)).status]
    },
    is: [400, 400, 200],
  },
  {
    fact: 'what depends on a failed request fails with 424',
    page: '/json-batching',
    shows: ({ batch }) =>
      batch([
        { id: '1', method: 'GET', url: `/users/${nobody}` },
        { id: '2', method: 'GET', url: '/users', dependsOn: ['1'] },
      ]).body.responses.map(({ status }: { status: number }) => status),
    is: [404, 424],
  },
  {
    fact: 'base costs: users 2, members 3, transitive members 5; $select makes one cheaper, never less than 1',
    page: '/throttling-limits',
    shows: (graph) => {
      const { group } = pair(graph)
      return [
        '/users',
        '/users?$select=id',
        `/groups/${group}/members`,
        `/groups/${group}/transitiveMembers`,
        '/groups?$select=id',
      ].map((path) => graph.ask(`GET ${path}`).headers['x-ms-resource-unit'])
    },
    is: ['2', '1', '3', '5', '1'],
  },
  {
    fact: '3,000 writes per 150 s for one application in a tenant, then 429 with TooManyRequests',
    page: '/throttling-limits',
    shows: ({ ask, hand }) => {
      const id = hand.addUser()
      const patch = () => ask(`PATCH /users/${id}`, { body: { jobTitle: 'RM' } })
      const passed = Array.from({ length: 3_000 }, patch).every(({ status }) => status === 204)
      const { status, body, headers } = patch()
      return [passed, status, body.error.code, headers['x-ms-throttle-information'], headers['retry-after']]
    },
    is: [true, 429, 'TooManyRequests', 'WriteLimitExceeded', '1'],
  },
  {
    fact: 'the two kinds of groups that Graph can make are made; mail-enabled ones are not',
    page: '/api/resources/groups-overview',
    shows: ({ ask }) =>
      [{}, { groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false }, { mailEnabled: true }].map(
        (more, index) => ask('POST /groups', { body: newGroup(`g${index}`, more) }).status,
      ),
    is: [201, 201, 400],
  },
  {
    fact: 'the membership of a mail-enabled group is not Graph’s to write',
    page: '/api/resources/groups-overview',
    shows: (graph) => {
      const { path, reference } = pair(graph, { mailEnabled: true })
      return graph.ask(`POST ${path}/$ref`, reference).body.error.message
    },
    is: 'Cannot Update a mail-enabled security groups and or distribution list.',
  },
  {
    fact: 'a method that an address does not have is a 405',
    page: '/json-batching',
    shows: ({ ask }) => codeOf(ask('POST /groups/delta')),
    is: '405 Request_BadRequest',
  },
]

test.each(facts)('$page: $fact', ({ shows, is }) => {
  expect(shows(asking())).toEqual(is)
})
