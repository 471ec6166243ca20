import { expect, test } from 'vitest'
import { judged } from '../../../../src/connectors/ad/own-password.ts'

/** 2026-11-21T00:00:00Z, as AD counts: `date -d 2026-11-21Z +%s`, then (s + 11644473600) · 10^7. */
const now = 1_795_219_200_000
const at = (days: number) => String((BigInt(now + days * 86_400_000) + 11_644_473_600_000n) * 10_000n)

test.each([
  ['9223372036854775807', { problems: [], facts: ['its password does not end'] }],
  [at(30), { problems: [], facts: ['its password until 2026-12-21'] }],
  [at(13), { problems: ['the password ends on 2026-12-04'] }],
  [at(0), { problems: ['the password ended on 2026-11-21'] }],
  ['0', { problems: ['the password must be changed before the next sign-in'] }],
  [undefined, { problems: [], unknown: [expect.stringContaining('cannot be read')] }],
  ['', { problems: [], unknown: [expect.stringContaining('cannot be read')] }],
])('%s', (told, report) => {
  expect(judged(told, now)).toEqual(report)
})

test('the count begins in 1601', () => {
  expect(judged('133168320000000000', 0).facts).toEqual(['its password until 2022-12-30'])
})
