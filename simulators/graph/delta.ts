/**
 * Change tracking. The first round tells everything that is there, the following ones a slice of the change log: the same
 * object may come on many pages, and what changed while the first round was read comes again after it.
 */
import type { Answer } from './answer.ts'
import type { Context } from './context.ts'
import { membersOf } from './directory.ts'
import type { Entry, Kind, StoredGroup } from './entry.ts'
import { badRequest, malformed, resyncRequired, unsupportedQuery } from './errors.ts'
import type { Filter } from './filter.ts'
import { after } from './ordered.ts'
import { defaultsOf, metadataOf, odataTypeOf, project, selectionRefusal } from './projection.ts'
import { spellingOf } from './schema/schema.ts'

/** What a round is about: fixed by its first request, carried by its tokens. */
type Scope = { readonly kind: Kind; readonly select: readonly string[] | null; readonly ids: readonly string[] | null }
type State = Scope & {
  /** When the round's deltaLink was given out, ms since 1970: tokens live seven days. */
  readonly issued: number
} & (
    | {
        readonly phase: 'first'
        /** Serial of the last object told whole, and of the last member of the one that is being told. */
        readonly object: number
        readonly member: number
        /** Where the log stood when the round began. */
        readonly begun: number
      }
    | { readonly phase: 'changes'; readonly from: number; readonly until: number | null }
  )

/** group-delta and delta-query-overview: «filter … only by object ID», up to 50. */
const mostIds = 50

export const deltaOf =
  (kind: Kind) =>
  (context: Context): Answer => {
    const state = stateOf(context, kind)
    if ('status' in state) return state
    if (context.epochMs - state.issued > context.delta.tokenLifeMs)
      return resyncRequired(`${context.origin}${context.pathname}?$deltatoken=`)
    return state.phase === 'first' ? firstRound(context, state) : changes(context, state)
  }

const stateOf = (context: Context, kind: Kind): State | Answer => {
  const { query, epochMs, store } = context
  if (query.expand || query.top !== null)
    return unsupportedQuery('$expand, $top and $orderby are not supported for this delta query.')
  const misselected = selectionRefusal(query.select, kind, spellingOf)
  if (misselected !== undefined) return misselected
  const token = query.skipToken ?? query.deltaToken
  if (token !== null && token !== '' && token !== 'latest') {
    if (query.select !== null && query.skipToken !== null) return malformed('$select is not supported with $skiptoken.')
    const state = context.unseal(token) as State | undefined
    if (state?.kind !== kind) return badRequest('The delta token is not valid.')
    return query.select === null ? state : { ...state, select: query.select }
  }
  const ids = query.filter === null ? null : idsOf(query.filter)
  if (ids === undefined) return unsupportedQuery('Delta queries can be filtered by object id only.')
  if (ids !== null && ids.length > mostIds)
    return unsupportedQuery(`A delta query can be filtered by up to ${mostIds} object ids.`)
  const scope: Scope = { kind, select: query.select, ids }
  if (token === 'latest') {
    const from = store.visibleThrough()
    return { ...scope, issued: epochMs, phase: 'changes', from, until: from }
  }
  return { ...scope, issued: epochMs, phase: 'first', object: 0, member: 0, begun: store.visibleThrough() }
}

const idsOf = (filter: Filter): readonly string[] | undefined => {
  if (
    filter.kind === 'compare' &&
    filter.property === 'id' &&
    filter.operator === 'eq' &&
    typeof filter.value === 'string'
  )
    return [filter.value.toLowerCase()]
  if (filter.kind === 'in' && filter.property === 'id') return filter.values.map((value) => String(value).toLowerCase())
  if (filter.kind !== 'or') return undefined
  const parts = filter.parts.map(idsOf)
  return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part ?? [])
}

const tracksMembers = ({ kind, select }: Scope) => kind === 'group' && (select === null || select.includes('members'))

/** Properties to show: the id always; `members` is told as members@delta. */
const propertiesOf = ({ kind, select }: Scope): readonly string[] => [
  'id',
  ...(select ?? defaultsOf[kind]).filter((name) => name !== 'id' && name !== 'members' && name !== 'manager'),
]

const firstRound = (context: Context, state: State & { readonly phase: 'first' }): Answer => {
  const { pageObjects, pageMembers } = context.delta
  const { read } = context
  const value: Record<string, unknown>[] = []
  let [object, member] = [state.object, state.member]
  let links = 0
  for (const { id, serial } of after(read.lists[state.kind], state.object - (state.member > 0 ? 1 : 0))) {
    const entry = read.entries.get(id)
    if (entry === undefined || (state.ids !== null && !state.ids.includes(id))) continue
    if (value.length >= pageObjects || links >= pageMembers) {
      return page(context, value, { ...state, object, member })
    }
    const shown = project(entry, propertiesOf(state), spellingOf)
    const from = serial === state.object ? state.member : 0
    if (tracksMembers(state)) {
      const told = membersFrom(context, entry, from, pageMembers - links)
      links += told.links.length
      if (told.links.length > 0) shown['members@delta'] = told.links
      if (told.last > 0) {
        value.push(shown)
        return page(context, value, { ...state, object: serial, member: told.last })
      }
    }
    value.push(shown)
    object = serial
    member = 0
  }
  return page(context, value, null, state, state.begun)
}

