/** Look-ups, native ids, handles, who owns what: small things that everything rests on. */
import { describe, expect, test } from 'vitest'
import { awsSettingsSchema } from '../../../../src/connectors/aws/config.ts'
import { assignmentNativeId, parseLookup, parseNativeId } from '../../../../src/connectors/aws/entitlement.ts'
import { readHandle, writeHandle } from '../../../../src/connectors/aws/handle.ts'
import { ownerOf } from '../../../../src/connectors/aws/ownership.ts'
import { type Failure, failed, ok } from '../../../../src/connectors/aws-wire/errors.ts'
import { readAllPages } from '../../../../src/connectors/aws-wire/pages.ts'
import { namesThePerson } from '../../../../src/connectors/template.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'

const minimal = {
  region: 'eu-central-1',
  instanceArn: 'arn:aws:sso:::instance/ssoins-0123456789abcdef',
  identityStoreId: 'd-0123456789',
}

describe('look-ups', () => {
  test.each([
    ['group/Traders', { kind: 'group', by: { name: 'Traders' } }],
    ['group/ a/b #1 ', { kind: 'group', by: { name: ' a/b #1 ' } }],
    [
      'group/externalId:https://scim.aws.com/a1/b-2',
      { kind: 'group', by: { issuer: 'https://scim.aws.com/a1', id: 'b-2' } },
    ],
    ['group/externalId:b-2', null],
    ['group/externalId:https://scim.aws.com/', null],
    ['assignment/123456789012/Trader', { kind: 'assignment', accountId: '123456789012', permissionSet: 'Trader' }],
    ['group/', null],
    ['assignment/12345678901/Trader', null],
    ['assignment/123456789012/', null],
    ['assignment/123456789012/no spaces', null],
    ['role/x', null],
    ['', null],
  ])('%j', (lookup, named) => {
    expect(parseLookup(lookup)).toEqual(named)
  })

  test('native ids tell their kind', () => {
    const arn = 'arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef'
    expect(parseNativeId(assignmentNativeId('123456789012', arn))).toEqual({
      kind: 'assignment',
      accountId: '123456789012',
      permissionSetArn: arn,
    })
    expect(parseNativeId('a1b2c3d4-5678-90ab-cdef-000000000001' as NativeId).kind).toBe('group')
  })
})

describe('handles', () => {
  test('come back as they went, and nothing else is taken for one', () => {
    const handle = { kind: 'creation', request: 'r', place: 'p' } as const
    expect(readHandle(writeHandle(handle))).toEqual(handle)
    for (const text of ['', 'null', '{"kind":"creation"}', '{"kind":"else"}', '{"kind":"settling","until":1,"more":2}'])
      expect(readHandle(text)).toBeNull()
  })
})

describe('ownership', () => {
  const { ownership } = awsSettingsSchema.parse({
    ...minimal,
    ownership: {
      default: 'nobody',
      groups: [
        { name: 'muster-idp-*', owner: 'scim-idp' },
        { name: 'muster-*', owner: 'muster' },
        { name: 'Exactly', owner: 'muster' },
      ],
    },
  })
  test.each([
    ['muster-traders', false, 'muster'],
    ['muster-idp-traders', false, 'scim-idp'],
    ['muster-traders', true, 'scim-idp'],
    ['Exactly', false, 'muster'],
    ['Exactly not', false, 'nobody'],
    ['AWSAdministrators', false, 'nobody'],
    ['awsLogs', false, 'nobody'],
  ])('%s, from SCIM %s: %s', (name, fromScim, owner) => {
    expect(ownerOf({ ownership }, { name, fromScim }).owner).toBe(owner)
  })

  test('in whatever case a name is written', () => {
    const rules = {
      default: 'muster',
      groups: [
        { name: 'scim-*', owner: 'scim-idp' },
        { name: 'Exact', owner: 'nobody' },
      ],
    } as const
    const owner = (name: string) =>
      ownerOf({ ownership: { ...rules, groups: [...rules.groups] } }, { name, fromScim: false }).owner
    expect(['SCIM-Finance', 'EXACT', 'exactly'].map(owner)).toEqual(['scim-idp', 'nobody', 'muster'])
  })

  test('even where everything is ours, what begins with AWS is not', () => {
    const all = awsSettingsSchema.parse({ ...minimal, ownership: { groups: [{ name: '*', owner: 'muster' }] } })
    expect(ownerOf(all, { name: 'AWSControlTowerAdmins', fromScim: false }).owner).toBe('nobody')
  })
})

