/** Collections in pages: default 100, at most 999, a nextLink as long as there is more. */
import type { Answer } from './answer.ts'
import type { Context } from './context.ts'
import type { Entry, Kind } from './entry.ts'
import { badRequest, notImplemented, unsupportedQuery } from './errors.ts'
import { candidates, matches } from './filter-match.ts'
import { refusalOf } from './filter-rules.ts'
import { after, type Ordered } from './ordered.ts'
import { metadataOf, odataTypeOf, project, selected, selectionRefusal } from './projection.ts'
import { spellingOf } from './schema/schema.ts'

export type Listing = {
  readonly rows: Ordered
  /** null: users and groups mixed, each with its @odata.type. */
  readonly kind: Kind | null
  readonly entryOf: (id: string) => Entry | undefined
  /** In @odata.context. */
  readonly collection: string
  readonly defaultPage: number
}

export const pageOf = (context: Context, { rows, kind, entryOf, collection, defaultPage }: Listing): Answer => {
  const { query, isAdvanced, origin } = context
  if (query.expand) return notImplemented()
  const misselected = selectionRefusal(query.select, kind, spellingOf)
  if (misselected !== undefined) return misselected
  const refusal = query.filter === null ? undefined : refusalOf(query.filter, kind ?? 'group', isAdvanced)
  if (refusal !== undefined) return unsupportedQuery(refusal)
  const from = positionOf(context)
  if (from === undefined) return badRequest('The specified page token value has expired or is not valid.')
  const size = query.top ?? defaultPage
  const value: Record<string, unknown>[] = []
  let last = from
  let isMore = false
  for (const { id, serial } of source(context, rows, from)) {
    const entry = entryOf(id)
    if (entry === undefined || (kind !== null && entry.kind !== kind)) continue
    if (query.filter !== null && !matches(entry, query.filter)) continue
    if (value.length === size) {
      isMore = true
      break
    }
    const shown = project(entry, query.select, spellingOf)
    value.push(kind === null ? { '@odata.type': odataTypeOf(entry.kind), ...shown } : shown)
    last = serial
  }
  return {
    status: 200,
    body: {
      '@odata.context': metadataOf(origin, `${collection}${selected(query.select)}`),
      ...(query.count && isAdvanced ? { '@odata.count': countOf(context, { rows, kind, entryOf }) } : {}),
      ...(isMore ? { '@odata.nextLink': nextLink(context, last) } : {}),
      value,
    },
  }
}

/** How many there are in all, whatever the page. */
export const countOf = (
  { query, read }: Context,
  { rows, kind, entryOf }: Pick<Listing, 'rows' | 'kind' | 'entryOf'>,
): number => {
  if (
    query.filter === null &&
    rows.at.size === read.lists[kind ?? 'user'].at.size &&
    rows === read.lists[kind ?? 'user']
  )
    return rows.at.size
  let count = 0
  for (const id of rows.at.keys()) {
    const entry = entryOf(id)
    if (entry === undefined || (kind !== null && entry.kind !== kind)) continue
    if (query.filter === null || matches(entry, query.filter)) count++
  }
  return count
}

function* source({ query, read }: Context, rows: Ordered, from: number) {
  const ids = query.filter === null ? undefined : candidates(read, query.filter)
  if (ids === undefined) {
    yield* after(rows, from)
    return
  }
  const found = [...ids].flatMap((id) => {
    const serial = rows.at.get(id)
    return serial === undefined || serial <= from ? [] : [{ id, serial }]
  })
  yield* found.sort((one, other) => one.serial - other.serial)
}

type Position = { readonly path: string; readonly after: number }

/** Serial after which the page begins; undefined: no token of this list. */
const positionOf = ({ query, unseal, pathname }: Context): number | undefined => {
  if (query.skipToken === null) return 0
  const position = unseal(query.skipToken) as Partial<Position> | undefined
  return position?.path === pathname && typeof position.after === 'number' ? position.after : undefined
}

/** The link carries all that was asked for, and where to go on. */
const nextLink = ({ origin, pathname, query, seal }: Context, last: number): string => {
  const options = [...query.text].filter(([name]) => name.replace(/^\$/, '').toLowerCase() !== 'skiptoken')
  const kept = options.map(
    ([name, value]) => `${encodeURIComponent(name).replace('%24', '$')}=${encodeURIComponent(value)}`,
  )
  const position: Position = { path: pathname, after: last }
  return `${origin}${pathname}?${[...kept, `$skiptoken=${seal(position)}`].join('&')}`
}
