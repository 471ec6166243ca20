import { expect, test } from 'vitest'
import { awsIamSettingsSchema } from '../../../../src/connectors/aws-iam/config.ts'
import { roleNameOf } from '../../../../src/connectors/aws-iam/lookup.ts'
import { awsIamManifest } from '../../../../src/connectors/aws-iam/manifest.ts'
import { protectionOf } from '../../../../src/connectors/aws-iam/roles.ts'
import { isSessionName, sessionNameOf } from '../../../../src/connectors/aws-iam/session-name.ts'

const minimal = {
  accountId: '123456789012',
  federation: { kind: 'saml', providerArn: 'arn:aws:iam::123456789012:saml-provider/Entra' },
  roles: [{ name: 'team-*' }],
}
const isTaken = (changes: Readonly<Record<string, unknown>>) =>
  awsIamSettingsSchema.safeParse({ ...minimal, ...changes }).success

test('little must be said', () => {
  const settings = awsIamSettingsSchema.parse(minimal)
  expect(settings).toMatchObject({
    region: 'us-east-1',
    credentials: { from: 'default' },
    federation: { audience: 'https://signin.aws.amazon.com/saml', tagSession: false },
    session: { name: '{personKey}', trustName: false },
    roles: [{ name: 'team-*', path: '/' }],
    sidPrefix: 'Muster',
    trustPolicyLimit: 2_048,
    sessions: 'none',
  })
  expect(awsIamManifest(settings)).toMatchObject({ disable: 'none', deleteAccount: 'none', settleMs: 15_000 })
})

test.each([
  ['{personKey}', false, true],
  ['p.{personKey}@bank.example', false, true],
  ['{username}', false, false],
  ['{username|personKey}', false, false],
  ['{username}', true, true],
  ['{personKey', true, false],
])('a session named %s, trusted %s: %s', (name, trustName, taken) => {
  expect(isTaken({ session: { name, trustName } })).toBe(taken)
})

test.each([
  ['no roles', { roles: [] }],
  ['a star in the middle', { roles: [{ name: 'a*b' }] }],
  ['a path without its end', { roles: [{ name: '*', path: '/team' }] }],
  ['an account', { accountId: '1234' }],
  ['a provider of another account', { accountId: '999999999999' }],
  ['a provider of the other kind', { federation: { ...minimal.federation, kind: 'oidc', audience: 'aws' } }],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of IAM
  ['a variable as audience', { federation: { ...minimal.federation, audience: '${aws:username}' } }],
  ['a wildcard as audience', { federation: { ...minimal.federation, audience: '*' } }],
  ['a Sid', { sidPrefix: 'Muster-1' }],
  ['a size beyond the quota', { trustPolicyLimit: 10_000 }],
  ['a word that nobody knows', { sesions: 'none' }],
])('refused: %s', (_, changes) => {
  expect(isTaken(changes)).toBe(false)
})

test.each([
  ['P-1001', true],
  ['a+b=c,d.e@f-g_h', true],
  ['x'.repeat(64), true],
  ['x'.repeat(65), false],
  ['x', false],
  ['', false],
  ['a b', false],
  ['principal:AROA', false],
  ['*', false],
  ['P-*', false],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of IAM
  ['${aws:username}', false],
  ['Jörg', false],
])('%s is a session name: %s', (name, is) => {
  expect(isSessionName(name)).toBe(is)
  expect(sessionNameOf({ session: { name: '{personKey}', trustName: false } }, { personKey: name })).toBe(
    is ? name : null,
  )
})

const { roles } = awsIamSettingsSchema.parse({
  ...minimal,
  roles: [{ name: 'Team-*' }, { name: 'exactly', path: '/apps/' }],
})
test.each([
  ['team-a', '/', null],
  ['TEAM-A', '/any/where/', null],
  ['exactly', '/apps/x/', null],
  ['exactly', '/', 'not-listed'],
  ['exactly-not', '/apps/', 'not-listed'],
  ['AWSReservedSSO_team', '/aws-reserved/sso.amazonaws.com/', 'reserved-by-aws'],
  ['team-x', '/aws-service-role/x.amazonaws.com/', 'reserved-by-aws'],
])('%s at %s: %s', (name, path, protection) => {
  expect(protectionOf({ roles }, { name, path })).toBe(protection)
})

test.each([
  ['role/team-a', 'team-a'],
  ['role/', null],
  ['role/a/b', null],
  ['role/a b', null],
  ['group/x', null],
  [`role/${'x'.repeat(65)}`, null],
])('%s names %s', (lookup, name) => {
  expect(roleNameOf(lookup)).toBe(name)
})
