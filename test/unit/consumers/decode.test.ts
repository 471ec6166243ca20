import { describe, expect, test } from 'vitest'
import { createDecoder } from '../../../src/consumers/decode.ts'
import { terminated, type Written, workerEvent } from '../../support/worker-events.ts'
import { accepted, arrival, at, decode, quarantined, reasonOf } from './arrivals.ts'

const judge = (written: Written) => decode(arrival('P-1', workerEvent('P-1', 'e1', written)))

describe('an event', () => {
  test('becomes a worker event with instants, whatever the mode', () => {
    const event = workerEvent('P-1', 'e1', {
      data: { effectiveAt: '2026-12-01' },
      worker: {
        lastDayOfWork: '2027-03-31',
        contractEndDate: '2027-06-30T12:00:00+02:00',
        custom: { floor: 7, 'desk no': null },
      },
    })
    const structured = accepted(
      decode(arrival('P-1', event, { 'Content-Type': 'application/cloudevents+json; charset=utf-8' })),
    )
    expect(structured.event).toEqual({
      source: '/workday/bank',
      id: 'e1',
      action: 'assert',
      supersedes: null,
      effectiveAt: at('2026-11-30T18:30:00Z'),
      recordedAt: at('2026-01-01T08:00:04Z'),
      sequence: '0000000001',
      urgency: 'normal',
      worker: {
        personKey: 'P-1',
        employmentKey: 'P-1-1',
        primary: true,
        status: 'active',
        involuntary: false,
        hireDate: '2026-01-01',
        lastDayEndsAt: at('2027-03-31T18:30:00Z'),
        contractEndsAt: at('2027-06-30T10:00:00Z'),
        attributes: {
          workerType: 'employee',
          givenName: 'Amit',
          familyName: 'R',
          displayName: 'Amit R',
          username: 'p-1',
          workEmail: 'p-1@bank.example',
          managerKey: 'P-0100',
          company: 'BANK-IN',
          department: 'LENDING',
          costCenter: '4711',
          location: 'Mumbai',
          country: 'IN',
          jobCode: 'RM',
          jobTitle: 'Relationship Manager',
          jobLevel: '5',
          'custom.floor': 7,
        },
      },
    })
    expect(structured).toMatchObject({
      endsAccess: false,
      endsAt: at('2027-03-31T18:30:00Z'),
      tzVersion: '2026a',
      unknownMembers: 0,
      droppedMembers: 0,
    })

    const { data, specversion, type, source, id, subject, time, recordedtime, sequence } = event as Record<
      string,
      string
    >
    const headers = {
      'content-type': 'application/json',
      ce_specversion: specversion,
      ce_type: type,
      ce_source: source,
      ce_id: id,
      ce_subject: subject,
      ce_time: time,
      ce_recordedtime: recordedtime,
      ce_sequence: sequence,
      traceparent: 'not ours',
    } as Record<string, string>
    expect(accepted(decode(arrival('P-1', data, headers))).event).toEqual(structured.event)
  })

  test('may have members that nobody knows: they are counted', () => {
    const verdict = judge({
      event: { traceparent: '00-1', nested: { a: 1, b: [{ c: 2 }] } },
      data: { extra: 1 },
      worker: { shoeSize: 42 },
    })
    expect(accepted(verdict)).toMatchObject({ unknownMembers: 7, droppedMembers: 0 })
    expect(accepted(verdict).event).toEqual(accepted(judge({})).event)
  })

  test('may lack what only describes', () => {
    const lean = workerEvent('P-1', 'e1')
    const data = lean.data as Record<string, unknown>
    const { personKey, employmentKey, status } = data.worker as Record<string, unknown>
    const { specversion, type, source, id, time } = lean
    const { action, effectiveAt, timezone } = data
    const event = {
      specversion,
      type,
      source,
      id,
      time,
      data: { action, effectiveAt, timezone, worker: { personKey, employmentKey, status } },
    }
    expect(accepted(decode(arrival('P-1', event))).event).toMatchObject({
      recordedAt: at('2026-01-01T08:00:00Z'),
      sequence: '',
      urgency: 'normal',
      worker: {
        primary: false,
        involuntary: false,
        hireDate: null,
        lastDayEndsAt: null,
        contractEndsAt: null,
        attributes: {},
      },
    })
  })
})

