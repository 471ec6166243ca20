import { hash } from 'node:crypto'
import { escapeRdnValue } from '../../domain/dn.ts'
import type { AttributeValue } from '../../domain/worker-event.ts'

/** LDAP attribute (as configured) → its values; an attribute without values is absent. Personal data. */
export type MappedAttributes = ReadonlyMap<string, readonly string[]>
/** What the configuration says of accounts: naming attribute with its template, and a template or several for each attribute. */
export type AccountMapping = {
  readonly rdn: string
  readonly attributes: Readonly<Record<string, string | readonly string[]>>
}
type Worker = Readonly<Record<string, AttributeValue>>

const placeholder = /\{([^{}]*)\}/g
const names = /^[A-Za-z][\w.]*(?:\|[A-Za-z][\w.]*)*$/

/** What is wrong with a template such as `{givenName} {familyName}` or `{displayName|username}`; null when nothing is. */
export const templateProblem = (template: string): string | null => {
  for (const [, inner = ''] of template.matchAll(placeholder)) {
    if (!names.test(inner))
      return `{${inner}} must name a worker attribute, or alternatives as in {displayName|username}`
  }
  return /[{}]/.test(template.replace(placeholder, '')) ? 'has a brace without its partner' : null
}

/** Fills a template; a missing attribute leaves nothing, and the first alternative that has a value is taken. */
const fill = (template: string, worker: Worker): string =>
  template
    .replace(placeholder, (_, inner: string) => {
      for (const name of inner.split('|')) {
        const value = Object.hasOwn(worker, name) ? worker[name] : null
        if (value !== null && value !== undefined && value !== '') return String(value)
      }
      return ''
    })
    .trim()

/** `uid={username}` → ['uid', '{username}']. */
export const splitRdn = (rdn: string): [string, string] => {
  const at = rdn.indexOf('=')
  return [rdn.slice(0, at), rdn.slice(at + 1)]
}

export const mapAttributes = (account: AccountMapping, worker: Worker): MappedAttributes =>
  new Map(
    Object.entries(account.attributes).map(([name, templates]) => {
      const values = (typeof templates === 'string' ? [templates] : templates).map((template) => fill(template, worker))
      return [name, [...new Set(values.filter((value) => value !== ''))]]
    }),
  )

/** Naming attribute, its value and the escaped RDN of a new account; null when the worker lacks what the template needs. */
export const mapRdn = (
  account: AccountMapping,
  worker: Worker,
): { name: string; value: string; rdn: string } | null => {
  const [name, template] = splitRdn(account.rdn)
  const value = fill(template, worker)
  return value === '' ? null : { name, value, rdn: `${name}=${escapeRdnValue(value)}` }
}

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

/** Of the attributes and the name of an account that would be made for this worker. */
export const creationHash = (account: AccountMapping, worker: Worker): string => {
  const { name, value } = mapRdn(account, worker) ?? { name: '', value: '' }
  return attributesHash(new Map([...mapAttributes(account, worker), [`rdn ${name}`, [value]]]))
}

/** Attributes whose values differ, with the values they should have. */
export const differences = (
  wanted: MappedAttributes,
  actual: MappedAttributes,
): readonly (readonly [string, readonly string[]])[] =>
  [...wanted].filter(([name, values]) => {
    const has = actual.get(name) ?? []
    return has.length !== values.length || values.some((value) => !has.includes(value))
  })
