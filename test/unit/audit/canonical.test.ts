import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalText } from '../../../src/audit/canonical.ts'
import { auditEntry, leafHash } from '../../../src/audit/entry.ts'

const both = (value: unknown) => {
  const answer = (write: (value: unknown) => string | undefined) => {
    try {
      return write(value)
    } catch {
      return 'refused'
    }
  }
  return [answer(canonicalText), answer(canonicalize)]
}

test('any JSON value is written as the RFC 8785 library writes it', () => {
  const names = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('__proto__', '10', '2', '2a', '', 'é', 'toJSON'),
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, undefined, Number.NaN, Number.POSITIVE_INFINITY, -0, 1e21, 5e-7, '\ud800', '\\ud800'),
      fc.double(),
      fc.integer(),
      fc.string({ unit: 'binary' }),
      fc.date({ noInvalidDate: true }),
      fc.array(tie('value')),
      fc.dictionary(names, tie('value')),
    ),
  }))
  fc.assert(
    fc.property(value, (one) => {
      const [ours, theirs] = both(one)
      expect(ours).toBe(theirs)
    }),
    { numRuns: 3_000 },
  )
})

test.each([
  ['members in the order of their code units', { b: 1, a: [{ d: 1, c: 2 }], é: 3, Z: 4 }],
  ['names that an object would put first', { 10: 'a', 9: 'b', a: 'c' }],
  ['a member called __proto__', JSON.parse('{"z":1,"__proto__":{"b":1,"a":2}}')],
  ['half a surrogate pair', { a: '\udfff' }],
  ['what says itself how it is written', { a: { toJSON: () => ({ b: 1, a: 2 }) } }],
  ['what is left out', { a: undefined, b: [undefined] }],
])('%s', (_, value) => {
  const [ours, theirs] = both(value)
  expect(ours).toBe(theirs)
})

test('the leaf of RFC 6962: one zero byte before the bytes', () => {
  // SHA-256 of the one byte 00: the leaf of nothing.
  expect(leafHash('')).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  const entry = auditEntry('x', 0, {}, { b: 'ü', a: 1 })
  expect(entry.text).toBe('{"a":1,"at":"1970-01-01T00:00:00.000Z","b":"ü","kind":"x","v":1}')
  expect(entry.leafHash).toBe(leafHash(entry.text))
})
