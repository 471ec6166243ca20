import { hash } from 'node:crypto'
import type { AttributeValue } from '../domain/worker-event.ts'
import { namesThePerson, placeholder } from './template.ts'

/** Attribute of the target (as configured) → its values; an attribute without values is absent. Personal data. */
export type MappedAttributes = ReadonlyMap<string, readonly string[]>
/** Attribute of the target → template, or several for an attribute with several values. */
export type AttributeTemplates = Readonly<Record<string, string | readonly string[]>>
export type Worker = Readonly<Record<string, AttributeValue>>

/** Fills a template; a missing attribute leaves nothing, and the first alternative that has a value is taken. */
export const fill = (template: string, worker: Worker): string =>
  template.replace(placeholder, (_, inner: string) => firstOf(inner, worker)).trim()

/**
 * The same of a template that an account is found by. A person key stands in it letter for letter: keys that differ in white space at an
 * end are two people, and must not come to one account.
 */
export const fillName = (template: string, worker: Worker): string => {
  const { personKey } = worker
  if (!namesThePerson(template) || typeof personKey !== 'string' || personKey === '') return fill(template, worker)
  // NUL comes from nobody and is not trimmed: what stands between two stays whole, and all else loses its ends.
  return fill(template, { ...worker, personKey: `\0${personKey}\0` }).replaceAll('\0', '')
}

/** The same of a template that must find all that it names; null: the worker lacks a part, and the rest might be anybody's. */
export const fillWhole = (template: string, worker: Worker): string | null => {
  const lacks = [...template.matchAll(placeholder)].some(([, inner = '']) => firstOf(inner, worker).trim() === '')
  return lacks ? null : fill(template, worker)
}

const firstOf = (inner: string, worker: Worker): string => {
  for (const name of inner.split('|')) {
    const value = Object.hasOwn(worker, name) ? worker[name] : null
    if (value !== null && value !== undefined && value !== '') return String(value)
  }
  return ''
}

export const mapAttributes = (attributes: AttributeTemplates, worker: Worker): MappedAttributes =>
  new Map(
    Object.entries(attributes).map(([name, templates]) => {
      const values = (typeof templates === 'string' ? [templates] : templates).map((template) => fill(template, worker))
      return [name, [...new Set(values.filter((value) => value !== ''))]]
    }),
  )

/** Stable hash of mapped attributes: independent of the order of attributes and of values, and of the case of names. */
export const attributesHash = (mapped: MappedAttributes): string =>
  hash(
    'sha256',
    JSON.stringify(
      [...mapped]
        .filter(([, values]) => values.length > 0)
        .map(([name, values]) => [name.toLowerCase(), [...values].sort()] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    'hex',
  )

/** Attributes whose values differ, with the values they should have. */
export const differences = (
  wanted: MappedAttributes,
  actual: MappedAttributes,
): readonly (readonly [string, readonly string[]])[] =>
  [...wanted].filter(([name, values]) => {
    const has = actual.get(name) ?? []
    return has.length !== values.length || values.some((value) => !has.includes(value))
  })
