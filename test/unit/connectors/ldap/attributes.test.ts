import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attributesHash, differences, mapAttributes } from '../../../../src/connectors/attribute-mapping.ts'
import type { LdapSettings } from '../../../../src/connectors/ldap/config.ts'
import { mapRdn } from '../../../../src/connectors/ldap-wire/attributes.ts'

const account: LdapSettings['account'] = {
  objectClasses: ['inetOrgPerson'],
  rdn: 'uid={username|personKey}',
  attributes: {
    cn: '{displayName}',
    sn: '{familyName|displayName}',
    mail: ['{workEmail}', '{custom.alias}'],
    title: '{jobTitle} ({department})',
    roomNumber: '{custom.room}',
  },
  initialPassword: 'ssha',
}
const amit = {
  personKey: 'P-1',
  username: 'amit.r',
  displayName: 'Amit R',
  workEmail: 'a@x',
  'custom.alias': 'b@x',
  'custom.room': 7,
  department: null,
}

describe('templates', () => {
  test('fill attributes, alternatives and lists; what is missing leaves nothing', () => {
    expect(Object.fromEntries(mapAttributes(account.attributes, amit))).toEqual({
      cn: ['Amit R'],
      sn: ['Amit R'],
      mail: ['a@x', 'b@x'],
      title: ['()'],
      roomNumber: ['7'],
    })
    expect(Object.fromEntries(mapAttributes(account.attributes, {}))).toMatchObject({
      cn: [],
      mail: [],
      roomNumber: [],
    })
  })

  test('nothing is taken from the prototype of the attributes', () => {
    expect(Object.fromEntries(mapAttributes({ cn: '{constructor}' }, {}))).toEqual({
      cn: [],
    })
  })

  test('a value that looks like a template stays what it is', () => {
    expect(mapAttributes(account.attributes, { displayName: '{personKey}', personKey: 'P-1' }).get('cn')).toEqual([
      '{personKey}',
    ])
  })

  test('the name is escaped; without a value there is none', () => {
    expect(mapRdn(account, { username: 'a, b' })).toEqual({ name: 'uid', value: 'a, b', rdn: 'uid=a\\2c b' })
    expect(mapRdn(account, { personKey: 'P-1' })?.rdn).toBe('uid=P-1')
    expect(mapRdn(account, {})).toBeNull()
  })
})

describe('hash', () => {
  const mapped = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,5}$/),
    fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 3 }),
    { maxKeys: 5 },
  )

  test('does not depend on the order or case of names, on the order of values, or on empty attributes', () => {
    fc.assert(
      fc.property(mapped, (attributes) => {
        const entries = Object.entries(attributes)
        const shuffled = entries
          .toReversed()
          .map(([name, values]) => [name.toUpperCase(), values.toReversed()] as const)
        expect(attributesHash(new Map([...shuffled, ['none', []]]))).toBe(attributesHash(new Map(entries)))
      }),
    )
  })

  test('is equal exactly when nothing differs', () => {
    fc.assert(
      fc.property(mapped, mapped, (one, other) => {
        const [a, b] = [new Map(Object.entries(one)), new Map(Object.entries(other))]
        const differs = differences(a, b).length + differences(b, a).length > 0
        expect(attributesHash(a) === attributesHash(b)).toBe(!differs)
      }),
    )
  })

  test('tells values apart that only their seam distinguishes', () => {
    const hash = (values: string[]) => attributesHash(new Map([['cn', values]]))
    expect(hash(['a', 'b'])).not.toBe(hash(['a","b']))
    expect(hash(['ab'])).not.toBe(hash(['a', 'b']))
  })
})
