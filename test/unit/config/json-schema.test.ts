import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { musterJsonSchema } from '../../../src/config/json-schema.ts'
import { referencePattern } from '../../../src/config/secret-reference.ts'
import { connectorTypes } from '../../../src/connectors/registry.ts'

const validate = new Ajv2020({ strict: false, formats: { uri: /^https?:/ } }).compile(JSON.parse(musterJsonSchema()))
const published = new URL('../../../schemas/muster.schema.json', import.meta.url)

test('the published JSON Schema is what the code reads (node src/config/write-schema.ts makes it anew)', () => {
  expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(JSON.parse(musterJsonSchema()))
})

test('it accepts references where the file may hold them, and wants one where the value is a secret', () => {
  const file = (password: string) =>
    parse(`
sources: [{ id: hr, type: kafka, topics: [hr.worker.v1] }]
targets:
  - id: corp
    type: ldap
    ldap:
      url: env:LDAP_URL
      bindDn: cn=muster,dc=example
      bindPassword: ${password}
      peopleBase: ou=people,dc=example
      groupsBase: ou=groups,dc=example
      account: { rdn: 'uid={username}' }
`)
  expect(validate(file('env:LDAP_PASSWORD')), JSON.stringify(validate.errors)).toBe(true)
  expect(validate(file('hunter2'))).toBe(false)
})

const examples = new URL('../../../examples/', import.meta.url)
test.each(readdirSync(examples))(
  'examples/%s/muster.yaml is one of these, and its editor knows where to look',
  (name) => {
    const text = readFileSync(new URL(`${name}/muster.yaml`, examples), 'utf8')
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true)
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../../schemas/muster.schema.json')
  },
)

type Schema = { readonly [name: string]: unknown }
const inner = (value: unknown): readonly Schema[] =>
  typeof value === 'object' && value !== null ? (Object.values(value) as Schema[]) : []
const choices = ({ anyOf, oneOf, allOf }: Schema): readonly Schema[] => [anyOf, oneOf, allOf].flatMap(inner)

/** Places of members that hold any text: of an element of a list under its position. */
const texts = (schema: Schema, path: readonly string[] = []): readonly string[] => [
  ...(schema.type === 'string' && !('enum' in schema) && !('const' in schema) ? [path.join('.')] : []),
  ...choices(schema).flatMap((one) => texts(one, path)),
  ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => texts(one, [...path, name])),
  ...('items' in schema ? texts(schema.items as Schema, [...path, '0']) : []),
]

/** What the schema says of a member, of every kind that has it. */
const at = (schema: Schema, [name, ...rest]: readonly string[]): readonly Schema[] =>
  name === undefined
    ? [schema]
    : [
        ...choices(schema).flatMap((one) => at(one, [name, ...rest])),
        ...Object.entries(schema.properties ?? {}).flatMap(([member, one]) => (member === name ? at(one, rest) : [])),
      ]

describe.each(connectorTypes)('settings of $type', ({ type, member, settings, secrets, files, mapsByItself }) => {
  const schema = z.toJSONSchema(settings, { io: 'input' }) as Schema
  const named = (form: RegExp) => [...new Set(texts(schema).filter((path) => form.test(path)))].sort()
  const dotted = (members: readonly (readonly string[])[]) => members.map((path) => path.join('.')).sort()

  test('what is called like a secret is one: a value that is written out does not pass', () => {
    expect(dotted(secrets)).toEqual(named(/(password|secret|token|passphrase|key)$/i))
  })

  test('what is called a file is one: its path starts from the directory', () => {
    expect(dotted(files)).toEqual(named(/file$/i))
  })

  test('each secret that the loader wants as a reference, the published schema does', () => {
    const targets = at(JSON.parse(musterJsonSchema()), ['targets'])
    const own = targets
      .flatMap(({ items }) => choices(items as Schema))
      .filter((one) => at(one, ['type']).some((name) => name.const === type))
    expect(own).toHaveLength(1)
    for (const path of secrets) {
      const said = own.flatMap((one) => at(one, [member, ...path]))
      expect(said.length, path.join('.')).toBeGreaterThan(0)
      for (const one of said) expect(one.pattern, path.join('.')).toBe(referencePattern.source)
    }
  })

  test('it says whether it maps attributes that nobody named', () => {
    const presets = at(schema, ['account', 'attributes']).map((one) => one.default ?? {})
    expect(presets.some((preset) => inner(preset).length > 0)).toBe(mapsByItself)
  })
})