describe('what ends access is marked', () => {
  test.each<[string, Written, boolean]>([
    ['an active snapshot', {}, false],
    ['a termination', { worker: { status: 'terminated' } }, true],
    ['a rescission', { data: { action: 'rescind', supersedes: 'e0' } }, true],
    ['an immediate change', { data: { urgency: 'immediate' } }, true],
  ])('%s: %#', (_, written, ends) => {
    expect(accepted(judge(written)).endsAccess).toBe(ends)
  })

  test('the last day of work goes before the end of the contract, 9999 is no end', () => {
    expect(accepted(judge({ worker: { lastDayOfWork: '2026-05-01', contractEndDate: '2026-04-01' } })).endsAt).toBe(
      at('2026-05-01T18:30:00Z'),
    )
    expect(accepted(judge({ worker: { contractEndDate: '2026-04-01' } })).endsAt).toBe(at('2026-04-01T18:30:00Z'))
    expect(accepted(judge({ worker: { lastDayOfWork: '9999-12-31' } })).endsAt).toBeNull()
  })
})

describe('a message that is no good', () => {
  const good = JSON.stringify(workerEvent('P-1', 'e1'))
  const cases: readonly [string, string, unknown, string?][] = [
    ['tombstone', 'tombstone', null],
    ['5 MB', 'too-large', `{"pad":"${'x'.repeat(5 * 1024 * 1024)}"}`],
    ['invalid UTF-8', 'invalid-utf8', Buffer.from([...Buffer.from('{"a":"'), 0xc3, 0x28, ...Buffer.from('"}')])],
    ['UTF-8 of half a surrogate pair', 'invalid-utf8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['truncated', 'truncated-json', good.slice(0, -20)],
    ['truncated inside a text', 'truncated-json', good.slice(0, good.indexOf('Amit') + 2)],
    ['nothing', 'truncated-json', ''],
    ['no JSON', 'invalid-json', '<Worker/>'],
    ['two values', 'invalid-json', `${good}${good}`],
    ['NaN', 'invalid-json', '{"a":NaN}'],
    ['too deep', 'too-deep', `${'['.repeat(40)}${']'.repeat(40)}`],
    ['very deep', 'too-deep', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ['duplicate member', 'duplicate-member', good.replace('"status":', '"status":"leave","status":')],
    [
      'duplicate member, written differently',
      'duplicate-member',
      good.replace('"status":', '"st\\u0061tus" :\n"leave","status":'),
    ],
    ['duplicate member nobody knows', 'duplicate-member', good.replace('"custom":{}', '"custom":{"x":1,"x":1}')],
    ['__proto__', 'forbidden-member', good.replace('"custom":{}', '"custom":{"__proto__":{"primary":true}}')],
    ['__proto__, escaped', 'forbidden-member', good.replace('"custom":{}', '"\\u005f_proto__":{}')],
    ['U+0000', 'invalid-text', good.replace('"LENDING"', '"LEN\\u0000DING"')],
    ['half a surrogate pair', 'invalid-text', good.replace('"LENDING"', '"\\ud83d"')],
    ['U+0000 in a name', 'invalid-text', good.replace('"custom":{}', '"custom":{"a\\u0000":1}')],
    ['a list', 'not-a-cloudevent', '[]'],
    ['a text', 'not-a-cloudevent', '"hello"'],
    ['no specversion', 'not-a-cloudevent', '{"type":"dev.muster.hr.worker.v1"}'],
    ['specversion 0.3', 'unsupported-specversion', workerEvent('P-1', 'e1', { event: { specversion: '0.3' } })],
    [
      'datacontenttype XML',
      'unsupported-content-type',
      workerEvent('P-1', 'e1', { event: { datacontenttype: 'text/xml' } }),
    ],
    [
      'data_base64',
      'unsupported-content-type',
      workerEvent('P-1', 'e1', { event: { data: undefined, data_base64: 'AAAA' } }),
    ],
    ['unknown type', 'unknown-type', workerEvent('P-1', 'e1', { event: { type: 'com.example.order' } })],
    ['type no text', 'unknown-type', workerEvent('P-1', 'e1', { event: { type: 1 } })],
    ['future version', 'future-version', workerEvent('P-1', 'e1', { event: { type: 'dev.muster.hr.worker.v2' } })],
    ['no type', 'missing-member', workerEvent('P-1', 'e1', { event: { type: undefined } })],
    ['no id', 'missing-member', workerEvent('P-1', 'e1', { event: { id: undefined } })],
    ['no data', 'missing-member', workerEvent('P-1', 'e1', { event: { data: undefined } })],
    ['no personKey', 'missing-member', workerEvent('P-1', 'e1', { worker: { personKey: undefined } })],
    ['no timezone', 'missing-member', workerEvent('P-1', 'e1', { data: { timezone: undefined } })],
    [
      'neither time nor recordedtime',
      'missing-member',
      workerEvent('P-1', 'e1', { event: { time: undefined, recordedtime: null } }),
    ],
    ['rescinds nothing', 'missing-member', workerEvent('P-1', 'e1', { data: { action: 'rescind' } })],
    ['worker a text', 'wrong-type', workerEvent('P-1', 'e1', { data: { worker: 'P-1' } })],
    ['primary a text', 'wrong-type', workerEvent('P-1', 'e1', { worker: { primary: 'yes' } })],
    ['status a number', 'wrong-type', workerEvent('P-1', 'e1', { worker: { status: 1 } })],
    ['custom a list', 'wrong-type', workerEvent('P-1', 'e1', { worker: { custom: [] } })],
    ['custom with an object', 'wrong-type', workerEvent('P-1', 'e1', { worker: { custom: { a: {} } } })],
    ['custom with infinity', 'wrong-type', good.replace('"custom":{}', '"custom":{"a":1e999}')],
    [
      'custom with an inexact number',
      'invalid-value',
      good.replace('"custom":{}', '"custom":{"a":12345678901234567890}'),
    ],
    ['unknown status', 'unknown-status', workerEvent('P-1', 'e1', { worker: { status: 'retired' } })],
    ['unknown action', 'unknown-action', workerEvent('P-1', 'e1', { data: { action: 'upsert' } })],
    ['unknown urgency', 'unknown-value', workerEvent('P-1', 'e1', { data: { urgency: 'asap' } })],
    ['30 February', 'impossible-date', workerEvent('P-1', 'e1', { data: { effectiveAt: '2026-02-30' } })],
    ['29 February 2027', 'impossible-date', workerEvent('P-1', 'e1', { worker: { hireDate: '2027-02-29' } })],
    ['month 13', 'impossible-date', workerEvent('P-1', 'e1', { worker: { lastDayOfWork: '2026-13-01' } })],
    ["25 o'clock", 'impossible-date', workerEvent('P-1', 'e1', { data: { effectiveAt: '2026-02-03T25:00:00Z' } })],
    ['local time', 'impossible-date', workerEvent('P-1', 'e1', { data: { effectiveAt: '2026-02-03T10:00:00' } })],
    ['begins in 9999', 'impossible-date', workerEvent('P-1', 'e1', { data: { effectiveAt: '9999-12-31' } })],
    ['German date', 'impossible-date', workerEvent('P-1', 'e1', { worker: { contractEndDate: '31.12.2026' } })],
    [
      'recorded never',
      'impossible-date',
      workerEvent('P-1', 'e1', { event: { recordedtime: '2026-02-30T00:00:00Z' } }),
    ],
    ['unknown zone', 'unknown-zone', workerEvent('P-1', 'e1', { data: { timezone: 'Mars/Olympus' } })],
    [
      'unknown zone that nobody needs',
      'unknown-zone',
      workerEvent('P-1', 'e1', { data: { timezone: 'Mars/Olympus', effectiveAt: '2026-01-01T00:00:00Z' } }),
    ],
    ['empty id', 'invalid-value', workerEvent('P-1', 'e1', { event: { id: '' } })],
    ['id of 256', 'invalid-value', workerEvent('P-1', 'x'.repeat(256))],
    ['missing key', 'missing-key', good, ''],
    ['mismatching key', 'key-mismatch', good, 'P-2'],
    ['mismatching subject', 'key-mismatch', workerEvent('P-1', 'e1', { event: { subject: 'P-2' } })],
    ['key with a space', 'invalid-text', workerEvent('P-1 ', 'e1'), 'P-1 '],
    ['key not in NFC', 'invalid-text', workerEvent('Jose\u0301', 'e1'), 'Jose\u0301'],
  ]
  test.each(cases)('%s: %s', (_, reason, value, key = 'P-1') => {
    const verdict = decode(arrival(key === '' ? null : key, value))
    expect(reasonOf(verdict)).toBe(reason)
    expect(quarantined(verdict).problems.length).toBeGreaterThan(0)
    for (const { message } of quarantined(verdict).problems)
      expect(message).not.toMatch(/Amit|P-1|Olympus|retired|upsert|asap/)
  })

  test('by its headers', () => {
    const { data } = workerEvent('P-1', 'e1')
    const binary = {
      ce_specversion: '1.0',
      ce_type: 'dev.muster.hr.worker.v1',
      ce_source: '/s',
      ce_id: 'e1',
      ce_time: '2026-01-01T00:00:00Z',
    }
    expect(reasonOf(decode(arrival('P-1', data, binary)))).toBe('accepted')
    expect(reasonOf(decode(arrival('P-1', data, { ...binary, 'content-type': 'application/avro' })))).toBe(
      'unsupported-content-type',
    )
    expect(reasonOf(decode(arrival('P-1', data, { ...binary, ce_type: 'dev.muster.hr.worker.v3' })))).toBe(
      'future-version',
    )
    expect(reasonOf(decode(arrival('P-1', data, { 'content-type': 'application/cloudevents-batch+json' })))).toBe(
      'unsupported-content-type',
    )
    expect(reasonOf(decode(arrival('P-1', data)))).toBe('not-a-cloudevent')
  })

  test('tells all its problems by path, and what it was as far as legible', () => {
    const verdict = quarantined(
      judge({ worker: { status: 'retired', primary: 1 }, data: { effectiveAt: '2026-02-30', action: 5 } }),
    )
    expect(verdict).toMatchObject({
      reason: 'wrong-type',
      source: '/workday/bank',
      id: 'e1',
      legiblyTermination: false,
    })
    expect(verdict.problems).toEqual([
      { path: '/data/action', message: 'must be one of assert, correct, rescind' },
      { path: '/data/worker/primary', message: 'must be of type boolean' },
      { path: '/data/worker/status', message: 'must be one of prehire, active, leave, suspended, terminated' },
    ])
  })

  test('names the place of a duplicate', () => {
    const text = good.replace('"jobCode":', '"jobCode":"X","jobCode":')
    expect(quarantined(decode(arrival('P-1', text))).problems).toEqual([
      { path: '/data/worker/jobCode', message: 'stands there twice' },
    ])
  })

  test('the limit of size is a setting', () => {
    const small = createDecoder({ maxBytes: 100, tzVersion: 'x' })
    expect(reasonOf(small(arrival('P-1', good)))).toBe('too-large')
  })
})

describe('a termination is easy to believe', () => {
  const garbage = {
    event: { time: 'yesterday', recordedtime: 5, sequence: 7, subject: 'somebody else' },
    data: { supersedes: 3, urgency: 'asap' },
    worker: {
      primary: 'yes',
      hireDate: '2026-02-30',
      lastDayOfWork: 'soon',
      contractEndDate: '31.12.2026',
      givenName: 1,
      custom: [],
      involuntary: 'maybe',
    },
  }

  test('although everything but its four members is garbage', () => {
    const verdict = accepted(decode(arrival('P-1', terminated('P-1', 'e1', garbage))))
    expect(verdict).toMatchObject({ endsAccess: true, endsAt: null, droppedMembers: 12 })
    expect(verdict.event).toMatchObject({
      action: 'assert',
      effectiveAt: at('2026-01-31T18:30:00Z'),
      recordedAt: at('2026-01-31T18:30:00Z'),
      sequence: '',
      urgency: 'normal',
      worker: {
        status: 'terminated',
        primary: false,
        involuntary: false,
        hireDate: null,
        lastDayEndsAt: null,
        contractEndsAt: null,
      },
    })
  })

  test('without an action, without a known zone: the earliest zone on Earth ends it', () => {
    const verdict = accepted(
      decode(arrival('P-1', terminated('P-1', 'e1', { data: { action: undefined, timezone: 'Mars/Olympus' } }))),
    )
    expect(verdict.event).toMatchObject({ action: 'assert', effectiveAt: at('2026-01-31T10:00:00Z') })
  })

  test.each<[string, Written]>([
    ['personKey', { worker: { personKey: 7 } }],
    ['employmentKey', { worker: { employmentKey: '' } }],
    ['effectiveAt', { data: { effectiveAt: '2026-02-30' } }],
    ['id', { event: { id: null } }],
  ])('but not without its %s: then somebody must look', (_, written) => {
    expect(quarantined(decode(arrival('P-1', terminated('P-1', 'e1', written)))).legiblyTermination).toBe(true)
  })

  test('a rescission needs what it names, not a body', () => {
    const verdict = accepted(
      decode(
        arrival(
          'P-1',
          workerEvent('P-1', 'e1', {
            data: { action: 'rescind', supersedes: 'e0', urgency: 9 },
            worker: { status: 'gone', primary: 0 },
          }),
        ),
      ),
    )
    expect(verdict).toMatchObject({ endsAccess: true, event: { action: 'rescind', supersedes: 'e0' } })
  })

  test.each<[string, unknown, string | null]>([
    ['truncated', JSON.stringify(terminated('P-1', 'e1')).slice(0, -9), 'P-1'],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from(JSON.stringify(terminated('P-1', 'e1'))), Buffer.from([0xff])]),
      'P-1',
    ],
    ['too large', `${JSON.stringify(terminated('P-1', 'e1')).slice(0, -1)},"pad":"${'x'.repeat(2_000_000)}"}`, 'P-1'],
    ['written in capitals', terminated('P-1', 'e1', { worker: { status: 'TERMINATED' } }), 'P-1'],
    ['of the future', terminated('P-1', 'e1', { event: { type: 'dev.muster.hr.worker.v2' } }), 'P-1'],
    ['under another key', terminated('P-1', 'e1'), 'P-2'],
    ['without a key', terminated('P-1', 'e1'), null],
    ['twice said', JSON.stringify(terminated('P-1', 'e1')).replace('"primary":', '"primary":true,"primary":'), 'P-1'],
  ])('%s: quarantined, and legible', (_, value, key) => {
    expect(quarantined(decode(arrival(key, value))).legiblyTermination).toBe(true)
  })

  test('other statuses are none', () => {
    expect(
      quarantined(decode(arrival('P-2', workerEvent('P-1', 'e1', { worker: { jobTitle: 'status: terminated' } }))))
        .legiblyTermination,
    ).toBe(false)
    expect(quarantined(decode(arrival('P-1', null))).legiblyTermination).toBe(false)
  })
})
