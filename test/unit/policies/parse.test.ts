import { describe, expect, test } from 'vitest'
import { canonicalPolicy } from '../../../src/policies/canonical.ts'
import { catalogue, policySet, problemsIn } from './policies.ts'

const told = (...texts: readonly string[]) =>
  problemsIn(...texts).map(
    ({ path, line, column, message, hint }) =>
      `${path}:${line}:${column} ${message}${hint === null ? '' : ` (${hint})`}`,
  )
const abc = catalogue('A', 'B', 'C')

describe('each mistake, with its place and what to do', () => {
  test.each<[string, string, string]>([
    ['unknown section', 'role: {}', '1.yaml:1:1 unknown section "role" (did you mean roles?)'],
    [
      'not YAML',
      'roles: {',
      '1.yaml:1:9 not readable as YAML: Flow map in block collection must be sufficiently indented and end with a }',
    ],
    [
      'a character that is none',
      'entitlements:\n  Z: { lookup: "cn=a\\0", target: ldap, risk: low, owner: o, description: d }',
      '1.yaml:2:16 holds U+0000 or half of a character, which cannot be kept',
    ],
    [
      'the same, as it is',
      'roles:\n  r: { description: a\0, entitlements: [A] }',
      '1.yaml:2:21 holds U+0000 or half of a character, which cannot be kept',
    ],
    [
      'half of a character',
      'roles:\n  r: { description: "\\ud83e", entitlements: [A] }',
      '1.yaml:2:21 holds U+0000 or half of a character, which cannot be kept',
    ],
    [
      'no map',
      '[1]',
      '1.yaml:1:1 a policy file has the sections that it needs as its members (sections: entitlements, roles, birthright, implications, sod, exceptions)',
    ],
    [
      'duplicate key',
      'roles:\n  r: { entitlements: [A] }\n  r: { entitlements: [B] }',
      '1.yaml:3:3 r is written twice in the same place (only one of them can be meant: remove or rename the other)',
    ],
    [
      'bad key',
      'roles:\n  a b: { entitlements: [A] }',
      '1.yaml:2:3 "a b" is no key (a key is letters, digits and _ . : - and begins with a letter or digit)',
    ],
    [
      'unknown member',
      'roles:\n  r: { entitlement: [A], entitlements: [A] }',
      '1.yaml:2:8 unknown member "entitlement" (did you mean entitlements?)',
    ],
    [
      'text for a list',
      'roles:\n  r: { entitlements: A }',
      '1.yaml:2:22 expected a list, found text "A" (write it as a list: [A])',
    ],
    [
      'number for text',
      'entitlements:\n  X: { target: ldap, lookup: cn=x, risk: low, owner: 7, description: d }',
      '1.yaml:2:54 expected text, found number 7 (write it in quotes, so that YAML does not read it as a number or a truth value)',
    ],
    [
      'missing member',
      'entitlements:\n  X: { target: ldap, lookup: cn=x, risk: low, owner: o }',
      '1.yaml:2:3 description is missing',
    ],
    [
      'unknown word',
      'entitlements:\n  X: { target: ldap, lookup: cn=x, risk: hihg, owner: o, description: d }',
      '1.yaml:2:42 "hihg" is not one of low, medium, high, critical (did you mean high?)',
    ],
    [
      'unknown target',
      'entitlements:\n  X: { target: ldpa, lookup: cn=x, risk: low, owner: o, description: d }',
      '1.yaml:2:16 unknown target ldpa (did you mean ldap?)',
    ],
    [
      'one thing twice',
      "entitlements:\n  X: { target: ldap, lookup: 'cn=x, ou=g', risk: low, owner: o, description: d }\n  Y: { target: ldap, lookup: 'CN=X,OU=g', risk: low, owner: o, description: d }",
      '1.yaml:3:30 this is the same thing on ldap as entitlement X (one thing has one key: remove one of them)',
    ],
    ['empty role', 'roles:\n  r: { description: d }', '1.yaml:2:3 role r gives nothing (list roles or entitlements)'],
    ['empty list', 'roles:\n  r: { entitlements: [] }', '1.yaml:2:22 this list is empty'],
    [
      'unknown entitlement',
      'roles:\n  r: { entitlements: [Aa] }',
      '1.yaml:2:23 unknown entitlement Aa (did you mean A?)',
    ],
    [
      'role among entitlements',
      'roles:\n  rr: { entitlements: [A] }\n  r: { entitlements: [rr] }',
      '1.yaml:3:23 unknown entitlement rr (it is one of the roles: list it there)',
    ],
    ['listed twice', 'roles:\n  r: { entitlements: [A, A] }', '1.yaml:2:26 A is listed twice'],
    [
      'role circle',
      'roles:\n  a: { roles: [b] }\n  b: { roles: [c] }\n  c: { roles: [a] }',
      '1.yaml:2:16 role a contains itself: a → b → c → a',
    ],
    [
      'no when',
      'birthright:\n  r: { grants: { entitlements: [A] } }',
      '1.yaml:2:3 when is missing (write `when: everyone` if every worker should have this)',
    ],
    [
      'empty when',
      'birthright:\n  r: { when: {}, grants: { entitlements: [A] } }',
      '1.yaml:2:14 when has no condition (write `when: everyone` if every worker should have this)',
    ],
    [
      'unknown attribute',
      'birthright:\n  r: { when: { jobcode: RM }, grants: { entitlements: [A] } }',
      '1.yaml:2:16 unknown attribute jobcode (did you mean jobCode?)',
    ],
    [
      'value of the wrong kind',
      'birthright:\n  r: { when: { jobLevel: 5 }, grants: { entitlements: [A] } }',
      "1.yaml:2:26 jobLevel holds text, and 5 is none: it would never match (write it in quotes: jobLevel: '5')",
    ],
    [
      'a state in which no rule is judged',
      'birthright:\n  r: { when: { status: terminated }, grants: { entitlements: [A] } }',
      '1.yaml:2:24 rules are judged only while an employment gives access: status is never "terminated" (one of active, leave, suspended)',
    ],
    [
      'never matches',
      'birthright:\n  r: { when: { jobCode: { in: RM, not: RM } }, grants: { entitlements: [A] } }',
      '1.yaml:2:25 no jobCode can satisfy this: the rule would never match',
    ],
    [
      'absent and more',
      'birthright:\n  r: { when: { jobCode: { exists: false, prefix: R } }, grants: { entitlements: [A] } }',
      '1.yaml:2:25 no jobCode can satisfy this: the rule would never match',
    ],
    [
      'empty condition',
      'birthright:\n  r: { when: { jobCode: }, grants: { entitlements: [A] } }',
      '1.yaml:2:25 this condition is empty (a condition is a value, a list of values, or a map of in, not, prefix, exists)',
    ],
    [
      'unknown condition',
      'birthright:\n  r: { when: { jobCode: { prefx: R } }, grants: { entitlements: [A] } }',
      '1.yaml:2:27 unknown member "prefx" (did you mean prefix?)',
    ],
    [
      'CEL syntax',
      'birthright:\n  r: { when: everyone, cel: "worker.jobCode ==", grants: { entitlements: [A] } }',
      '1.yaml:2:47 in this CEL expression: Unexpected token: EOF',
    ],
    [
      'CEL attribute',
      'birthright:\n  r: { when: everyone, cel: "worker.primary && worker.jobcode == \'RM\'", grants: { entitlements: [A] } }',
      '1.yaml:2:48 unknown attribute worker.jobcode (did you mean jobCode?)',
    ],
    [
      'CEL without a worker',
      'birthright:\n  r: { when: everyone, cel: "true", grants: { entitlements: [A] } }',
      '1.yaml:2:29 this expression does not look at the worker (attributes are read as worker.jobCode, worker.custom.<name>)',
    ],
    [
      'CEL of another type',
      'birthright:\n  r: { when: everyone, cel: "1 + 1", grants: { entitlements: [A] } }',
      '1.yaml:2:30 in this CEL expression: the expression answers int, not true or false',
    ],
    [
      'rule that grants nothing',
      'birthright:\n  r: { when: everyone, grants: {} }',
      '1.yaml:2:32 rule r grants nothing (list roles or entitlements)',
    ],
    [
      'one side',
      'sod:\n  s: { severity: low, description: d, sides: [{ entitlements: [A] }] }',
      '1.yaml:2:46 at least 2 are needed',
    ],
    [
      'empty side',
      'sod:\n  s: { severity: low, description: d, sides: [{ entitlements: [A] }, {}] }',
      '1.yaml:2:70 this side is empty (list the entitlements or roles that make it)',
    ],
    [
      'side without a name',
      'sod:\n  s: { severity: low, description: d, sides: [{ entitlements: [A, B] }, { entitlements: [C] }] }',
      '1.yaml:2:47 this side needs a name (only a side of one entitlement or role is called after it)',
    ],
    [
      'atLeast too high',
      'sod:\n  s: { severity: low, description: d, atLeast: 3, sides: [{ entitlements: [A] }, { entitlements: [B] }] }',
      '1.yaml:2:48 atLeast is 3, but there are only 2 sides: this policy could never be broken',
    ],
    [
      'in two sides',
      'roles:\n  ab: { entitlements: [A, B] }\nsod:\n  s: { severity: low, description: d, sides: [{ entitlements: [A] }, { roles: [ab] }] }',
      '1.yaml:4:70 A is in two sides: A and ab (nobody can keep apart a thing from itself: if a role brings it in, list the entitlements that matter instead of the role)',
    ],
    [
      'a role that breaks it',
      'roles:\n  outer: { roles: [ab] }\n  ab: { entitlements: [A, B] }\nsod:\n  s: { severity: low, description: d, sides: [{ entitlements: [A] }, { entitlements: [B] }] }',
      '1.yaml:3:3 role ab by itself breaks SoD policy s: A with B (nobody could ever be given all of it: split the role)',
    ],
    [
      'a rule that breaks it',
      'birthright:\n  r: { when: everyone, grants: { entitlements: [A, B] } }\nsod:\n  s: { severity: low, description: d, sides: [{ entitlements: [A] }, { entitlements: [B] }] }',
      '1.yaml:2:32 rule r by itself breaks SoD policy s: A with B (everybody whom it matches would be held: split the rule)',
    ],
    [
      'exception of nothing',
      'exceptions:\n  x: { person: P, policy: s, approver: Q, reason: r, control: c, from: 2026-01-01T00:00:00Z, expires: 2027-01-01T00:00:00Z }',
      '1.yaml:2:27 unknown SoD policy s',
    ],
  ])('%s', (_, text, problem) => {
    expect(told(text, abc)).toEqual([problem])
  })

  test.each([
    ['own approver', { approver: 'P' }, 'nobody approves an exception for themselves'],
    ['a date without a zone', { from: '2026-01-01' }, '2026-01-01 is no RFC 3339 moment'],
    ['a day that does not exist', { expires: '2026-02-30T00:00:00Z' }, '2026-02-30T00:00:00Z is no RFC 3339 moment'],
    [
      'it ends before it begins',
      { expires: '2025-01-01T00:00:00Z' },
      'it expires before it begins: it would never work',
    ],
  ])('exception: %s', (_, changes, message) => {
    const exception = {
      person: 'P',
      policy: 's',
      approver: 'Q',
      reason: 'r',
      control: 'c',
      from: '2026-01-01T00:00:00Z',
      expires: '2027-01-01T00:00:00Z',
      ...changes,
    }
    const sod = { s: { severity: 'low', description: 'd', sides: [{ entitlements: ['A'] }, { entitlements: ['B'] }] } }
    expect(
      problemsIn(JSON.stringify({ sod, exceptions: { x: exception } }), abc).map((problem) => problem.message),
    ).toEqual([message])
  })

  test('a key defined in two files', () => {
    expect(told('roles:\n  r: { entitlements: [A] }', 'roles:\n  r: { entitlements: [B] }', abc)).toEqual([
      '2.yaml:2:3 r is defined a second time (first at 1.yaml:2; remove or rename one)',
    ])
  })
})

