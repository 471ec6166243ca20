import { AndFilter, EqualityFilter, type Filter, OrFilter, PresenceFilter } from 'ldapts'
import type { LdapClient } from './client.ts'
import { type Entry, valuesOf } from './entry.ts'
import { ok, type Result } from './errors.ts'

/**
 * Keys in one OR. slapd tests each entry that it found against the filters in turn: 9–12 µs an entry for ORs of 25 to 50,
 * 16 µs for 100, 24 µs for 250, 36 µs one by one.
 */
const keysPerSearch = 50
/** Searches in flight: the server works on some while we decode another. More than three gain nothing. */
const searchesAtOnce = 3
/** A search that takes longer means that the attribute has no index or the server is busy. */
const slowSearchMs = 20
/** From so many keys on, one paged read of the whole attribute is cheaper than searching. */
const readAllFrom = 2_000
/** Keys still to come that make the paged read worth while. */
const keysLeft = 500
const pageSize = 500

/** The server's own folding of caseIgnoreMatch, near enough to file answers under the keys that were asked for. */
export const foldKey = (value: string): string => value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ')

export type KeySearch = {
  readonly base: string
  readonly attribute: string
  readonly keys: readonly string[]
  readonly attributes: readonly string[]
  /** What a key must be equal to, where that is not its text. */
  readonly encode?: (key: string) => Buffer
  /** Only entries that also match this. */
  readonly only?: Filter
}

/** Entries by folded value of the searched attribute. Complete: a key that is not in the map has no entry. */
export type Found = ReadonlyMap<string, readonly Entry[]>

/** Finds the entries whose `attribute` has one of the keys; `attributes` must include it. */
export const findByKeys = async (client: LdapClient, search: KeySearch): Promise<Result<Found>> => {
  const { base, attribute, attributes, encode, only } = search
  const narrowed = (filter: Filter) => (only === undefined ? filter : new AndFilter({ filters: [only, filter] }))
  const keys = [...new Set(search.keys)]
  const wanted = new Set(keys.map(foldKey))
  const found = new Map<string, Entry[]>()
  const file = (entries: readonly Entry[]) => {
    for (const entry of entries) {
      for (const value of valuesOf(entry, attribute)) {
        const key = foldKey(value)
        if (!wanted.has(key)) continue
        const entriesOfKey = found.get(key)
        if (entriesOfKey === undefined) found.set(key, [entry])
        // A paged read begun after some searches sees their entries again.
        else if (!entriesOfKey.some(({ dn }) => dn === entry.dn)) entriesOfKey.push(entry)
      }
    }
  }
  const readAll = async (): Promise<Result<Found>> => {
    const read = await client.searchPages(
      { base, scope: 'sub', filter: narrowed(new PresenceFilter({ attribute })), attributes },
      pageSize,
      file,
    )
    return read.ok ? ok(found) : read
  }

  if (keys.length > readAllFrom) return readAll()
  const chunks = chunksOf(keys, keysPerSearch)
  let next = 0
  let failure: Result<Found> | undefined
  let slow = 0
  const isSlow = () => slow >= searchesAtOnce && (chunks.length - next) * keysPerSearch >= keysLeft
  const work = async (): Promise<void> => {
    while (next < chunks.length && failure === undefined && !isSlow()) {
      const chunk = chunks[next] ?? []
      next += 1
      const filter = narrowed(anyOf(attribute, chunk, encode))
      const result = await client.search({ base, scope: 'sub', filter, attributes }, (ms) => {
        slow = ms > slowSearchMs ? slow + 1 : 0
      })
      if (result.ok) file(result.value)
      else failure = result
    }
  }
  await Promise.all(Array.from({ length: Math.min(searchesAtOnce, chunks.length) }, work))
  if (failure !== undefined) return failure
  return isSlow() ? readAll() : ok(found)
}

export const anyOf = (
  attribute: string,
  values: readonly string[],
  encode: (value: string) => string | Buffer = (value) => value,
): Filter => {
  const filters = values.map((value) => new EqualityFilter({ attribute, value: encode(value) }))
  return filters.length === 1 ? (filters[0] as EqualityFilter) : new OrFilter({ filters })
}

export const chunksOf = <T>(items: readonly T[], size: number): readonly (readonly T[])[] => {
  const chunks: (readonly T[])[] = []
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size))
  return chunks
}
