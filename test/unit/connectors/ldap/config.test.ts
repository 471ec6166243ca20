import { describe, expect, test } from 'vitest'
import { ldapSettingsSchema } from '../../../../src/connectors/ldap/config.ts'

const good = {
  url: 'ldaps://ldap.bank.example',
  bindDn: 'cn=muster,dc=bank,dc=example',
  bindPassword: 'secret',
  peopleBase: 'ou=people,dc=bank,dc=example',
  groupsBase: 'ou=groups,dc=bank,dc=example',
  account: { rdn: 'uid={username}', attributes: { cn: '{displayName}', sn: '{familyName}' } },
}
const problems = (changes: Readonly<Record<string, unknown>>) =>
  ldapSettingsSchema.safeParse({ ...good, ...changes }).error?.issues.map(({ path }) => path.join('.')) ?? []

test('little is needed; the rest has defaults', () => {
  expect(ldapSettingsSchema.parse(good)).toMatchObject({
    correlation: 'employeeNumber',
    group: { memberAttribute: 'member', placeholder: 'cn=nobody' },
    account: { objectClasses: ['inetOrgPerson'], initialPassword: 'ssha' },
    createConnections: 2,
  })
})

describe('security is said, never assumed', () => {
  test.each([
    [{ url: 'ldap://ldap.bank.example' }, ['security']],
    [{ url: 'ldap://ldap.bank.example', security: 'tls' }, ['security']],
    [{ url: 'ldaps://ldap.bank.example', security: 'plain' }, ['security']],
    [{ url: 'ldap://ldap.bank.example', security: 'startTls' }, []],
    [{ url: 'ldap://ldap.bank.example', security: 'plain' }, []],
    [{ url: 'ldaps://ldap.bank.example', security: 'tls' }, []],
    [{ url: 'http://ldap.bank.example' }, ['url', 'security']],
    [{ url: 'ldaps://ldap.bank.example/dc=x' }, ['url']],
    [{ bindPassword: '' }, ['bindPassword']],
  ])('%j', (changes, expected) => {
    expect(problems(changes)).toEqual(expected)
  })
})

describe('what would fail later is found now', () => {
  test.each([
    [{ peopleBase: 'people' }, ['peopleBase']],
    [{ account: { ...good.account, rdn: '{username}' } }, ['account.rdn']],
    [{ account: { ...good.account, rdn: 'uid={user name}' } }, ['account.rdn']],
    [{ account: { ...good.account, attributes: { cn: '{displayName' } } }, ['account.attributes.cn']],
    [{ account: { ...good.account, attributes: { UID: '{username}' } } }, ['account.attributes.UID']],
    [{ account: { ...good.account, attributes: { employeenumber: '{personKey}' } } }, ['account.attributes']],
    [{ account: { ...good.account, attributes: { 'c n': 'x' } } }, ['account.attributes.c n']],
    [{ alternatives: [{ property: 'mail', template: '{workEmail}', verify: { sn: '{familyName}' } }] }, []],
    [{ alternatives: [{ property: 'mail', template: '{workEmail}', verify: {} }] }, ['alternatives.0.verify']],
    [
      { alternatives: [{ property: 'mail', template: '{workEmail}', verify: { sn: 'Doe' } }] },
      ['alternatives.0.verify'],
    ],
    [
      { alternatives: [{ property: 'mail', template: '{workEmail}', verify: { MAIL: '{workEmail}' } }] },
      ['alternatives.0.verify.MAIL'],
    ],
    [
      { alternatives: [{ property: 'mail', template: 'jo@x', verify: { sn: '{familyName}' } }] },
      ['alternatives.0.template'],
    ],
    [
      { alternatives: [{ property: 'employeenumber', template: '0{personKey}', verify: { sn: '{familyName}' } }] },
      ['alternatives.0.property'],
    ],
    [
      { alternatives: [{ property: 'mail', template: '{workEmail}', verify: { employeeNumber: '{personKey}' } }] },
      ['alternatives.0.verify.employeeNumber'],
    ],
    [{ tiemouts: {} }, ['']],
  ])('%j', (changes, expected) => {
    expect(problems(changes)).toEqual(expected)
  })
})

test.each(['userPassword', 'userpassword', 'pwdAccountLockedTime', 'objectClass', 'entryUUID'])(
  'what the connector itself decides by is nothing to be mapped: %s',
  (name) => {
    // A template of it would be everybody's password, or open whoever is shut.
    const attributes = { ...good.account.attributes, [name]: '{personKey}' }
    expect(problems({ account: { ...good.account, attributes } })).not.toEqual([])
  },
)
