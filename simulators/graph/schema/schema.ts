/** The generated schema, compiled: the service checks what it is sent with it, the tests what it answers. */
import { readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import type { Kind } from '../entry.ts'

type Definition = { readonly properties: Readonly<Record<string, unknown>> }

export const graphSchema: { readonly definitions: Readonly<Record<string, Definition>> } = JSON.parse(
  readFileSync(new URL('graph-v1.0.json', import.meta.url), 'utf8'),
)

const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false }).addSchema(graphSchema, 'graph')
const compiled = new Map<string, ValidateFunction>()

const validatorOf = (definition: string): ValidateFunction => {
  let validate = compiled.get(definition)
  if (validate === undefined) {
    const schema =
      definition in graphSchema.definitions ? { $ref: `graph#/definitions/${definition}` } : ownSchemas[definition]
    if (schema === undefined) throw new Error(`no schema is called ${definition}`)
    compiled.set(definition, (validate = ajv.compile(schema)))
  }
  return validate
}

function ref(definition: string) {
  return { $ref: `graph#/definitions/${definition}` }
}

const page = (item: object) => ({
  type: 'object',
  properties: {
    '@odata.context': { type: 'string' },
    '@odata.nextLink': { type: 'string', pattern: '^https://' },
    '@odata.deltaLink': { type: 'string', pattern: '^https://' },
    '@odata.count': { type: 'integer', minimum: 0 },
    value: { type: 'array', items: item },
  },
  required: ['value'],
  additionalProperties: false,
})
const scalar = (value: object) => ({
  type: 'object',
  properties: { '@odata.context': { type: 'string' }, value },
  required: ['value'],
  additionalProperties: false,
})

/** Shapes of OData and of the errors page, around the types of the CSDL. */
const ownSchemas: Readonly<Record<string, object>> = {
  users: page(ref('user')),
  groups: page(ref('group')),
  directoryObjects: page(typedObject()),
  object: typedObject(),
  strings: scalar({ type: 'array', items: { type: 'string' } }),
  boolean: scalar({ type: 'boolean' }),
  reference: {
    type: 'object',
    properties: { '@odata.id': { type: 'string' } },
    required: ['@odata.id'],
    additionalProperties: false,
  },
  // json-batching: «a batch can include up to 20 requests», whose urls are relative.
  batch: listOf('requests', {
    type: 'object',
    properties: {
      id: { type: 'string', minLength: 1 },
      method: { enum: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'] },
      url: { type: 'string', pattern: '^/?(?!\\w+:)[^/?#]' },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
      body: { type: 'object' },
      dependsOn: { type: 'array', items: { type: 'string' } },
    },
    required: ['id', 'method', 'url'],
    additionalProperties: false,
    // «When a body is included with the request, the headers object must contain a value for Content-Type».
    dependencies: { body: ['headers'] },
  }),
  batchResponse: listOf('responses', {
    type: 'object',
    properties: {
      id: { type: 'string', minLength: 1 },
      status: { type: 'integer', minimum: 200, maximum: 599 },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
      body: {},
    },
    required: ['id', 'status'],
    additionalProperties: false,
  }),
  error: {
    type: 'object',
    properties: {
      error: {
        type: 'object',
        properties: {
          code: { type: 'string', minLength: 1 },
          message: { type: 'string' },
          innerError: {
            type: 'object',
            properties: {
              date: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}$' },
              'request-id': { type: 'string' },
              'client-request-id': { type: 'string' },
              code: { type: 'string' },
              message: { type: 'string' },
              status: { type: 'string' },
            },
            required: ['date', 'request-id'],
            additionalProperties: false,
          },
        },
        required: ['code', 'message', 'innerError'],
        additionalProperties: false,
      },
    },
    required: ['error'],
    additionalProperties: false,
  },
}

function listOf(name: string, items: object): object {
  return {
    type: 'object',
    properties: { [name]: { type: 'array', items, minItems: 1, maxItems: 20 } },
    required: [name],
    additionalProperties: false,
  }
}

/** A user or a group that says which of them it is. */
function typedObject(): object {
  const kinds: readonly Kind[] = ['user', 'group']
  return {
    oneOf: kinds.map((kind) => ({
      allOf: [
        { properties: { '@odata.type': { const: `#microsoft.graph.${kind}` } }, required: ['@odata.type'] },
        ref(kind),
      ],
    })),
  }
}

/** null: it is as the schema wants. Otherwise where it is not, without the values. */
export const violationOf = (
  definition: string,
  value: unknown,
): { readonly at: string; readonly text: string } | null => {
  const validate = validatorOf(definition)
  if (validate(value)) return null
  const [error] = validate.errors ?? []
  const extra = error?.params.additionalProperty
  return {
    at: typeof extra === 'string' ? extra : (error?.instancePath ?? '').slice(1),
    text: `${error?.instancePath ?? ''} ${error?.message ?? 'is not valid'}${typeof extra === 'string' ? ` '${extra}'` : ''}`,
  }
}

const spellings: Readonly<Record<Kind, ReadonlyMap<string, string>>> = {
  user: spellingsOf('user'),
  group: spellingsOf('group'),
}

function spellingsOf(kind: Kind): ReadonlyMap<string, string> {
  const names = Object.keys(graphSchema.definitions[kind]?.properties ?? {}).filter((name) => !name.includes('@'))
  return new Map(names.map((name) => [name.toLowerCase(), name]))
}

const isExtension = /^(extension_[0-9a-f]{32}_|ext[0-9a-z]{8}_)\w+$/

/** How the metadata spells this property; undefined: it has none of that name. */
export const spellingOf = (kind: Kind, name: string): string | undefined =>
  spellings[kind].get(name.toLowerCase()) ?? (isExtension.test(name) ? name : undefined)
