import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { adSettingsSchema } from '../../../src/connectors/ad/config.ts'
import { awsSettingsSchema } from '../../../src/connectors/aws/config.ts'
import { awsIamSettingsSchema } from '../../../src/connectors/aws-iam/config.ts'
import { entraSettingsSchema } from '../../../src/connectors/entra/config.ts'
import { ldapSettingsSchema } from '../../../src/connectors/ldap/config.ts'
import { templateNames, templateProblem } from '../../../src/connectors/template.ts'
import { workerAttributes } from '../../../src/domain/attributes.ts'
import type { EmploymentKey, PersonKey } from '../../../src/domain/ids.ts'
import { profileOf } from '../../../src/engine/profile.ts'

const directory = {
  bindPassword: 'secret',
  peopleBase: 'OU=People,DC=corp,DC=example',
  groupsBase: 'OU=Groups,DC=corp,DC=example',
}
const ldap = { ...directory, url: 'ldaps://ldap.example', bindDn: 'cn=muster,dc=example' }
const ad = { ...directory, urls: ['ldaps://dc1.corp.example'], bindName: 'muster@corp.example' }
const entra = {
  tenant: '84841066-274d-4ec0-a5c1-276be684bdd3',
  clientId: '9a3d526c-b3c1-4479-ba74-197b5c5751ae',
  credential: { kind: 'federated', tokenFile: '/var/run/token' },
}
const aws = {
  region: 'eu-central-1',
  instanceArn: 'arn:aws:sso:::instance/ssoins-0123456789abcdef',
  identityStoreId: 'd-0123456789',
}
const iam = {
  accountId: '123456789012',
  federation: { kind: 'saml', providerArn: 'arn:aws:iam::123456789012:saml-provider/Entra' },
  roles: [{ name: 'team-*' }],
}
const userPrincipalName = '{username}@contoso.com'
const displayName = '{displayName}'
const rdn = 'uid={username}'
const proof = 'employeeNumber'

/** Everywhere that a configuration may hold a template. */
const places: readonly (readonly [string, z.ZodType, (template: string) => unknown])[] = [
  ['ldap account.rdn', ldapSettingsSchema, (t) => ({ ...ldap, account: { rdn: `uid=${t}` } })],
  ['ldap account.attributes.mail', ldapSettingsSchema, (t) => ({ ...ldap, account: { rdn, attributes: { mail: t } } })],
  [
    'ldap account.attributes.mail.1',
    ldapSettingsSchema,
    (t) => ({ ...ldap, account: { rdn, attributes: { mail: ['{workEmail}', t] } } }),
  ],
  ['ad account.rdn', adSettingsSchema, (t) => ({ ...ad, account: { rdn: `CN=${t}` } })],
  ['ad account.sAMAccountName', adSettingsSchema, (t) => ({ ...ad, account: { sAMAccountName: t } })],
  ['ad account.userPrincipalName', adSettingsSchema, (t) => ({ ...ad, account: { userPrincipalName: t } })],
  ['ad account.attributes.mail', adSettingsSchema, (t) => ({ ...ad, account: { attributes: { mail: t } } })],
  ['ad account.attributes.mail.0', adSettingsSchema, (t) => ({ ...ad, account: { attributes: { mail: [t] } } })],
  ['entra account.userPrincipalName', entraSettingsSchema, (t) => ({ ...entra, account: { userPrincipalName: t } })],
  [
    'entra account.mailNickname',
    entraSettingsSchema,
    (t) => ({ ...entra, account: { userPrincipalName, mailNickname: t } }),
  ],
  [
    'entra account.attributes.department',
    entraSettingsSchema,
    (t) => ({ ...entra, account: { userPrincipalName, attributes: { displayName, department: t } } }),
  ],
  [
    'entra account.attributes.businessPhones.0',
    entraSettingsSchema,
    (t) => ({ ...entra, account: { userPrincipalName, attributes: { displayName, businessPhones: [t] } } }),
  ],
  [
    'ldap alternatives.0.template',
    ldapSettingsSchema,
    (t) => ({ ...ldap, alternatives: [{ property: 'mail', template: t, verify: { sn: '{familyName}' } }] }),
  ],
  [
    'ad alternatives.0.verify.sn',
    adSettingsSchema,
    (t) => ({ ...ad, alternatives: [{ property: 'mail', template: '{workEmail}', verify: { sn: t } }] }),
  ],
  [
    'entra alternatives.0.template',
    entraSettingsSchema,
    (t) => ({
      ...entra,
      account: { userPrincipalName },
      alternatives: [{ property: 'mail', template: t, verify: { surname: '{familyName}' } }],
    }),
  ],
  [
    'entra alternatives.0.verify.surname',
    entraSettingsSchema,
    (t) => ({
      ...entra,
      account: { userPrincipalName },
      alternatives: [{ property: 'mail', template: '{workEmail}', verify: { surname: t } }],
    }),
  ],
  ['aws account.userName', awsSettingsSchema, (t) => ({ ...aws, account: { userName: t } })],
  ['aws account.attributes.email', awsSettingsSchema, (t) => ({ ...aws, account: { attributes: { email: t } } })],
  ...(['userName', 'email', 'externalId'] as const).map(
    (by) =>
      [
        'aws correlation.lookups.0.value',
        awsSettingsSchema,
        (t: string) => ({
          ...aws,
          correlation: { proof, lookups: [{ by, value: t, ...(by === 'externalId' ? { issuer: 'x' } : {}) }] },
        }),
      ] as const,
  ),
  ['aws-iam session.name', awsIamSettingsSchema, (t) => ({ ...iam, session: { name: t, trustName: true } })],
]

