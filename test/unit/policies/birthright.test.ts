import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttributeValue } from '../../../src/domain/worker-event.ts'
import { matches, matchingRules } from '../../../src/policies/birthright.ts'
import { attributeOf, type Facts, satisfies } from '../../../src/policies/conditions.ts'
import { anEvent } from '../domain/events.ts'
import { catalogue, compiled } from './policies.ts'

const facts = (attributes: Readonly<Record<string, AttributeValue>>, status: Facts['status'] = 'active'): Facts => ({
  worker: anEvent('1', { worker: { attributes } }).worker,
  status,
})
const rule = (when: string, cel = '') =>
  compiled(
    catalogue('A'),
    `birthright:\n  r: { when: ${when}, ${cel === '' ? '' : `cel: "${cel}", `}grants: { entitlements: [A] } }\n`,
  )
const matchesFor = (when: string, attributes: Readonly<Record<string, AttributeValue>>, cel = '') =>
  matchingRules(rule(when, cel), facts(attributes)).length === 1

describe('conditions on attributes', () => {
  test.each<[string, Readonly<Record<string, AttributeValue>>, boolean]>([
    ['everyone', {}, true],
    ['{ jobCode: RM }', { jobCode: 'RM' }, true],
    ['{ jobCode: RM }', { jobCode: 'rm' }, false],
    ['{ jobCode: RM }', {}, false],
    ['{ jobCode: [RM, CA] }', { jobCode: 'CA' }, true],
    ['{ jobCode: RM, country: IN }', { jobCode: 'RM', country: 'SG' }, false],
    ['{ jobCode: { not: RM } }', { jobCode: 'CA' }, true],
    ['{ jobCode: { not: [RM, CA] } }', { jobCode: 'CA' }, false],
    ['{ jobCode: { not: RM } }', {}, false],
    ['{ jobCode: { not: RM } }', { jobCode: null }, false],
    ['{ jobCode: { prefix: R } }', { jobCode: 'RM' }, true],
    ['{ jobCode: { not: { prefix: R } } }', { jobCode: 'RM' }, false],
    ['{ jobCode: { prefix: R, not: RM } }', { jobCode: 'RX' }, true],
    ['{ jobCode: { exists: true } }', { jobCode: null }, false],
    ['{ jobCode: { exists: false } }', {}, true],
    ['{ custom.grade: 5 }', { 'custom.grade': 5 }, true],
    ['{ custom.grade: 5 }', { 'custom.grade': '5' }, false],
    ['{ primary: true }', {}, true],
    ['{ status: active }', {}, true],
    ['{ status: leave }', {}, false],
  ])('%s on %j: %s', (when, attributes, expected) => {
    expect(matchesFor(when, attributes)).toBe(expected)
  })

  test('a name that every object has is no attribute', () => {
    expect(attributeOf(facts({}), 'constructor')).toBe(null)
    expect(satisfies(attributeOf(facts({}), 'toString'), { kind: 'exists', exists: true })).toBe(false)
  })
})

describe('a condition in CEL', () => {
  test.each<[string, Readonly<Record<string, AttributeValue>>, boolean]>([
    ['int(worker.jobLevel) >= 5', { jobLevel: '7' }, true],
    ['int(worker.jobLevel) >= 5', { jobLevel: '3' }, false],
    ['int(worker.jobLevel) >= 5', { jobLevel: 'five' }, false],
    ["worker.department != 'IT'", {}, false],
    ['!has(worker.department)', { department: null }, true],
    ["worker.custom.grade == 3 && worker.status == 'active'", { 'custom.grade': 3 }, true],
    ['worker.primary', {}, true],
    ['worker.department', { department: 'x' }, false],
  ])('%s on %j: %s', (cel, attributes, expected) => {
    expect(matchesFor('everyone', attributes, cel)).toBe(expected)
  })

  test('and the attribute conditions must hold as well', () => {
    expect(matchesFor('{ jobCode: RM }', { jobCode: 'CA' }, 'worker.primary')).toBe(false)
  })
})

test('the index finds exactly the rules that a scan of all of them finds', () => {
  const value = fc.constantFrom('a', 'b', 'c')
  const condition = fc.oneof(
    value,
    fc.uniqueArray(value, { minLength: 1 }),
    fc.record({ not: value }),
    fc.record({ prefix: value }),
    fc.record({ exists: fc.boolean() }),
  )
  const when = fc.oneof(
    fc.constant('everyone' as const),
    fc.dictionary(fc.constantFrom('jobCode', 'department', 'location'), condition, { minKeys: 1 }),
  )
  const worker = fc.dictionary(fc.constantFrom('jobCode', 'department', 'location'), fc.option(value))
  fc.assert(
    fc.property(fc.array(when, { maxLength: 12 }), worker, (rules, attributes) => {
      const policy = compiled(
        catalogue('A'),
        JSON.stringify({
          birthright: Object.fromEntries(rules.map((when, i) => [`r${i}`, { when, grants: { entitlements: ['A'] } }])),
        }),
      )
      const one = facts(attributes)
      expect(matchingRules(policy, one)).toEqual(policy.rules.filter((candidate) => matches(candidate, one)))
    }),
    { numRuns: 300 },
  )
})
