import { describe, expect, test } from 'vitest'
import {
  causeOf,
  defaultRetryAfterMs,
  type Failure,
  failureText,
  isElementCaused,
  isMissing,
  laterPageFailure,
  outcomeOfRead,
  outcomeOfWrite,
  type Said,
  statusFailure,
} from '../../../../src/connectors/entra/errors.ts'
import { said } from '../../../../src/connectors/entra/said.ts'
import type { Outcome } from '../../../../src/domain/outcome.ts'

const word = (outcome: Outcome) => (outcome.kind === 'refused' ? `refused:${outcome.reason}` : outcome.kind)
const answer = (status: number, more: Partial<Said> = {}): Failure =>
  statusFailure({ status, code: '', requestId: 'r-1', message: '', retryAfterMs: null, scope: '', ...more })
const broken = (sent: boolean): Failure => ({ status: null, code: 'ECONNRESET', word: 'connection-lost', sent })

describe('what a status lets us know of a write', () => {
  test.each([
    [400, 'refused:invalid'],
    [401, 'refused:credential'],
    [403, 'refused:not-allowed'],
    [404, 'refused:entitlement-missing'],
    [405, 'refused:configuration'],
    [409, 'retry'],
    [412, 'retry'],
    [413, 'refused:invalid'],
    [418, 'unknown'],
    [422, 'refused:invalid'],
    [423, 'retry'],
    [424, 'retry'],
    [429, 'throttled'],
    [500, 'unknown'],
    [502, 'unknown'],
    [503, 'unknown'],
    [504, 'unknown'],
    [507, 'refused:limit'],
  ])('%i is %s', (status, expected) => {
    expect(word(outcomeOfWrite(answer(status), 'entitlement'))).toBe(expected)
  })

  test('not found means what the request named', () => {
    expect(word(outcomeOfWrite(answer(404), 'account'))).toBe('refused:account-missing')
    expect(isMissing(answer(404))).toBe(true)
    expect(isMissing(answer(410))).toBe(true)
  })

  test('one element may be the cause of 400 and 404, and of nothing else', () => {
    expect([400, 403, 404, 409, 429, 500].filter((status) => isElementCaused(answer(status)))).toEqual([400, 404])
  })

  test('some codes say more than their status', () => {
    expect(word(outcomeOfWrite(answer(403, { code: 'Directory_QuotaExceeded' }), 'account'))).toBe('refused:limit')
    expect(word(outcomeOfWrite(answer(400, { code: 'Directory_ConcurrencyViolation' }), 'account'))).toBe('retry')
    expect(isMissing(answer(400, { code: 'Directory_ExpiredPageToken' }))).toBe(false)
  })

  test('a later page that Graph does not find is an answer, and no outage', () => {
    expect(causeOf(laterPageFailure(answer(404)))).toMatchObject({ word: 'page-lost' })
    expect(causeOf(laterPageFailure(answer(404)))).not.toHaveProperty('elsewhere')
    expect(causeOf(laterPageFailure(answer(503)))).toHaveProperty('elsewhere', true)
  })

  test('a 503 that says when has done nothing; one that does not has perhaps', () => {
    expect(outcomeOfWrite(answer(503, { retryAfterMs: 1_500 }), 'account')).toEqual({
      kind: 'throttled',
      retryAfterMs: 1_500,
      scope: '',
    })
    expect(word(outcomeOfWrite(answer(503), 'account'))).toBe('unknown')
  })

  test('a 429 without a time waits the default', () => {
    expect(outcomeOfWrite(answer(429), 'account')).toMatchObject({ retryAfterMs: defaultRetryAfterMs })
  })

  test('a broken connection: unknown once the request may have gone out, retry before', () => {
    expect(word(outcomeOfWrite(broken(true), 'account'))).toBe('unknown')
    expect(word(outcomeOfWrite(broken(false), 'account'))).toBe('retry')
    expect(word(outcomeOfRead(broken(true), 'account'))).toBe('retry')
    expect(word(outcomeOfRead(answer(500), 'account'))).toBe('retry')
  })

  test('the cause carries code and request id; the text of Graph goes nowhere but into message', () => {
    const failure = answer(400, { code: 'Request_BadRequest', message: 'jane.doe@bank.example is taken' })
    expect(causeOf(failure)).toEqual({
      code: 'Request_BadRequest/r-1',
      word: 'bad-request',
      message: 'jane.doe@bank.example is taken',
    })
    expect(failureText(failure)).toBe('bad-request (Request_BadRequest/r-1)')
  })
})

describe('what an answer says', () => {
  const headers = (some: Readonly<Record<string, string>>) => (name: string) => some[name] ?? null

  test.each([
    ['2.128', 2_128],
    ['120', 120_000],
    ['0', 0],
    ['-1', null],
    ['', null],
    ['soon', null],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 30_000],
    ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
  ])('Retry-After %j is %j ms', (text, expected) => {
    expect(said(429, headers({ 'retry-after': text }), null, 30_000).retryAfterMs).toBe(expected)
  })

  test('HTML, nothing, and bodies of other shapes are survived', () => {
    for (const body of [null, '<html>', [], { error: 'text' }, { error: { code: 7 } }]) {
      expect(said(502, headers({}), body, 0)).toMatchObject({ status: 502, code: '', requestId: '' })
    }
  })

  test('the request id is the header, or else the inner error', () => {
    const body = { error: { code: 'X', message: 'm', innerError: { 'request-id': 'inner' } } }
    expect(said(400, headers({}), body, 0)).toMatchObject({ code: 'X', message: 'm', requestId: 'inner' })
    expect(said(400, headers({ 'request-id': 'outer' }), body, 0).requestId).toBe('outer')
  })
})