/** Some members of a group; `last` > 0: there are more, from that serial on. */
const membersFrom = ({ read }: Context, entry: Entry, from: number, most: number) => {
  const links: Record<string, unknown>[] = []
  let last = 0
  for (const { id, serial } of after(membersOf(read, entry.id), from)) {
    if (links.length === most) return { links, last }
    links.push({ '@odata.type': odataTypeOf(read.entries.get(id)?.kind ?? 'user'), id })
    last = serial
  }
  return { links, last: 0 }
}

const changes = (context: Context, state: State & { readonly phase: 'changes' }): Answer => {
  const { store, delta } = context
  const until = state.until ?? store.visibleThrough()
  const through = Math.min(until, state.from + delta.pageObjects)
  const told = new Map<string, Record<string, unknown>>()
  for (let serial = state.from + 1; serial <= through; serial++) tell(context, state, serial, told)
  const value = [...told.values()]
  return through < until
    ? page(context, value, { ...state, from: through, until })
    : page(context, value, null, state, until)
}

const tell = (context: Context, state: Scope, serial: number, told: Map<string, Record<string, unknown>>): void => {
  const change = context.store.log[serial - 1]?.change
  if (change === undefined) return
  const about = 'entry' in change ? change.entry.id : 'group' in change ? change.group : change.id
  if (state.ids !== null && !state.ids.includes(about)) return
  switch (change.kind) {
    case 'put':
    case 'restore': {
      if (change.entry.kind !== state.kind) return
      const wanted = propertiesOf(state)
      const isTouched =
        change.kind === 'restore' || change.isNew || change.touched.some((name) => wanted.includes(name))
      if (!isTouched) return
      const before = told.get(about)
      const links = before?.['members@delta']
      told.set(about, {
        ...project(change.entry, wanted, spellingOf),
        ...(links === undefined ? {} : { 'members@delta': links }),
      })
      return
    }
    case 'delete':
    case 'purge': {
      if (change.type !== state.kind) return
      // «changed»: can be restored; «deleted»: cannot.
      const reason = change.kind === 'delete' && change.kept !== null ? 'changed' : 'deleted'
      told.set(about, { id: about, '@removed': { reason } })
      return
    }
    case 'join':
    case 'leave': {
      const group = context.store.primary.entries.get(change.group)
      if (!tracksMembers(state) || group?.kind !== 'group') return
      const shown = told.get(about) ?? groupShown(state, group)
      const others = ((shown['members@delta'] ?? []) as readonly Record<string, unknown>[]).filter(
        ({ id }) => id !== change.member,
      )
      const link = { '@odata.type': odataTypeOf(kindOf(context, change.member)), id: change.member }
      shown['members@delta'] = [
        ...others,
        change.kind === 'join' ? link : { ...link, '@removed': { reason: 'deleted' } },
      ]
      told.set(about, shown)
      return
    }
  }
}

const groupShown = (state: Scope, group: StoredGroup): Record<string, unknown> =>
  project(group, propertiesOf(state), spellingOf)
const kindOf = ({ store }: Context, id: string): Kind =>
  (store.primary.entries.get(id) ?? store.primary.deleted.get(id)?.entry)?.kind ?? 'user'

const page = (
  context: Context,
  value: readonly Record<string, unknown>[],
  next: State | null,
  scope?: Scope,
  from = 0,
): Answer => {
  const { origin, pathname, seal, epochMs, delta } = context
  const link = (name: string, state: State) => `${origin}${pathname}?$${name}=${seal(state)}`
  const done: State | undefined =
    scope === undefined
      ? undefined
      : {
          kind: scope.kind,
          select: scope.select,
          ids: scope.ids,
          issued: epochMs,
          phase: 'changes',
          from: Math.max(0, from - delta.replay),
          until: null,
        }
  const select = next?.select ?? scope?.select ?? null
  const collection = (next ?? scope)?.kind === 'user' ? 'users' : 'groups'
  return {
    status: 200,
    body: {
      '@odata.context': metadataOf(origin, `${collection}${select === null ? '' : `(${select.join(',')})`}`),
      ...(next === null ? {} : { '@odata.nextLink': link('skiptoken', next) }),
      ...(done === undefined ? {} : { '@odata.deltaLink': link('deltatoken', done) }),
      value,
    },
  }
}
