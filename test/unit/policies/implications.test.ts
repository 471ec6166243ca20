import { describe, expect, test } from 'vitest'
import type { Adopted } from '../../../src/domain/decision.ts'
import { fold } from '../../../src/domain/fold.ts'
import type { TargetId } from '../../../src/domain/ids.ts'
import type { WorkerEvent } from '../../../src/domain/worker-event.ts'
import { canonicalPolicy } from '../../../src/policies/canonical.ts'
import { explain } from '../../../src/policies/explain.ts'
import { explanationLines } from '../../../src/policies/explain-text.ts'
import { mirrored } from '../../../src/policies/mirror.ts'
import { timelineOf } from '../../../src/policies/timeline.ts'
import { anEvent, aTermination, at } from '../domain/events.ts'
import { catalogue, compiled, decide, idOf, person, policySet, presentFrom, problemsIn, told } from './policies.ts'

const keys = catalogue('Loans', 'Sso_Loans', 'Aws_Loans', 'Aws_Admin', 'Approve', 'Cash')
const rules = `birthright:
  managers: { when: { jobCode: RM }, grants: { entitlements: [Loans] } }
  approvers: { when: { jobCode: CA }, grants: { entitlements: [Approve] } }
  tellers: { when: { jobCode: TELLER }, grants: { entitlements: [Cash] } }
`
const implications = `implications:
  loans-sign-in: { holds: Loans, grants: { entitlements: [Sso_Loans] } }
  sso-mirror:
    description: No SCIM runs.
    mirrors:
      from: { target: ldap, key: 'Sso_*' }
      to: { target: ldap, key: 'Aws_*' }
`
const sod = `sod:
  loans-vs-approval: { severity: high, description: d, sides: [{ entitlements: [Loans] }, { entitlements: [Approve] }] }
  aws-vs-cash: { severity: high, description: d, sides: [{ entitlements: [Aws_Loans] }, { entitlements: [Cash] }] }
`
const policy = compiled(keys, rules, implications, sod)
const second = { employmentKey: 'E2' as never }

describe('names that are alike', () => {
  const groups = [
    { key: 'a', target: 'entra', lookup: 'displayName:azure-aws-sso-Lending' },
    { key: 'b', target: 'entra', lookup: 'displayName:azure-aws-sso-Wires' },
    { key: 'c', target: 'entra', lookup: 'displayName:azure-aws-sso-' },
    { key: 'd', target: 'entra', lookup: 'displayName:other-Lending' },
    { key: 'e', target: 'aws', lookup: 'group/azure-aws-sso-lending' },
    { key: 'f', target: 'aws', lookup: 'group/azure-aws-sso-approving' },
    { key: 'g', target: 'ad', lookup: 'CN=azure-aws-sso-wires, OU=Groups, DC=bank' },
    { key: 'sso-h', target: 'aws', lookup: 'group/x' },
    { key: 'SSO-h', target: 'ad', lookup: 'cn=y' },
  ]
  const entra = { target: 'entra', lookup: 'displayName:azure-aws-sso-*' }

  test.each([
    ['lookups, upper and lower case alike', entra, { target: 'aws', lookup: 'group/azure-aws-sso-*' }, ['a→e', 'b→']],
    [
      'what stands behind the * counts too',
      entra,
      { target: 'ad', lookup: 'cn=azure-aws-sso-*,ou=groups,dc=bank' },
      ['a→', 'b→g'],
    ],
    [
      'only what begins so',
      { target: 'entra', lookup: 'displayName:other-*' },
      { target: 'aws', lookup: 'group/azure-aws-sso-*' },
      ['d→e'],
    ],
    ['only of these targets', { target: 'aws', lookup: 'displayName:azure-aws-sso-*' }, entra, []],
    ['and only what ends so', entra, { target: 'ad', lookup: 'cn=azure-aws-sso-*,ou=people,dc=bank' }, ['a→', 'b→']],
    ['keys, letter by letter', { target: 'aws', key: 'sso-*' }, { target: 'ad', key: 'sso-*' }, ['sso-h→']],
  ])('%s', (_, from, to, pairs) => {
    expect(mirrored(groups, from, to).map(({ holds, gives }) => `${holds}→${gives.join('+')}`)).toEqual(pairs)
  })
})

