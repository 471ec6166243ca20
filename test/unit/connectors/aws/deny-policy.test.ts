import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { denies, type Ending, mergeDenies, others, policyLimit } from '../../../../src/connectors/aws/deny-policy.ts'

const user = 'a1b2c3d4-5678-90ab-cdef-000000000001'
const now = Date.parse('2026-03-01T12:00:00Z')
const at = (ms: number) => ({ userId: user, at: ms })
const mergeDeny = (document: string, ending: Ending, moment: number) => mergeDenies(document, [ending], moment)
const policyOf = (merged: ReturnType<typeof mergeDenies>): string => {
  if (merged.kind !== 'merged' || merged.policy === null) throw new Error('nothing is written')
  return merged.policy
}

describe('a Deny in an inline policy', () => {
  test('of a permission set without one: a whole policy', () => {
    const policy = policyOf(mergeDeny('', at(now), now))
    expect(JSON.parse(policy)).toMatchObject({ Version: '2012-10-17', Statement: [{ Effect: 'Deny' }] })
    expect(denies(policy, at(now))).toBe(true)
    // Beyond our time by what AWS allows a clock to be off, and a minute to spare.
    expect(JSON.parse(policy).Statement[0].Condition.DateLessThan).toEqual({
      'aws:TokenIssueTime': '2026-03-01T12:06:00Z',
    })
    // The same with a fraction: as AWS may show it, and as it was written once.
    expect(denies(policy.replace('12:06:00Z', '12:06:00.000Z'), at(now))).toBe(true)
    // To the second, and never short of what it must reach.
    expect(policyOf(mergeDeny('', at(now + 1), now))).toContain('"2026-03-01T12:06:01Z"')
    expect(denies(policy, at(now + 60_000))).toBe(true)
    expect(denies(policy, at(now + 60_001))).toBe(false)
    expect(denies(policy, { userId: 'another', at: 0 })).toBe(false)
  })

  test('a single statement that is no list becomes one', () => {
    const policy = policyOf(
      mergeDeny('{"Version":"2012-10-17","Statement":{"Sid":"One","Effect":"Allow"} }', at(now), now),
    )
    expect(JSON.parse(policy).Statement.map(({ Sid }: { Sid: string }) => Sid)[0]).toBe('One')
    expect(others(policy)).toEqual(['{"Sid":"One","Effect":"Allow"}'])
  })

  test.each(['no policy', '[]', '{"Version":"2012-10-17"}', '{"Statement":', '"Statement"'])(
    '%s is left alone',
    (document) => {
      expect(mergeDeny(document, at(now), now)).toEqual({ kind: 'unreadable' })
    },
  )

  test('what covers a later ending is not written again, what does not is replaced, outlived ones go', () => {
    const first = policyOf(mergeDeny('', at(now), now))
    expect(mergeDeny(first, at(now + 60_000), now + 60_000)).toMatchObject({
      policy: null,
      added: [],
      wasSo: [at(now + 60_000)],
    })
    // It was «fresh» for five minutes once, and a session may have begun in them.
    const soon = policyOf(mergeDeny(first, at(now + 61_000), now + 61_000))
    expect(denies(soon, at(now + 61_000))).toBe(true)
    const later = policyOf(mergeDeny(first, at(now + 3_600_000), now + 3_600_000))
    expect(JSON.parse(later).Statement).toHaveLength(1)
    expect(denies(later, at(now + 3_600_000))).toBe(true)
    const other = { userId: 'ffffffff-0000-4000-8000-000000000000', at: now + 13 * 3_600_000 }
    const pruned = policyOf(mergeDeny(first, other, other.at))
    expect(denies(pruned, at(now))).toBe(false)
    expect(denies(pruned, other)).toBe(true)
  })

  test('a statement by our name that says something else denies nobody, and is written anew', () => {
    const policy = policyOf(mergeDeny('', at(now), now))
    const [ours] = JSON.parse(policy).Statement
    const { StringEquals, DateLessThan } = ours.Condition
    const changed: readonly (readonly [string, object])[] = [
      ['allows', { ...ours, Effect: 'Allow' }],
      ['one action', { ...ours, Action: ['s3:*'] }],
      ['all but', { Sid: ours.Sid, Effect: 'Deny', NotAction: ['s3:*'], Resource: ['*'], Condition: ours.Condition }],
      ['one resource', { ...ours, Resource: ['arn:aws:s3:::one'] }],
      ['another user', { ...ours, Condition: { DateLessThan, StringEquals: { 'identitystore:userId': 'another' } } }],
      ['one more condition', { ...ours, Condition: { ...ours.Condition, Bool: { 'aws:SecureTransport': 'false' } } }],
      ['the other way', { ...ours, Condition: { StringEquals, DateGreaterThan: DateLessThan } }],
    ]
    for (const [what, one] of changed) {
      const document = JSON.stringify({ Version: '2012-10-17', Statement: [one] })
      expect([what, denies(document, at(now))]).toEqual([what, false])
      expect(JSON.parse(policyOf(mergeDeny(document, at(now), now))).Statement).toEqual([ours])
    }
    // As AWS may hand it out.
    const anew = {
      Resource: '*',
      Action: '*',
      Condition: { DateLessThan, StringEquals: { 'identitystore:userId': [user] } },
      Effect: 'Deny',
      Sid: ours.Sid,
    }
    expect(denies(JSON.stringify({ Statement: anew }, null, 2), at(now))).toBe(true)
  })

  test('too large: said with its size, and only of whom there is no room for', () => {
    const [one, other] = [at(now), { userId: 'a1b2c3d4-5678-90ab-cdef-000000000002', at: now }]
    const size = policyOf(mergeDeny('', one, now)).length
    // Room for one, to the last character.
    const sid = 'x'.repeat(policyLimit - size - '{"Sid":""},'.length)
    const full = JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: sid }] })
    const merged = mergeDenies(full, [one, other], now)
    expect(merged).toMatchObject({ added: [one], wasSo: [] })
    const policy = policyOf(merged)
    expect(policy).toHaveLength(policyLimit)
    expect([denies(policy, one), denies(policy, other)]).toEqual([true, false])
    expect(merged.kind === 'merged' && merged.tooLarge.get(other)).toBeGreaterThan(policyLimit)
    // Whoever is denied already takes no room.
    expect(mergeDenies(policy, [other, one], now)).toMatchObject({ policy: null, added: [], wasSo: [one] })
  })

  test('whatever others wrote stays the same bytes', () => {
    const statement = fc.record({
      Sid: fc.string().filter((sid) => !sid.startsWith('MusterEndSessions')),
      Effect: fc.constantFrom('Allow', 'Deny'),
      Resource: fc.oneof(fc.string(), fc.array(fc.string())),
      Condition: fc.dictionary(fc.string(), fc.jsonValue()),
    })
    const spaces = fc.constantFrom(undefined, 1, 2, '\t')
    fc.assert(
      fc.property(fc.array(statement), fc.jsonValue(), spaces, (statements, more, indent) => {
        const document = JSON.stringify(
          { Version: '2012-10-17', Id: more, Statement: statements, After: more },
          null,
          indent,
        )
        const policy = policyOf(mergeDeny(document, at(now), now))
        expect(others(policy)).toEqual(others(document))
        expect(others(document)).toHaveLength(statements.length)
        const parsed = JSON.parse(policy)
        expect(parsed.Statement.slice(0, -1)).toEqual(JSON.parse(document).Statement)
        expect({ ...parsed, Statement: [] }).toEqual({ ...JSON.parse(document), Statement: [] })
        for (const text of others(document) ?? []) expect(policy).toContain(text)
      }),
    )
  })
})
