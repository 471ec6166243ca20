/** Which failures are the target's own trouble: such attempts park nobody (ADR 0028). */
import { expect, test } from 'vitest'
import * as aws from '../../../src/connectors/aws-wire/errors.ts'
import * as graph from '../../../src/connectors/entra/errors.ts'
import * as ldap from '../../../src/connectors/ldap-wire/errors.ts'
import { type Cause, isElsewhere } from '../../../src/domain/outcome.ts'

const ofLdap = (result: number) => ldap.causeOf(ldap.resultFailure(result, ''))
const ofGraph = (status: number) =>
  graph.causeOf(graph.statusFailure({ status, code: '', requestId: '', message: '', retryAfterMs: null, scope: '' }))
const answered = (name: string, httpStatusCode: number) =>
  aws.causeOf(aws.failureOf(Object.assign(new Error('x'), { name, $metadata: { httpStatusCode } })))
const system = (code: string, syscall: string) =>
  aws.causeOf(aws.failureOf(Object.assign(new Error('x'), { code, syscall })))

const table: readonly (readonly [text: string, cause: Cause, elsewhere: boolean])[] = [
  [
    'LDAP: no connection',
    ldap.causeOf({ code: 'ECONNREFUSED', result: null, word: 'connection-lost', sent: false }),
    true,
  ],
  ['LDAP: no answer', ldap.causeOf({ code: 'ETIMEDOUT', result: null, word: 'timeout', sent: true }), true],
  ['LDAP: unavailable', ofLdap(52), true],
  [
    'LDAP: an entry that cannot be used',
    ldap.causeOf({ code: '', result: null, word: 'unreadable-account', sent: false }),
    false,
  ],
  ['LDAP: its own time limit', ofLdap(3), false],
  ['LDAP: other', ofLdap(80), false],
  [
    'Graph: no connection',
    graph.causeOf({ status: null, code: 'ECONNREFUSED/1', word: 'not-reached', sent: false }),
    true,
  ],
  ['Graph: no token', graph.causeOf({ status: null, code: 'AADSTS90033', word: 'no-token', sent: false }), true],
  ['Graph: 500', ofGraph(500), true],
  ['Graph: 503', ofGraph(503), true],
  ['Graph: conflict', ofGraph(409), false],
  [
    'Graph: a page of it that is not legible',
    graph.causeOf({ status: null, code: '', word: 'page-not-legible', sent: true }),
    false,
  ],
  ['AWS: no connection', system('ECONNREFUSED', 'connect'), true],
  ['AWS: connection lost', system('ECONNRESET', 'read'), true],
  ['AWS: 500 that nobody listed', answered('Odd', 500), true],
  ['AWS: unavailable', answered('ServiceUnavailable', 503), true],
  ['AWS: our clock', answered('RequestExpired', 400), true],
  ['AWS: conflict', answered('ConflictException', 409), false],
  ['AWS: 400 that nobody listed', answered('Odd', 400), false],
  ['the lease ended first', { code: '', word: 'lease' }, true],
  ['not begun', { code: '', word: 'not-begun' }, true],
  ['read, and not so', { code: '0', word: 'not-so' }, false],
]

test.each(table)('%s', (_, cause, elsewhere) => {
  expect(isElsewhere(cause)).toBe(elsewhere)
})
