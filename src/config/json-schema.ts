import { z } from 'zod'
import { musterFile } from './muster-file.ts'
import { referencePattern } from './secret-reference.ts'

type Schema = { [key: string]: unknown }

const reference = {
  type: 'string',
  pattern: referencePattern.source,
  description: 'A reference: env:NAME or file:PATH.',
}

/** Members whose value is only known where Muster runs, so that the file says where to find it. */
const mayBeReference = new Set([
  'url',
  'caFile',
  'bindDn',
  'peopleBase',
  'groupsBase',
  'passwordPolicyDn',
  'prefix',
  'group',
])

/** JSON Schema (2020-12) of muster.yaml, as published in schemas/muster.schema.json. */
export const musterJsonSchema = (): string => {
  const schema = z.toJSONSchema(musterFile, { io: 'input' }) as Schema
  return `${JSON.stringify({ ...withReferences(schema), title: 'Muster configuration: muster.yaml' }, null, 2)}\n`
}

const withReferences = (schema: Schema): Schema =>
  Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === 'properties' ? properties(value as Schema) : deeper(value),
    ]),
  )

const properties = (members: Schema): Schema =>
  Object.fromEntries(
    Object.entries(members).map(([name, value]) => {
      if (name === 'bindPassword') return [name, reference]
      const inner = deeper(value) as Schema
      return [name, mayBeReference.has(name) && inner.type === 'string' ? { anyOf: [inner, reference] } : inner]
    }),
  )

const deeper = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(deeper)
    : typeof value === 'object' && value !== null
      ? withReferences(value as Schema)
      : value
