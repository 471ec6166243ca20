import { z } from 'zod'
import { musterFile, secretMembers } from './muster-file.ts'
import { referencePattern } from './secret-reference.ts'

type Schema = { [key: string]: unknown }

const reference = {
  type: 'string',
  pattern: referencePattern.source,
  description: 'A reference: env:NAME or file:PATH.',
}

/** Their values are secrets wherever a member of this name stands: a reference or nothing. */
const secretNames: ReadonlySet<string> = new Set(secretMembers.flatMap((member) => member.slice(-1)))

/** JSON Schema (2020-12) of muster.yaml, as published in schemas/muster.schema.json. */
export const musterJsonSchema = (): string => {
  const schema = z.toJSONSchema(musterFile, { io: 'input' }) as Schema
  return `${JSON.stringify({ ...withReferences(schema), title: 'Muster configuration: muster.yaml' }, null, 2)}\n`
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The loader takes a reference for any text, so that this does, too: not for names of members, which it never looks at. */
const withReferences = (schema: Schema): Schema => {
  if (schema.type === 'string') return textOrReference(schema)
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === 'properties' && isSchema(value)
        ? properties(value)
        : (key === 'items' || key === 'additionalProperties') && isSchema(value)
          ? withReferences(value)
          : (key === 'anyOf' || key === 'oneOf') && Array.isArray(value)
            ? value.map(withReferences)
            : value,
    ]),
  )
}

const properties = (members: Schema): Schema =>
  Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name,
      secretNames.has(name) ? reference : isSchema(value) ? withReferences(value) : value,
    ]),
  )

/** A discriminator says which alternative is meant, and stays what it is; what no rule narrows is a reference's text already. */
const textOrReference = (schema: Schema): Schema => {
  const { description, default: preset, ...text } = schema
  const isNarrow = ['pattern', 'format', 'enum', 'maxLength', 'allOf'].some((rule) => rule in text)
  if ('const' in text || !isNarrow) return schema
  return {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    anyOf: [text, reference],
  }
}
