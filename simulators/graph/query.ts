/** The query options of a request. `$` may be left out, as in Graph v1.0; a `+` means a space. */
import type { Answer } from './answer.ts'
import { malformed, notImplemented, unsupportedQuery } from './errors.ts'
import { type Filter, FilterSyntax, parseFilter } from './filter.ts'

export type Query = {
  readonly select: readonly string[] | null
  readonly filter: Filter | null
  readonly filterText: string | null
  readonly top: number | null
  readonly count: boolean
  readonly expand: boolean
  readonly skipToken: string | null
  readonly deltaToken: string | null
  /** As they came, for nextLink. */
  readonly text: URLSearchParams
}

const known = new Set([
  'select',
  'filter',
  'top',
  'count',
  'orderby',
  'search',
  'expand',
  'skiptoken',
  'deltatoken',
  'format',
])

export const largestPage = 999

export const parseQuery = (text: URLSearchParams): Query | Answer => {
  const values = new Map<string, string>()
  for (const [name, value] of text) {
    const plain = name.replace(/^\$/, '').toLowerCase()
    if (!known.has(plain)) {
      if (name.startsWith('$')) return malformed(`The query parameter '${name}' is not supported.`)
      continue // Graph ignores what is no option of OData
    }
    if (values.has(plain))
      return malformed(`Query option '${name}' was specified more than once, but it must be specified at most once.`)
    values.set(plain, value)
  }
  if (values.has('orderby')) return unsupportedQuery('Sorting not supported for current query.')
  if (values.has('search')) return notImplemented()
  const top = values.get('top')
  if (top !== undefined && !/^[0-9]+$/.test(top))
    return malformed(`Invalid value '${top}' for $top query option found.`)
  if (top !== undefined && (Number(top) < 1 || Number(top) > largestPage))
    return unsupportedQuery(`Invalid page size specified: '${top}'. Must be between 1 and ${largestPage} inclusive.`)
  const filterText = values.get('filter')
  try {
    return {
      select:
        values
          .get('select')
          ?.split(',')
          .map((name) => name.trim()) ?? null,
      filter: filterText === undefined ? null : parseFilter(filterText),
      filterText: filterText ?? null,
      top: top === undefined ? null : Number(top),
      count: values.get('count')?.toLowerCase() === 'true',
      expand: values.has('expand'),
      skipToken: values.get('skiptoken') ?? null,
      deltaToken: values.get('deltatoken') ?? null,
      text,
    }
  } catch (error) {
    if (error instanceof FilterSyntax) return malformed(error.message)
    throw error
  }
}
