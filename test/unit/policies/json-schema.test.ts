import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { policyJsonSchema } from '../../../src/policies/json-schema.ts'
import { bankFiles } from './bank.ts'

const published = readFileSync(new URL('../../../schemas/policy.json', import.meta.url), 'utf8')

test('the published schema is the one that the parser reads by', () => {
  // Compared as JSON: the published text is laid out by the formatter.
  expect(JSON.parse(published)).toEqual(JSON.parse(policyJsonSchema()))
})

const valid = new Ajv2020({ strict: true, strictTypes: false }).compile(JSON.parse(published))

test.each(bankFiles)('$path follows it and names it for editors', ({ text }) => {
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../../../schemas/policy.json')
  expect([valid(parse(text)), valid.errors]).toEqual([true, null])
})

test('it refuses what the parser refuses by form', () => {
  expect(valid({ roles: { r: { entitlement: ['A'] } } })).toBe(false)
  expect(valid({ birthright: { r: { when: {}, grants: {}, extra: 1 } } })).toBe(false)
  const mirror = (key: string) => ({
    implications: { m: { mirrors: { from: { target: 't', key }, to: { target: 'u', lookup: 'group/*' } } } },
  })
  expect(['a-*', 'a-', '*-*'].map((key) => valid(mirror(key)))).toEqual([true, false, false])
})
