import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { musterJsonSchema } from '../../../src/config/json-schema.ts'

const published = new URL('../../../schemas/muster.schema.json', import.meta.url)

test('the published JSON Schema is what the code reads (node src/config/write-schema.ts makes it anew)', () => {
  expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(JSON.parse(musterJsonSchema()))
})

test('it accepts references where the file may hold them, and wants one where the value is a secret', () => {
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(musterJsonSchema()))
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

test("the bank's muster.yaml is one of these, and its editor knows where to look", () => {
  const text = readFileSync(new URL('../../../examples/bank/muster.yaml', import.meta.url), 'utf8')
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(musterJsonSchema()))
  expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true)
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../../schemas/muster.schema.json')
})