describe('the files', () => {
  const inFiles = (text: string) =>
    problemsIn(keys, text).map(({ message, hint }) => `${message}${hint === null ? '' : ` (${hint})`}`)
  const mirrors = (from: string, to: string, more = '') =>
    `implications: { m: { mirrors: { from: { target: ldap, ${from} }, to: { target: ldap, ${to} }${more} } } }`

  test.each<[string, string, string]>([
    [
      'a circle, and the way round',
      'implications:\n  x: { holds: Loans, grants: { entitlements: [Cash] } }\n  y: { holds: Cash, grants: { roles: [r] } }\n  z: { holds: Approve, grants: { entitlements: [Loans] } }\nroles: { r: { entitlements: [Approve] } }',
      'implication x comes round to where it began: Loans → Cash → Approve → Loans (nobody could say what it follows from: take one step out)',
    ],
    [
      'itself',
      'implications: { x: { holds: Loans, grants: { entitlements: [Loans] } } }',
      'implication x comes round to where it began: Loans → Loans (nobody could say what it follows from: take one step out)',
    ],
    [
      'no counterpart',
      mirrors("key: 'Aws_*'", "key: 'Sso_*'"),
      'Aws_Admin has no counterpart: no entitlement of ldap has the key Sso_* with the same name (list the counterpart in the catalogue, or the one without under `except`)',
    ],
    [
      'several counterparts',
      `entitlements:
  One: { target: ldap, lookup: 'x one', risk: low, owner: o, description: d }
  sso_one: { target: ldap, lookup: 'y', risk: low, owner: o, description: d }
  sso_ONE: { target: ldap, lookup: 'z', risk: low, owner: o, description: d }
${mirrors("lookup: 'x *'", "key: 'sso_*'")}`,
      'One has several counterparts: sso_ONE, sso_one (say with `holds` and `grants` which one is meant, and list it under `except`)',
    ],
    ['nothing to mirror', mirrors("key: 'Aps_*'", "key: 'Sso_*'"), 'no entitlement of ldap has the key Aps_*'],
    [
      'an exception that is none',
      mirrors("key: 'Sso_*'", "key: 'Aws_*'", ', except: [Sso_Loans]'),
      'Sso_Loans has a counterpart (remove it from `except`)',
    ],
    [
      'two ways to compare',
      mirrors("key: 'Sso_*', lookup: 'cn=*'", "key: 'Aws_*'"),
      'names are compared by `key` or by `lookup`: give one of them',
    ],
    [
      'a pattern without its *',
      mirrors("key: 'Sso_'", "key: 'Aws_*'"),
      'needs one *, which stands for the part that both names share',
    ],
    [
      'a target',
      `implications: { m: { mirrors: { from: { target: ldab, key: 'S*' }, to: { target: ldap, key: 'A*' } } } }`,
      'unknown target ldab (did you mean ldap?)',
    ],
    [
      'half of it',
      'implications: { x: { holds: Loans } }',
      'implication x lacks grants (give `holds` and `grants`, or `mirrors`)',
    ],
    [
      'nothing granted',
      'implications: { x: { holds: Loans, grants: {} } }',
      'implication x grants nothing (list roles or entitlements)',
    ],
    [
      'a stranger',
      'implications: { x: { holds: Lons, grants: { entitlements: [Cash] } } }',
      'unknown entitlement Lons (did you mean Loans?)',
    ],
    [
      'a conflict of its own',
      `implications:\n  x: { holds: Cash, grants: { entitlements: [Aws_Admin] } }\n  y: { holds: Aws_Admin, grants: { entitlements: [Aws_Loans] } }\n${sod}`,
      'what Cash implies by itself breaks SoD policy aws-vs-cash: Aws_Loans with Cash (nobody could ever be given all of it)',
    ],
    [
      'a rule that breaks one by what follows from it',
      `${implications}\n${sod}\nbirthright: { r: { when: everyone, grants: { entitlements: [Loans, Cash] } } }`,
      'rule r by itself breaks SoD policy aws-vs-cash: Aws_Loans with Cash (everybody whom it matches would be held: split the rule)',
    ],
  ])('%s', (_, text, problem) => {
    expect(inFiles(text)).toEqual([problem])
  })

  test('what has no counterpart and needs none is said, and is no pair', () => {
    const set = policySet(keys, mirrors("key: 'Aws_*'", "key: 'Sso_*'", ', except: [Aws_Admin]'))
    expect(set.implications).toEqual([
      { key: 'm', description: '', pairs: [{ holds: 'Aws_Loans', gives: 'Sso_Loans', path: [] }] },
    ])
  })

  test('of several that are called the same none is taken, though it is said that none is meant', () => {
    const one = (key: string, lookup: string) =>
      `  ${key}: { target: ldap, lookup: '${lookup}', risk: low, owner: o, description: d }\n`
    const set = policySet(
      `entitlements:\n${one('One', 'x one')}${one('Two', 'x two')}${one('sso_one', 'y')}${one('sso_ONE', 'z')}${one('sso_Two', 'q')}`,
      mirrors("lookup: 'x *'", "key: 'sso_*'", ', except: [One]'),
    )
    expect(set.implications[0]?.pairs).toEqual([{ holds: 'Two', gives: 'sso_Two', path: [] }])
  })

  test('a policy without any reads as before there were any; with another pair it is another', () => {
    expect(canonicalPolicy(policySet(keys, rules))).not.toContain('implications')
    const withPair = (gives: string) =>
      canonicalPolicy(policySet(keys, `implications: { x: { holds: Loans, grants: { entitlements: [${gives}] } } }`))
    expect(withPair('Cash')).not.toBe(withPair('Approve'))
  })
})