test('every mistake at once, in the order of files and lines, without echoes', () => {
  const text = `entitlements:
  X: { target: nowhere, lookup: cn=x, risk: hgh, owner: 5, descripton: d }
roles:
  r: { entitlements: [Zz], roles: r }
birthright:
  b:
    when: { jobcode: RM, country: , jobLevel: 5 }
    cel: worker.jobCod == 'x'
    grants: { roles: [r, nope] }
sod:
  s: { severity: low, sides: [{ entitlements: [A] }, { entitlement: [B] }] }
`
  expect(problemsIn(text, abc).map(({ line, message }) => `${line} ${message}`)).toEqual([
    '2 description is missing',
    '2 unknown target nowhere',
    '2 "hgh" is not one of low, medium, high, critical',
    '2 expected text, found number 5',
    '2 unknown member "descripton"',
    '4 unknown entitlement Zz',
    '4 expected a list, found text "r"',
    '7 unknown attribute jobcode',
    '7 this condition is empty',
    '7 jobLevel holds text, and 5 is none: it would never match',
    '8 unknown attribute worker.jobCod',
    '9 unknown role nope',
    '11 description is missing',
    '11 unknown member "entitlement"',
  ])
})

test('keys of a file that cannot be read are not called unknown', () => {
  expect(
    told('entitlements: {', 'roles:\n  r: { entitlements: [A] }').filter((line) => line.startsWith('2.yaml')),
  ).toEqual([])
})

