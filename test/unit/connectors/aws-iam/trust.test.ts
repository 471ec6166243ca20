import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decoded, sizeOf } from '../../../../src/connectors/aws-iam/document.ts'
import { type Change, planTrust } from '../../../../src/connectors/aws-iam/plan-trust.ts'
import { readTrust, type Trust, writeTrust } from '../../../../src/connectors/aws-iam/trust.ts'
import { canonical } from '../../../../src/connectors/aws-wire/canonical.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'

const saml = {
  sidPrefix: 'Muster',
  trustPolicyLimit: 2_048,
  federation: {
    kind: 'saml',
    providerArn: 'arn:aws:iam::123456789012:saml-provider/Entra',
    audience: 'https://signin.aws.amazon.com/saml',
    tagSession: false,
  },
} as const
const theirs = '{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}'
const read = (document: string): Trust => {
  const trust = readTrust(saml, document)
  if (trust === null) throw new Error('not a policy')
  return trust
}
const other = read(`{"Version":"2012-10-17","Statement":[${theirs}]}`)
const change = (op: Change['op'], account: string, index = 0): Change => ({ op, account: account as NativeId, index })

describe('what is the same to IAM', () => {
  test.each([
    [{ Action: 'a' }, { Action: ['a'] }],
    [{ Action: ['b', 'a'] }, { Action: ['a', 'b'] }],
    [
      { A: 1, B: { C: ['x'] } },
      { B: { C: 'x' }, A: 1 },
    ],
    [[{ Sid: 'x' }], { Sid: 'x' }],
  ])('%j is %j', (one, another) => {
    expect(canonical(one)).toBe(canonical(another))
  })
  test.each([
    [{ Action: 'a' }, { Action: 'A' }],
    [{ Action: ['a', 'b'] }, { Action: ['a'] }],
    [{ Action: 'a' }, { NotAction: 'a' }],
  ])('%j is not %j', (one, another) => {
    expect(canonical(one)).not.toBe(canonical(another))
  })

  test('documents come percent-encoded or as they are; a percent sign of theirs stays', () => {
    const document = `{"Version":"2012-10-17","Statement":[{"Sid":"50%20é"}]}`
    expect(decoded(encodeURIComponent(document))).toBe(document)
    expect(decoded(document)).toBe(document)
    expect(decoded('')).toBe('')
  })

  test('white space does not count', () => {
    expect(sizeOf('{ "a":\n\t"b" }\r\n')).toBe('{"a":"b"}'.length)
  })
})

describe('our statements', () => {
  const people = fc.uniqueArray(fc.stringMatching(/^[\w+=,.@-]{2,20}$/), { maxLength: 20 })

  test('whoever is written is read, whatever the order; the rest is the same bytes', () => {
    fc.assert(
      fc.property(people, fc.boolean(), (names, tagSession) => {
        const rules = { ...saml, federation: { ...saml.federation, tagSession } }
        const document = writeTrust(rules, other, new Set(names))
        const trust = readTrust(rules, document)
        expect(trust).toMatchObject({ isAsWritten: true, strangers: [] })
        expect([...(trust?.people ?? [])].sort()).toEqual([...names].sort())
        expect(document).toContain(theirs)
        expect(writeTrust(rules, other, new Set(names.toReversed()))).toBe(document)
        if (names.length === 0) expect(document).toBe(`{"Version":"2012-10-17","Statement":[${theirs}]}`)
      }),
    )
  })

  test('OIDC: the subject of the token, and the session named by it', () => {
    const rules = {
      sidPrefix: 'Muster',
      federation: {
        kind: 'oidc',
        providerArn: 'arn:aws:iam::123456789012:oidc-provider/login.bank.example/t',
        audience: 'aws',
        tagSession: false,
      },
    } as const
    const [, ours] = JSON.parse(writeTrust(rules, other, new Set(['P-2', 'P-1']))).Statement
    expect(ours.Condition).toEqual({
      StringEquals: {
        'login.bank.example/t:aud': 'aws',
        'login.bank.example/t:sub': ['P-1', 'P-2'],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of IAM
        'sts:RoleSessionName': '${login.bank.example/t:sub}',
      },
    })
  })

  test.each(['', 'null', '[]', '{"Version":"2012-10-17"}', '{"Statement":[', 'x'])('%j is no policy', (document) => {
    // Empty text is a role without a policy: nothing is in it.
    expect(readTrust(saml, document) === null).toBe(document !== '')
  })

  test('another installation has other Sids', () => {
    const document = writeTrust(saml, other, new Set(['P-1']))
    const theirsNow = readTrust({ ...saml, sidPrefix: 'Muster2' }, document)
    expect([...(theirsNow?.people ?? [])]).toEqual([])
    expect(writeTrust({ ...saml, sidPrefix: 'Muster2' }, theirsNow ?? other, new Set(['P-2']))).toContain('"P-1"')
  })
})

describe('a plan', () => {
  test('who leaves makes room for who comes, in one document', () => {
    const full = new Set(Array.from({ length: 300 }, (_, at) => `P-${at}`))
    const names = [...full]
    while (sizeOf(writeTrust(saml, other, full)) > saml.trustPolicyLimit) full.delete(names.pop() ?? '')
    const trust = read(writeTrust(saml, other, full))
    const plan = planTrust(saml, trust, [change('grant', 'P-new', 0), change('revoke', 'P-100', 1)])
    expect([...plan.tooLarge]).toEqual([])
    expect(plan.people.has('P-new')).toBe(true)
    const refused = planTrust(saml, trust, [change('grant', 'P-newcomer', 0), change('grant', names[0] ?? '', 1)])
    expect([...refused.tooLarge.keys()]).toEqual([0])
    expect(refused.tooLarge.get(0)).toBeGreaterThan(2_048)
    expect([...refused.wasSo]).toEqual([1])
    expect(refused.document).toBeNull()
  })

  test('nothing to change: nothing is written', () => {
    const trust = read(writeTrust(saml, other, new Set(['P-1'])))
    const plan = planTrust(saml, trust, [change('grant', 'P-1', 0), change('revoke', 'P-2', 1)])
    expect(plan.document).toBeNull()
    expect([...plan.wasSo].sort()).toEqual([0, 1])
  })

  test('a statement that somebody changed is written anew even for somebody who is not in it', () => {
    const loose = read(writeTrust(saml, other, new Set(['P-1'])).replace('StringEquals', 'StringLike'))
    const plan = planTrust(saml, loose, [change('revoke', 'P-2', 0)])
    expect([...plan.wasSo]).toEqual([])
    expect(plan.document).toBe(writeTrust(saml, other, new Set(['P-1'])))
  })
})
