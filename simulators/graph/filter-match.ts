/** Whom a filter finds. Strings are compared without case, as the directory does. */
import { type Directory, type IndexedProperty, indexedProperties, lookUp } from './directory.ts'
import type { Entry } from './entry.ts'
import type { Comparison, Filter, Literal } from './filter.ts'

export const matches = (entry: Entry, filter: Filter): boolean => {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => matches(entry, part))
    case 'or':
      return filter.parts.some((part) => matches(entry, part))
    case 'not':
      return !matches(entry, filter.part)
    case 'compare':
      return compare(propertyOf(entry, filter.property), filter.operator, filter.value)
    case 'in':
      return filter.values.some((value) => same(propertyOf(entry, filter.property), value))
    case 'startswith':
      return textOf(entry, filter.property).startsWith(filter.value.toLowerCase())
    case 'endswith':
      return textOf(entry, filter.property).endsWith(filter.value.toLowerCase())
    case 'any': {
      const values = propertyOf(entry, filter.property)
      return Array.isArray(values) && values.some((value) => same(value, filter.value))
    }
  }
}

const propertyOf = (entry: Entry, property: string): unknown =>
  (entry.properties as Readonly<Record<string, unknown>>)[property] ?? null
const textOf = (entry: Entry, property: string): string => {
  const value = propertyOf(entry, property)
  return typeof value === 'string' ? value.toLowerCase() : '\0'
}
const fold = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)
const same = (value: unknown, wanted: Literal): boolean => fold(value) === fold(wanted)

const compare = (value: unknown, operator: Comparison, wanted: Literal): boolean => {
  if (operator === 'eq') return same(value, wanted)
  if (operator === 'ne') return !same(value, wanted)
  const [left, right] = [fold(value), fold(wanted)]
  if (typeof left !== typeof right || left === null || right === null) return false
  const order = (left as string | number) < (right as string | number) ? -1 : left === right ? 0 : 1
  return { ge: order >= 0, le: order <= 0, gt: order > 0, lt: order < 0 }[operator]
}

const isIndexed = (property: string): property is IndexedProperty =>
  (indexedProperties as readonly string[]).includes(property)

/** Ids among which all matches are, by an index; undefined: look at everyone. */
export const candidates = (directory: Directory, filter: Filter): ReadonlySet<string> | undefined => {
  switch (filter.kind) {
    case 'compare':
      if (filter.operator !== 'eq' || typeof filter.value !== 'string') return undefined
      if (filter.property === 'id') return new Set([filter.value.toLowerCase()])
      return isIndexed(filter.property) ? lookUp(directory, filter.property, filter.value) : undefined
    case 'in':
      return union(
        directory,
        filter.values.map((value) => ({ kind: 'compare', property: filter.property, operator: 'eq', value })),
      )
    case 'or':
      return union(directory, filter.parts)
    case 'and':
      return filter.parts.map((part) => candidates(directory, part)).find((ids) => ids !== undefined)
    case 'not':
    case 'startswith':
    case 'endswith':
    case 'any':
      return undefined
  }
}

const union = (directory: Directory, parts: readonly Filter[]): ReadonlySet<string> | undefined => {
  const found = new Set<string>()
  for (const part of parts) {
    const ids = candidates(directory, part)
    if (ids === undefined) return undefined
    for (const id of ids) found.add(id)
  }
  return found
}