describe('settings', () => {
  const refuses = (changes: Readonly<Record<string, unknown>>) =>
    awsSettingsSchema.safeParse({ ...minimal, ...changes }).success === false

  test('little must be said; the person key finds the person', () => {
    const settings = awsSettingsSchema.parse(minimal)
    expect(settings).toMatchObject({
      credentials: { from: 'default' },
      correlation: { lookups: [{ by: 'userName', value: '{personKey}' }] },
      account: { userName: '{personKey}' },
      ownership: { default: 'muster', groups: [] },
      assignments: 'manage',
      sessions: 'none',
      callsPerSecond: { identityStore: 20, ssoAdmin: 20 },
    })
  })

  test('a name that anybody may get one day needs a proof, or the word none', () => {
    const byMail = { lookups: [{ by: 'email', value: '{workEmail}' }] }
    expect(refuses({ correlation: byMail })).toBe(true)
    expect(refuses({ correlation: { ...byMail, proof: 'employeeNumber' } })).toBe(false)
    expect(refuses({ correlation: { ...byMail, proof: 'none' } })).toBe(false)
    expect(refuses({ correlation: { lookups: [] } })).toBe(true)
  })

  test.each([
    ['{personKey}', true],
    ['p-{personKey}@bank.example', true],
    ['{username}', false],
    ['{username|personKey}', false],
    ['{personKey|username}', true],
    ['{personKeyOfSomebody}', false],
  ])('%s names the person: %s', (value, names) => {
    expect(namesThePerson(value)).toBe(names)
  })

  test.each([
    ['a region', { region: 'Frankfurt' }],
    ['an instance', { instanceArn: 'arn:aws:sso:::instance/x' }],
    ['an identity store', { identityStoreId: 'd-zzz' }],
    ['a pattern', { ownership: { groups: [{ name: 'a*b', owner: 'muster' }] } }],
    ['a template', { account: { userName: '{personKey' } }],
    ['an attribute', { account: { attributes: { shoeSize: '{username}' } } }],
    ['a role', { credentials: { from: 'webIdentity', roleArn: 'me', tokenFile: '/t' } }],
    ['an endpoint', { endpoint: 'ftp://x' }],
    ['a word that nobody knows', { sessoins: 'none' }],
  ])('refuses what is not %s', (_, changes) => {
    expect(refuses(changes)).toBe(true)
  })
})

describe('pages', () => {
  const pages = (...all: readonly (readonly [readonly number[], string | undefined])[]) => {
    const queue = all.values()
    return async () => {
      const [items = [], next] = queue.next().value ?? []
      return ok({ items, next })
    }
  }
  test('to the last, empty ones too', async () => {
    expect(await readAllPages(pages([[1], 'a'], [[], 'b'], [[2], undefined]))).toEqual(ok([1, 2]))
  })
  test.each([
    ['the same token again', pages([[1], 'a'], [[2], 'a'])],
    ['an older token', pages([[1], 'a'], [[2], 'b'], [[3], 'a'])],
    ['an empty token', pages([[1], ''])],
  ])('%s: nothing was read', async (_, read) => {
    expect(await readAllPages(read)).toMatchObject({ ok: false, failure: { word: 'repeated-token' } })
  })
  test('a page that fails: nothing was read', async () => {
    const failure: Failure = { code: '', word: 'no-answer', verdict: { kind: 'unknown' }, sent: 'sent' }
    let page = 0
    expect(await readAllPages(async () => (page++ === 0 ? ok({ items: [1], next: 'a' }) : failed(failure)))).toEqual(
      failed(failure),
    )
  })
})
