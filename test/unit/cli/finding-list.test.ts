import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkout } from '../../../scripts/stack/download.ts'
import { aboutText, ageText, detailText, entitlementIn } from '../../../src/cli/finding-about.ts'
import { findingHints } from '../../../src/cli/finding-hints.ts'
import { refusalReasons } from '../../../src/domain/outcome.ts'

const subject = '45d5e83d-0000-4000-8000-000000000000'
const streams = new Map([
  [6, { topic: 'hr.worker.v1', partition: 5, current: true }],
  [2, { topic: 'hr.worker.v1', partition: 5, current: false }],
])

test('a finding is told by names, never by our numbers or by a subject reference', () => {
  const about = (kind: string, key: string, detail: Record<string, unknown>, name: string | null = null) =>
    aboutText({ kind, key, detail }, name, streams)
  expect(about('grant-missing', `${subject}:11`, { entitlement: 11 }, 'CBS_LoanApprove')).toBe('CBS_LoanApprove')
  expect(about('sod-violation', `${subject}:s2`, { policy: 's2' })).toBe('s2')
  expect(about('quarantined-termination', '6/337', { stream: 6, offset: 337 })).toBe('hr.worker.v1/5/337')
  expect(about('quarantined-termination', '2/337', { stream: 2, offset: 337 })).toBe('2/337')
  expect(about('entitlement-missing', 'action:9', { entitlement: 11 }, 'App_Crm')).toBe('action 9')
  const guard = { kind: 'guard-tripped', key: 'bank-ldap:holders:11', detail: {} }
  expect([entitlementIn(guard), aboutText(guard, 'App_Crm', streams)]).toEqual([11, 'bank-ldap:holders:App_Crm'])
  expect(detailText({ kind: 'x', key: '6/1', detail: { stream: 6, offset: 1, reason: 'not-json' } }, null)).toBe(
    'reason=not-json',
  )
})

test.each([
  [0, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [7_199, '1 h'],
  [86_399, '23 h'],
  [200_000, '2 d'],
])('open for %i seconds: %s', (seconds, text) => {
  expect(ageText(seconds)).toBe(text)
})

test('every kind that the operators page explains has a hint, and every hint is explained there', () => {
  const page = readFileSync(join(checkout, 'docs/operators.md'), 'utf8')
  const table = page.slice(page.indexOf('\n## Findings'))
  const kinds = table
    .split('\n')
    .flatMap((line) => /^\|((?: *`[a-z-]+`,?)+) \|/.exec(line)?.[1]?.match(/[a-z-]+/g) ?? [])
  expect(Object.keys(findingHints).sort()).toEqual([...kinds].sort())
  expect(refusalReasons.filter((reason) => reason !== 'credential' && findingHints[reason] === undefined)).toEqual([])
})