describe('what is wanted', () => {
  const timeline = (events: readonly WorkerEvent[], ...adopted: readonly Adopted[]) =>
    timelineOf(fold(events), [{ activeFrom: null, policy }], adopted).map(
      ({ entitlement, interval, reasons }) =>
        `${policy.keyOf.get(entitlement)} ${interval.from}–${interval.to ?? ''} ${reasons.map((reason) => (reason.kind === 'implied' ? `${reason.implication}/${reason.holds}` : reason.kind)).join(' ')}`,
    )
  const adopted = (key: string, from: number, to: number | null = null): Adopted => ({
    entitlement: idOf(policy, key),
    target: 'ldap' as TargetId,
    interval: { from: at(from), to: to === null ? null : at(to) },
  })

  test('is what it follows from, to the moment, by as many steps as there are; another reason for that is no break', () => {
    const moves = [
      anEvent('1'),
      anEvent('2', { effectiveAt: at(20), worker: { ...second, lastDayEndsAt: at(40) } }),
      anEvent('3', { effectiveAt: at(30), worker: { jobCode: 'X' } }),
    ]
    expect(timeline(moves)).toEqual([
      'Aws_Loans 10–40 sso-mirror/Sso_Loans',
      'Loans 10–20 rule',
      'Loans 20–30 rule rule',
      'Loans 30–40 rule',
      'Sso_Loans 10–40 loans-sign-in/Loans',
    ])
  })

  test('follows from what was adopted, and ends with that by a human or a leave', () => {
    const events = [anEvent('1', { worker: { jobCode: 'X' } }), aTermination('2', 50)]
    expect(timeline(events, adopted('Sso_Loans', 15, 20), adopted('Loans', 30))).toEqual([
      'Aws_Loans 15–20 sso-mirror/Sso_Loans',
      'Aws_Loans 30–50 sso-mirror/Sso_Loans',
      'Loans 30–50 adopted',
      'Sso_Loans 15–20 adopted',
      'Sso_Loans 30–50 loans-sign-in/Loans',
    ])
  })

  test('what was adopted and then follows from something stands under that alone, and goes with it', () => {
    const events = [
      anEvent('1', { worker: { jobCode: 'X' } }),
      anEvent('2', { effectiveAt: at(20) }),
      anEvent('3', { effectiveAt: at(30), worker: { jobCode: 'X' } }),
    ]
    expect(timeline(events, adopted('Sso_Loans', 15)).filter((line) => line.startsWith('Sso_Loans'))).toEqual([
      'Sso_Loans 15–20 adopted',
      'Sso_Loans 20–30 loans-sign-in/Loans',
    ])
  })
})

