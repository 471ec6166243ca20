import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  fullSecond,
  longestSessionMs,
  readSessionPolicy,
  type SessionPolicy,
  writeSessionPolicy,
} from '../../../../src/connectors/aws-iam/session-policy.ts'

const role = 'AROAEXAMPLE0000000001'
const now = Date.parse('2026-03-01T12:00:00Z')
const none: SessionPolicy = { denials: new Map(), others: [] }

test('a Deny never stands without a userid and a time, and only on ours', () => {
  const name = fc.stringMatching(/^[\w+=,.@-]{2,20}$/)
  const time = fc.integer({ min: -50_000, max: 50_000 }).map((seconds) => now + seconds * 1_000)
  fc.assert(
    fc.property(fc.array(fc.tuple(name, time)), fc.array(fc.tuple(name, time)), (before, added) => {
      const written = writeSessionPolicy('Muster', role, { denials: new Map(before), others: [] }, new Map(added), now)
      const statements = written.document === '' ? [] : JSON.parse(written.document).Statement
      for (const one of statements) {
        const userIds: readonly string[] = one.Condition.StringEquals['aws:userid']
        expect(userIds.length).toBeGreaterThan(0)
        expect(userIds.every((id) => id.startsWith(`${role}:`) && id.length > role.length + 2)).toBe(true)
        expect(Object.keys(one.Condition)).toEqual(['StringEquals', 'DateLessThan'])
        expect(Date.parse(one.Condition.DateLessThan['aws:TokenIssueTime'])).toBeGreaterThan(now - longestSessionMs)
      }
      expect(new Set(statements.map(({ Sid }: { Sid: string }) => Sid)).size).toBe(statements.length)
      // Read again: everybody at their newest time, unless it has outlived every session.
      const newest = new Map<string, number>()
      for (const [who, at] of [...new Map(before), ...new Map(added)])
        if (now - at < longestSessionMs) newest.set(who, Math.max(at, newest.get(who) ?? 0))
      const again = readSessionPolicy('Muster', role, written.document)
      expect([...(again?.denials ?? [])].sort()).toEqual([...newest].sort())
    }),
  )
})

test.each([
  ['another role', (text: string) => text.replaceAll(role, 'AROAOTHER')],
  ['an Allow', (text: string) => text.replace('Deny', 'Allow')],
  ['one action only', (text: string) => text.replace('"Action":"*"', '"Action":"s3:*"')],
  ['a further condition', (text: string) => text.replace('"DateLessThan"', '"Bool":{"aws:x":"true"},"DateLessThan"')],
  ['no time', (text: string) => text.replace(/,"DateLessThan":\{[^}]*\}/, '')],
  ['no person', (text: string) => text.replace(/"StringEquals":\{[^}]*\},/, '')],
])('a statement of our Sid for %s ends nobody’s session, and stays', (_, damage) => {
  const { document } = writeSessionPolicy('Muster', role, none, new Map([['P-1', now]]), now)
  const read = readSessionPolicy('Muster', role, damage(document))
  expect([...(read?.denials ?? [])]).toEqual([])
  expect(read?.others).toHaveLength(1)
})

test('nothing left to say is no policy', () => {
  const old: SessionPolicy = { denials: new Map([['P-1', now - longestSessionMs]]), others: [] }
  expect(writeSessionPolicy('Muster', role, old, new Map(), now)).toMatchObject({ document: '', size: 0 })
  expect(readSessionPolicy('Muster', role, '')).toEqual(none)
  expect(readSessionPolicy('Muster', role, 'x')).toBeNull()
})

test('times are full seconds, never earlier', () => {
  expect([fullSecond(1_000), fullSecond(1_001)]).toEqual([1_000, 2_000])
})
