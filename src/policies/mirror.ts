import { foldText } from '../domain/dn.ts'
import { lookupKey } from '../domain/lookup-key.ts'

/** An entitlement as the catalogue lists it. */
export type Listed = { readonly key: string; readonly target: string; readonly lookup: string }

/** Which entitlements: those of one target whose key or lookup reads like a pattern with one `*`. */
export type NamedAlike = {
  readonly target: string
  readonly key?: string | undefined
  readonly lookup?: string | undefined
}

/** One entitlement of `from`, and those of `to` that are called the same. */
export type Mirrored = { readonly holds: string; readonly gives: readonly string[] }

/**
 * Every listed entitlement of `from` with its counterparts, sorted by key. Keys are compared letter by letter; once a
 * lookup takes part, both names are compared as names on targets are.
 */
export const mirrored = (catalogue: readonly Listed[], from: NamedAlike, to: NamedAlike): readonly Mirrored[] => {
  const isExact = from.key !== undefined && to.key !== undefined
  const counterparts = new Map<string, string[]>()
  for (const [key, rest] of rests(catalogue, to, isExact))
    counterparts.set(rest, [...(counterparts.get(rest) ?? []), key])
  return rests(catalogue, from, isExact)
    .map(([holds, rest]) => ({ holds, gives: (counterparts.get(rest) ?? []).sort() }))
    .sort((a, b) => (a.holds < b.holds ? -1 : 1))
}

/** Key → what the `*` stands for. */
const rests = (
  catalogue: readonly Listed[],
  { target, key, lookup }: NamedAlike,
  isExact: boolean,
): readonly (readonly [string, string])[] => {
  const pattern = key ?? (lookup === undefined ? null : lookupKey(lookup))
  if (pattern === null) return []
  return catalogue.flatMap((listed) => {
    if (listed.target !== target) return []
    const rest = restOf(key === undefined ? lookupKey(listed.lookup) : listed.key, pattern)
    return rest === null ? [] : [[listed.key, isExact ? rest : foldText(rest)] as const]
  })
}

const restOf = (text: string, pattern: string): string | null => {
  const [head = '', tail = ''] = pattern.split('*')
  return text.length > head.length + tail.length && text.startsWith(head) && text.endsWith(tail)
    ? text.slice(head.length, text.length - tail.length)
    : null
}
