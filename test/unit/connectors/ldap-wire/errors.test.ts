import { describe, expect, test } from 'vitest'
import {
  causeOf,
  type Failure,
  isAlready,
  isElementCaused,
  outcomeOfRead,
  outcomeOfWrite,
  resultFailure,
  type Subject,
} from '../../../../src/connectors/ldap-wire/errors.ts'
import type { Outcome } from '../../../../src/domain/outcome.ts'

const word = (outcome: Outcome) => (outcome.kind === 'refused' ? `refused:${outcome.reason}` : outcome.kind)
const written = (code: number, subject: Subject = 'entitlement') =>
  word(outcomeOfWrite(resultFailure(code, ''), subject))
const broken = (sent: boolean): Failure => ({ code: 'ECONNRESET', result: null, word: 'connection-lost', sent })

describe('what a result code lets us know', () => {
  test.each([
    [1, 'unknown'],
    [2, 'refused:configuration'],
    [3, 'retry'],
    [4, 'refused:configuration'],
    [8, 'refused:configuration'],
    [10, 'refused:configuration'],
    [11, 'throttled'],
    [12, 'refused:configuration'],
    [13, 'refused:configuration'],
    [16, 'retry'],
    [19, 'refused:invalid'],
    [20, 'retry'],
    [21, 'refused:invalid'],
    [32, 'refused:entitlement-missing'],
    [34, 'refused:invalid'],
    [49, 'refused:credential'],
    [50, 'refused:not-allowed'],
    [51, 'throttled'],
    [52, 'retry'],
    [53, 'refused:not-allowed'],
    [65, 'refused:invalid'],
    [68, 'refused:name-taken'],
    [80, 'unknown'],
    [122, 'refused:entitlement-changed-identity'],
    [4711, 'unknown'],
  ])('%i on a write', (code, expected) => {
    expect(written(code)).toBe(expected)
  })

  test('an account that was there a moment ago is looked for again', () => {
    expect([32, 122].map((code) => written(code, 'account'))).toEqual(['retry', 'retry'])
  })

  test('a connection that breaks: unknown once something was sent, and only for writes', () => {
    expect(outcomeOfWrite(broken(true), 'account').kind).toBe('unknown')
    expect(outcomeOfWrite(broken(false), 'account').kind).toBe('retry')
    expect(outcomeOfRead(broken(true), 'account').kind).toBe('retry')
    expect(outcomeOfRead(resultFailure(80, ''), 'account').kind).toBe('retry')
  })

  test('halving is for what one value can cause; reading the group for what may be so already', () => {
    const codes = Array.from({ length: 130 }, (_, code) => code)
    expect(codes.filter((code) => isElementCaused(resultFailure(code, '')))).toEqual([19, 21, 34, 50, 53, 64, 65])
    expect(codes.filter((code) => isAlready(resultFailure(code, '')))).toEqual([16, 20])
    expect(isElementCaused(broken(true)) || isAlready(broken(true))).toBe(false)
  })

  test("the server's own text goes into message alone", () => {
    expect(causeOf(resultFailure(50, 'no write to cn=Amit R'))).toEqual({
      code: '50',
      word: 'insufficient-access',
      message: 'no write to cn=Amit R',
    })
    expect(causeOf(resultFailure(50, ''))).toEqual({ code: '50', word: 'insufficient-access' })
  })
})
