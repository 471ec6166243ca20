import type { YamlPath } from '../policies/yaml-file.ts'
import { musterJsonSchema } from './json-schema.ts'

type Schema = { readonly [name: string]: unknown }

/** What may stand where an unknown member stands: of several kinds, what the one that is written there knows. */
export const knownMembers = (value: unknown, path: YamlPath): readonly string[] => {
  let schemas: readonly Schema[] = [JSON.parse(musterJsonSchema()) as Schema]
  let written = value
  for (const step of path) {
    schemas = schemas.flatMap((schema) => meant(schema, written)).flatMap((schema) => within(schema, step))
    written =
      isPlain(written) || Array.isArray(written) ? (written as Record<string | number, unknown>)[step] : undefined
  }
  return [
    ...new Set(
      schemas
        .flatMap((schema) => meant(schema, written))
        .flatMap(({ properties }) => (isPlain(properties) ? Object.keys(properties) : [])),
    ),
  ]
}

const within = ({ items, properties }: Schema, step: string | number): readonly Schema[] => {
  const inner = typeof step === 'number' ? items : isPlain(properties) ? properties[step] : undefined
  return isPlain(inner) ? [inner] : []
}

/** The alternatives whose fixed members are those of the value. */
const meant = (schema: Schema, value: unknown): readonly Schema[] => {
  const choices = [schema.oneOf, schema.anyOf].flatMap((some) => (Array.isArray(some) ? some.filter(isPlain) : []))
  if (choices.length === 0) return [schema]
  return choices.filter(({ properties }) =>
    Object.entries(isPlain(properties) ? properties : {}).every(
      ([name, member]) => !isPlain(member) || !('const' in member) || !isPlain(value) || value[name] === member.const,
    ),
  )
}

const isPlain = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