describe('separation of duties', () => {
  const both = [anEvent('1'), anEvent('2', { worker: { ...second, jobCode: 'CA' } })]
  const approvesToo = 'held loans-vs-approval against Approve'

  test('what follows from a grant that is held is held with it', () => {
    expect(told(policy, decide(policy, both, 10, 'Approve held')).verdicts).toEqual({
      Loans: approvesToo,
      Sso_Loans: approvesToo,
      Aws_Loans: approvesToo,
    })
  })

  test('what is there already lends nothing that it does not have', () => {
    expect(told(policy, decide(policy, both, 10, 'Approve held', 'Sso_Loans held')).verdicts).toEqual({
      Loans: approvesToo,
      Aws_Loans: approvesToo,
    })
  })

  test('what it follows from is there: then it goes, although a conflict is reported', () => {
    const decision = told(policy, decide(policy, both, 10, 'Approve held', 'Loans held'))
    expect(decision.verdicts).toEqual({ Sso_Loans: 'go', Aws_Loans: 'go' })
    expect(decision.violations).toEqual(['loans-vs-approval: Loans=Loans Approve=Approve'])
  })

  test('it waits for the revoke that it waits for', () => {
    expect(told(policy, decide(policy, [anEvent('1')], 10, 'Approve held')).verdicts).toEqual({
      Loans: 'wait loans-vs-approval after Approve',
      Sso_Loans: 'wait loans-vs-approval after Approve',
      Aws_Loans: 'wait loans-vs-approval after Approve',
    })
  })

  test('a policy that names only what follows holds only that', () => {
    const teller = [anEvent('1'), anEvent('2', { worker: { ...second, jobCode: 'TELLER' } })]
    expect(told(policy, decide(policy, teller, 10, 'Cash held')).verdicts).toEqual({
      Loans: 'go',
      Sso_Loans: 'go',
      Aws_Loans: 'held aws-vs-cash against Cash',
    })
  })

  test('a reason of its own, or another way to it that stands, is enough; an exception counts for all that follows', () => {
    const wider = compiled(
      keys,
      rules,
      implications,
      sod,
      'birthright: { all: { when: { department: D }, grants: { entitlements: [Sso_Loans] } } }',
    )
    const inD = [anEvent('1', { worker: { attributes: { jobCode: 'RM', department: 'D' } } }), both[1] as WorkerEvent]
    expect(told(wider, decide(wider, inD, 10, 'Approve held')).verdicts).toEqual({
      Loans: approvesToo,
      Sso_Loans: 'go',
      Aws_Loans: 'go',
    })
    const accepted = compiled(
      keys,
      rules,
      implications,
      sod,
      'exceptions: { x: { person: P, policy: loans-vs-approval, approver: Q, reason: r, control: c, from: 1970-01-01T00:00:00Z, expires: 1970-01-02T00:00:00Z } }',
    )
    expect(told(accepted, decide(accepted, both, 10, 'Approve held')).verdicts).toEqual({
      Loans: 'go x',
      Sso_Loans: 'go x',
      Aws_Loans: 'go x',
    })
  })
})