test('dangerous YAML is a problem, not an accident', () => {
  expect(problemsIn('roles:\n  __proto__: { entitlements: [A] }', abc)[0]?.message).toBe('"__proto__" is no key')
  expect(problemsIn('roles: *gone').length).toBe(1)
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`)
    .join('\n')}\n`
  expect(problemsIn(bomb).length).toBeGreaterThan(0)
})

describe('the canonical text', () => {
  const parts = [
    abc,
    'roles:\n  r: { entitlements: [B, A] }\n  q: { roles: [r] }\n',
    'birthright:\n  z: { when: { jobCode: [b, a], country: IN }, grants: { roles: [q] } }\n  y: { when: everyone, grants: { entitlements: [C] } }\n',
    'sod:\n  s: { severity: low, description: d, sides: [{ name: x, entitlements: [A, B] }, { entitlements: [C] }] }\n',
  ]
  const reordered = [
    'sod:\n  # a comment\n  s:\n    description: d\n    sides:\n      - { entitlements: [B, A], name: x }\n      - { name: C, entitlements: [C] }\n    severity: low\n    atLeast: 2\n',
    'birthright:\n  y: { grants: { entitlements: [C] }, when: everyone }\n  z: { when: { country: [IN], jobCode: { in: [a, b] } }, grants: { roles: [q] } }\nroles:\n  q: { roles: [r] }\n',
    'roles:\n  r: { entitlements: [A, B] }\n',
    abc,
  ]

  test('does not depend on files, order, comments or shorthand', () => {
    expect(canonicalPolicy(policySet(...reordered))).toBe(canonicalPolicy(policySet(...parts)))
  })

  test.each([
    ['a condition', 'jobCode: [b, a]', 'jobCode: [b, c]'],
    ['a side', 'sides: [{ name: x, entitlements: [A, B] }', 'sides: [{ name: x, entitlements: [A] }'],
    ['a severity', 'severity: low', 'severity: high'],
    ['a role', 'r: { entitlements: [B, A] }', 'r: { entitlements: [A] }'],
  ])('differs with %s', (_, from, to) => {
    const changed = parts.map((part) => part.replace(from, to))
    expect(changed).not.toEqual(parts)
    expect(canonicalPolicy(policySet(...changed))).not.toBe(canonicalPolicy(policySet(...parts)))
  })
})