const told = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []

describe('a template that names what the engine never tells is refused, everywhere', () => {
  test.each(places)('%s', (place, schema, holding) => {
    const path = place.slice(place.indexOf(' ') + 1)
    for (const name of templateNames) expect(told(schema, holding(`{${name}}`))).toEqual([])
    expect(told(schema, holding('{custom.anything}'))).toEqual([])
    for (const template of ['{workEmal}', 'a{username}.{workEmal}', '{workEmail|workEmal}'])
      expect(told(schema, holding(template))).toEqual([`${path}: {workEmal} is no worker attribute`])
  })

  test('whatever the name, unless it is one', () => {
    const somebody = fc.stringMatching(/^[A-Za-z][\w.]{0,12}$/).filter((name) => !name.startsWith('custom.'))
    const nearly = fc
      .constantFrom(...templateNames)
      .chain((name) => fc.nat(name.length - 1).map((at) => name.slice(0, at) + name.slice(at + 1)))
    fc.assert(
      fc.property(fc.oneof(somebody, nearly), fc.constantFrom(...templateNames), (name, real) => {
        fc.pre(name !== '' && !templateNames.includes(name))
        expect(templateProblem(`{${name}}`)).not.toBeNull()
        expect(templateProblem(`x {${real}|${name}}`)).not.toBeNull()
      }),
    )
  })
})

test('what may be named is what the engine tells, no more and no less', () => {
  const attributes = Object.fromEntries(Object.keys(workerAttributes).map((name) => [name, 'x']))
  const profile = profileOf({
    personKey: 'P-1' as PersonKey,
    employmentKey: 'E-1' as EmploymentKey,
    primary: true,
    status: 'active',
    involuntary: false,
    hireDate: null,
    lastDayEndsAt: null,
    contractEndsAt: null,
    attributes,
  })
  expect(Object.keys(profile ?? {}).sort()).toEqual([...templateNames].sort())
})

test.each(['{', '}', '{}', '{a b}', '{username|}', '{{username}}', 'x {1a}', '{custom.}', '{constructor}'])(
  '%j is none',
  (text) => expect(templateProblem(text)).not.toBeNull(),
)
test.each(['plain', '{username}', '{givenName}.{familyName}@x', '{displayName|username|custom.c}'])(
  '%j is one',
  (text) => expect(templateProblem(text)).toBeNull(),
)