describe('why', () => {
  const lines = (key: string, events: readonly WorkerEvent[], ...present: readonly string[]) =>
    explanationLines(
      explain(
        {
          history: fold(events),
          personKey: person,
          policies: [{ activeFrom: null, policy }],
          now: at(10),
          present: presentFrom(policy, ...present),
        },
        idOf(policy, key),
      ),
    )

  test('the way from a rule to it, and what holds it on the way', () => {
    expect(lines('Aws_Loans', [anEvent('1')], 'Approve held!')).toEqual([
      'Aws_Loans: wanted at 1970-01-01T00:00:00.010Z, held back by separation of duties (loans-vs-approval)',
      '  implication sso-mirror gives it to who should hold Sso_Loans: No SCIM runs.',
      '    Sso_Loans: wanted at 1970-01-01T00:00:00.010Z, held back by separation of duties (loans-vs-approval)',
      '      implication loans-sign-in gives it to who should hold Loans',
      '        Loans: wanted at 1970-01-01T00:00:00.010Z, held back by separation of duties (loans-vs-approval)',
      '          rule managers gives it for employment E',
      '            ✓ jobCode is "RM"',
      '          from 1970-01-01T00:00:00.010Z',
      '          SoD policy loans-vs-approval (high): d',
      '            this is its side Loans',
      '            side Approve: Approve (held)',
      '            no live exception accepts it',
      '          on the target: not there',
      '      from 1970-01-01T00:00:00.010Z',
      '      on the target: not there',
      '  from 1970-01-01T00:00:00.010Z',
      '  on the target: not there',
    ])
  })

  test('why not: what it would follow from', () => {
    expect(lines('Aws_Loans', [anEvent('1', { worker: { jobCode: 'X' } })])).toEqual([
      'Aws_Loans: not wanted at 1970-01-01T00:00:00.010Z',
      '  lifecycle: active, employment E active',
      '  implication sso-mirror gives it to who should hold Sso_Loans, and this person should not',
      '  on the target: not there',
    ])
  })

  test('thirty layers of two ways each: everything is explained once, and named wherever else a way passes it', () => {
    const layers = 30
    const all = Array.from({ length: layers }, (_, at) => [`L${at}`, `R${at}`, `T${at + 1}`]).flat()
    const ways = Array.from(
      { length: layers },
      (_, at) => `
  left-${at}: { holds: T${at}, grants: { entitlements: [L${at}, R${at}] } }
  down-l${at}: { holds: L${at}, grants: { entitlements: [T${at + 1}] } }
  down-r${at}: { holds: R${at}, grants: { entitlements: [T${at + 1}] } }`,
    ).join('')
    const diamonds = compiled(
      catalogue('T0', ...all),
      'birthright: { everybody: { when: everyone, grants: { entitlements: [T0] } } }\n',
      `implications:${ways}\n`,
    )
    let looks = 0
    const keyOf = new Map(diamonds.keyOf)
    keyOf.get = (id) => {
      looks += 1
      if (looks > 10_000) throw new Error('looked at again and again')
      return diamonds.keyOf.get(id)
    }
    const explanation = explain(
      {
        history: fold([anEvent('1')]),
        personKey: person,
        policies: [{ activeFrom: null, policy: { ...diamonds, keyOf } }],
        now: at(10),
        present: [],
      },
      idOf(diamonds, `T${layers}`),
    )
    const told = explanationLines(explanation)
    const headlines = told.filter((line) => / wanted at /.test(line)).map((line) => line.trim().split(':')[0])
    expect(headlines.toSorted()).toEqual(['T0', ...all].toSorted())
    expect(told.filter((line) => line.includes('who should hold T29 (above)')).length).toBe(1)
    expect(JSON.stringify(explanation).length).toBeLessThan(100_000)
  })
})
