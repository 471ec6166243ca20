import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dnKey, escapeRdnValue, hasOddSpace, parseDn } from '../../../src/domain/dn.ts'

/** Values that a directory can hold: any text that is not blank (slapd trims and folds the rest). */
const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== '')
const dnOf = (values: readonly string[]) =>
  [...values.map((text) => `cn=${escapeRdnValue(text)}`), 'dc=bank', 'dc=example'].join(',')

describe('escaping', () => {
  test('whatever the value, it is read back as it was', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
        const parsed = parseDn(dnOf(values))
        expect(parsed?.map((rdn) => rdn[0]?.value)).toEqual([...values, 'bank', 'example'])
      }),
    )
  })

  test.each([
    ['Doe, John', 'Doe\\2c John'],
    ['#1', '\\231'],
    ['1#', '1#'],
    [' both ', '\\20both\\20'],
    ['a+b;c<d>e="f"\\', 'a\\2bb\\3bc\\3cd\\3ee\\3d\\22f\\22\\5c'],
    ['nul\u0000', 'nul\\00'],
    ['ümläut 🦊', 'ümläut 🦊'],
  ])('%j', (text, escaped) => {
    expect(escapeRdnValue(text)).toBe(escaped)
  })
})

describe('parsing', () => {
  test.each([
    ['cn=a\\, b\\2C c,dc=x', [[['cn', 'a, b, c']], [['dc', 'x']]]],
    ['cn = a , dc= x ', [[['cn', 'a']], [['dc', 'x']]]],
    ['cn="a, b";dc=x', [[['cn', 'a, b']], [['dc', 'x']]]],
    [
      'uid=a+cn=b,dc=x',
      [
        [
          ['uid', 'a'],
          ['cn', 'b'],
        ],
        [['dc', 'x']],
      ],
    ],
    ['cn=J\\C3\\B6hn,dc=x', [[['cn', 'Jöhn']], [['dc', 'x']]]],
    ['2.5.4.3=a\\ ', [[['2.5.4.3', 'a ']]]],
    ['', []],
  ])('%j', (text, expected) => {
    expect(parseDn(text)?.map((rdn) => rdn.map(({ type, value: read }) => [type, read]))).toEqual(expected)
  })

  test.each(['cn', 'cn=a,', '=a', 'cn=a\\', 'cn="a', 'cn=a"b', 'no dn at all', 'cn=a,,dc=x'])('%j is no DN', (text) => {
    expect(parseDn(text)).toBeNull()
  })
})

describe('comparing', () => {
  test.each([
    ['cn=a b,dc=x', false],
    ['cn=a\\20\\20b , dc=x', false],
    ['cn=a\u00a0b,dc=x', false],
    ['cn=a\tb,dc=x', true],
    ['cn=a\\0ab,dc=x', true],
    ['dc=x,ou=a\\E2\\80\\A8b', true],
    ['no dn\t at all', false],
  ])('%j has white space that is no blank: %s', (text, has) => {
    expect(hasOddSpace(text)).toBe(has)
  })

  test('spelling does not matter', () => {
    const spellings = ['cn=Doe\\, J,dc=Bank', 'CN=doe\\2c j,DC=bank', 'cn = "Doe,  J" , dc=bank', 'cn=doe\\, j,dc=bank']
    expect(new Set(spellings.map(dnKey)).size).toBe(1)
    expect(dnKey('uid=a+cn=b,dc=x')).toBe(dnKey('CN=B+UID=A,DC=X'))
  })

  test('the quick path and the parser agree on every DN', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 3 }), (values) => {
        const dn = dnOf(values)
        expect(dnKey(dn)).toBe(dnKey(` ${dn.replaceAll(',', ' , ')}`))
      }),
    )
  })

  test('different values are different', () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        const fold = (text: string) => text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ')
        fc.pre(fold(one) !== fold(other))
        expect(dnKey(dnOf([one]))).not.toBe(dnKey(dnOf([other])))
      }),
    )
    expect(dnKey('cn=a\\,dc=b,dc=x')).not.toBe(dnKey('cn=a,dc=b,dc=x'))
    expect(dnKey('garbage')).not.toBe(dnKey('cn=garbage'))
  })
})
