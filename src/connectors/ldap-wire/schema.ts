import { PresenceFilter } from 'ldapts'
import type { LdapClient } from './client.ts'
import { firstValue, valuesOf } from './entry.ts'

/** Names that the directory's schema has, in lower case. */
export type DirectorySchema = { readonly attributes: ReadonlySet<string>; readonly classes: ReadonlySet<string> }

const subschemaSubentry = 'subschemaSubentry'

/** Where the root DSE says that it is (RFC 4512 §5.1); null: this server does not show it to us. */
export const readSchema = async (client: LdapClient): Promise<DirectorySchema | null> => {
  const filter = new PresenceFilter({ attribute: 'objectClass' })
  const root = await client.search({ base: '', scope: 'base', filter, attributes: [subschemaSubentry] })
  const base = root.ok && root.value[0] !== undefined ? firstValue(root.value[0], subschemaSubentry) : undefined
  if (base === undefined) return null
  const read = await client.search({ base, scope: 'base', filter, attributes: ['attributeTypes', 'objectClasses'] })
  const entry = read.ok ? read.value[0] : undefined
  if (entry === undefined) return null
  const attributes = new Set(valuesOf(entry, 'attributeTypes').flatMap(namesIn))
  const classes = new Set(valuesOf(entry, 'objectClasses').flatMap(namesIn))
  return attributes.size === 0 || classes.size === 0 ? null : { attributes, classes }
}

/** Names of a definition, e.g. `( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )` (RFC 4512 §4.1). */
export const namesIn = (definition: string): readonly string[] => {
  const [, one, several = ''] = /^\(\s*\S+\s+NAME\s+(?:'([^']*)'|\(([^)]*)\))/.exec(definition) ?? []
  return (one === undefined ? [...several.matchAll(/'([^']*)'/g)].map(([, name = '']) => name) : [one]).map((name) =>
    name.toLowerCase(),
  )
}

/** Place in the configuration → name that stands there. */
export type NamedAt = readonly (readonly [place: string, name: string])[]

/** A server answers a search by an attribute that it does not know with nobody, as if there were none. */
export const strangers = (named: NamedAt, known: ReadonlySet<string>, what: 'attribute' | 'object class') =>
  named
    .filter(([, name]) => !known.has(name.toLowerCase()))
    .map(([place, name]) => `${place}: the directory's schema has no ${what} ${name}`)

export const schemaHidden = 'its schema cannot be read: whether it knows the configured attributes was not checked'
