import { expect, test } from 'vitest'
import { targetSettings } from '../../../src/app/targets.ts'
import { musterFile } from '../../../src/config/muster-file.ts'

const ldap = {
  url: 'ldaps://one.example',
  bindDn: 'cn=muster',
  bindPassword: 'one',
  peopleBase: 'ou=people,dc=x',
  groupsBase: 'ou=groups,dc=x',
  account: { rdn: 'uid={username}', attributes: { cn: '{displayName}', sn: '{familyName}' } },
}
const ad = {
  urls: ['ldaps://one.example'],
  bindName: 'muster',
  bindPassword: 'one',
  peopleBase: 'ou=people,dc=x',
  groupsBase: 'ou=groups,dc=x',
}
const aws = {
  region: 'eu-central-1',
  instanceArn: 'arn:aws:sso:::instance/ssoins-1234567890abcdef',
  identityStoreId: 'd-1234567890',
}
const iam = {
  accountId: '123456789012',
  federation: { kind: 'saml', providerArn: 'arn:aws:iam::123456789012:saml-provider/idp' },
  roles: [{ name: 'App-*' }],
}
const entra = {
  tenant: '11111111-2222-4333-8444-555555555555',
  clientId: '11111111-2222-4333-8444-555555555556',
  credential: { kind: 'secret', secret: 'one' },
  account: { userPrincipalName: '{username}@x.example' },
}

const hashOf = (type: string, target: object): string => {
  const { targets } = musterFile.parse({
    sources: [{ id: 'hr', type: 'kafka', topics: ['hr'] }],
    targets: [{ id: 'one', type, ...target }],
  })
  return targetSettings(targets[0] as (typeof targets)[number]).planningHash as string
}
const byMail = [{ property: 'mail', template: '{workEmail}', verify: { surname: '{familyName}' } }]
const alternatives = [{ property: 'mail', template: '{workEmail}', verify: { sn: '{familyName}' } }]
const plain = hashOf('ldap', { ldap })
const mapped = (attributes: object) => ({ ldap: { ...ldap, account: { ...ldap.account, attributes } } })

test.each([
  ['a template', mapped({ cn: '{displayName}', sn: '{username}' })],
  ['an attribute more', mapped({ ...ldap.account.attributes, title: '{jobTitle}' })],
  ['an attribute less', mapped({ cn: '{displayName}' })],
  ['what an account is called', { ldap: { ...ldap, account: { ...ldap.account, rdn: 'uid={personKey}' } } }],
  ['by what else accounts are found', { ldap: { ...ldap, alternatives } }],
  ['accounts', { ldap, accounts: 'expect' }],
  ['leaver.unmanaged', { ldap, leaver: { unmanaged: 'report' } }],
  ['leaver.deleteAfter', { ldap, leaver: { deleteAfter: '30d' } }],
  ['protect', { ldap, protect: { entitlements: ['Admins'] } }],
])('plans depend on %s', (_, target) => {
  expect(hashOf('ldap', target)).not.toBe(plain)
})

test.each([
  ['the order of attributes', mapped({ sn: '{familyName}', cn: '{displayName}' })],
  ['a password', { ldap: { ...ldap, bindPassword: 'two' } }],
  ['an address', { ldap: { ...ldap, url: 'ldaps://two.example' } }],
  ['the guard', { ldap, guard: { window: '2h' } }],
  ['a schedule', { ldap, reconcile: { every: '2h' } }],
  ['the mode, which is a row', { ldap, mode: 'enforce' }],
])('plans do not depend on %s', (_, target) => {
  expect(hashOf('ldap', target)).toBe(plain)
})

test('in which order things are protected does not matter', () => {
  const protecting = (entitlements: readonly string[]) => hashOf('ldap', { ldap, protect: { entitlements } })
  expect(protecting(['A', 'B'])).toBe(protecting(['B', 'A']))
})

test.each([
  ['ad', { ad }, { ad: { ...ad, account: { sAMAccountName: '{personKey}' } } }],
  ['ad', { ad }, { ad: { ...ad, alternatives } }],
  ['entra', { entra }, { entra: { ...entra, account: { userPrincipalName: '{personKey}@x.example' } } }],
  ['entra', { entra }, { entra: { ...entra, alternatives: byMail } }],
  ['aws', { aws }, { aws: { ...aws, account: { userName: '{username}' } } }],
  ['aws', { aws }, { aws: { ...aws, correlation: { lookups: [{ by: 'email', value: '{personKey}' }] } } }],
  ['aws-iam', { iam }, { iam: { ...iam, session: { name: '{personKey}-x' } } }],
])('the mapping of %s counts', (type, one, other) => {
  expect(hashOf(type, one)).toBe(hashOf(type, one))
  expect(hashOf(type, other)).not.toBe(hashOf(type, one))
})
