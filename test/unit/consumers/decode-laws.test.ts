import { Buffer } from 'node:buffer'
import { existsSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { workerEventJsonSchema } from '../../../src/consumers/event-schema.ts'
import { headersJson } from '../../../src/consumers/message-headers.ts'
import { workerAttributes } from '../../../src/domain/attributes.ts'
import type { UnreceivedEvent } from '../../../src/domain/inbox-message.ts'
import { workerStatuses } from '../../../src/domain/worker-event.ts'
import { terminated, workerEvent } from '../../support/worker-events.ts'
import { accepted, arrival, decode } from './arrivals.ts'

const key = fc.stringMatching(/^[!-~]{1,40}$/)
const text = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .filter((value) => value.isWellFormed() && !value.includes('\0'))
const instant = fc.integer({ min: Date.parse('1900-01-01T00:00:00Z'), max: Date.parse('2200-01-01T00:00:00Z') })
const written = (at: number | null) => (at === null ? null : new Date(at).toISOString())
const customValue = fc.oneof(text, fc.maxSafeInteger(), fc.boolean())

const event = fc.record({
  source: key,
  id: key,
  action: fc.constantFrom('assert', 'correct'),
  supersedes: fc.option(key),
  effectiveAt: instant,
  recordedAt: instant,
  sequence: fc.stringMatching(/^[0-9]{0,12}$/),
  urgency: fc.constantFrom('normal', 'immediate'),
  worker: fc.record({
    personKey: key,
    employmentKey: key,
    primary: fc.boolean(),
    status: fc.constantFrom(...workerStatuses),
    involuntary: fc.boolean(),
    hireDate: fc.option(instant.map((at) => new Date(at).toISOString().slice(0, 10))),
    lastDayEndsAt: fc.option(instant),
    contractEndsAt: fc.option(instant),
    attributes: fc
      .tuple(
        fc.dictionary(fc.constantFrom(...Object.keys(workerAttributes)), text),
        fc.dictionary(
          key.filter((name) => name !== '__proto__').map((name) => `custom.${name}`),
          customValue,
        ),
      )
      .map(([known, custom]) => ({ ...known, ...custom })),
  }),
})

const encode = ({ worker, ...given }: typeof event extends fc.Arbitrary<infer E> ? E : never) => {
  const { attributes, lastDayEndsAt, contractEndsAt, ...plain } = worker
  const custom = Object.entries(attributes).filter(([name]) => name.startsWith('custom.'))
  const known = Object.entries(attributes).filter(([name]) => !name.startsWith('custom.'))
  return {
    specversion: '1.0',
    type: 'dev.muster.hr.worker.v1',
    source: given.source,
    id: given.id,
    recordedtime: written(given.recordedAt),
    sequence: given.sequence,
    data: {
      action: given.action,
      supersedes: given.supersedes,
      effectiveAt: written(given.effectiveAt),
      timezone: 'Asia/Kolkata',
      urgency: given.urgency,
      worker: {
        ...plain,
        ...Object.fromEntries(known),
        lastDayOfWork: written(lastDayEndsAt),
        contractEndDate: written(contractEndsAt),
        custom: Object.fromEntries(custom.map(([name, value]) => [name.slice('custom.'.length), value])),
      },
    },
  }
}

test('what is written is what is read, in both modes, and the published schema takes it', () => {
  const valid = new Ajv2020({ strict: false }).compile(JSON.parse(workerEventJsonSchema()))
  fc.assert(
    fc.property(event, fc.constantFrom(0, 2), (given, indent) => {
      const body = encode(given)
      expect(valid(body)).toBe(true)
      const structured = accepted(decode(arrival(given.worker.personKey, JSON.stringify(body, null, indent))))
      expect(structured.event).toEqual(given as unknown as UnreceivedEvent)
      expect(structured.unknownMembers + structured.droppedMembers).toBe(0)
      const { data, ...context } = body
      const headers = headersJson(
        Object.fromEntries(Object.entries(context).map(([name, value]) => [`ce_${name}`, Buffer.from(String(value))])),
      )
      const binary = { ...arrival(given.worker.personKey, data), headers }
      expect(accepted(decode(binary)).event).toEqual(structured.event)
    }),
    { numRuns: 300 },
  )
})

test('the order of members and unknown ones mean nothing', () => {
  const shuffled = (value: unknown, turn: number): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const entries = Object.entries(value)
    const cut = entries.length === 0 ? 0 : turn % entries.length
    return Object.fromEntries(
      [...entries.slice(cut), ['x-unknown', turn], ...entries.slice(0, cut)].map(([name, inner]) => [
        name,
        name === 'custom' ? inner : shuffled(inner, turn),
      ]),
    )
  }
  const before = accepted(decode(arrival('P-1', workerEvent('P-1', 'e1'))))
  fc.assert(
    fc.property(fc.nat(1_000), (turn) => {
      const after = accepted(decode(arrival('P-1', shuffled(workerEvent('P-1', 'e1'), turn))))
      expect(after.event).toEqual(before.event)
      expect(after.unknownMembers).toBe(3)
    }),
  )
})

const whole = Buffer.from(JSON.stringify(workerEvent('P-1', 'e1')))
const leaving = Buffer.from(JSON.stringify(terminated('P-1', 'e1')))
const headerJson = fc.option(
  fc
    .dictionary(
      fc.oneof(fc.string(), fc.constantFrom('ce_specversion', 'content-type', 'ce_id', '__proto__', 'constructor')),
      fc.oneof(fc.string(), fc.constant({ base64: 'AAAA' })),
    )
    .map((headers) => JSON.stringify(headers)),
)

test('no bytes make it throw, and every verdict can be stored', () => {
  const damage = fc
    .tuple(
      fc.constantFrom(whole, leaving),
      fc.array(fc.tuple(fc.nat(1_200), fc.nat(255)), { minLength: 1, maxLength: 8 }),
    )
    .map(([bytes, changes]) => {
      const copy = Buffer.from(bytes)
      for (const [at, byte] of changes) copy[at % copy.length] = byte
      return copy
    })
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((json) => Buffer.from(json)),
    damage,
    fc.nat(whole.length).map((length) => whole.subarray(0, length)),
    fc.constant(null),
  )
  fc.assert(
    fc.property(value, fc.option(fc.uint8Array({ maxLength: 5 })), headerJson, (raw, bytes, headers) => {
      const verdict = decode({ offset: 1, appendedAt: null, key: bytes ?? Buffer.from('P-1'), headers, raw })
      const stored = JSON.stringify(verdict)
      expect(stored.includes('\\u0000')).toBe(false)
      expect(stored.isWellFormed()).toBe(true)
      expect(/\\ud[89a-f]/.test(stored)).toBe(false)
    }),
    { numRuns: 2_000 },
  )
})

test('any JSON in place of any member is judged, and never as somebody else', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom(...Object.keys(workerEvent('P-1', 'e1'))),
      fc.constantFrom(...Object.keys((workerEvent('P-1', 'e1').data as { worker: object }).worker)),
      (value, outer, inner) => {
        for (const written of [{ event: { [outer]: value } }, { worker: { [inner]: value } }]) {
          const verdict = decode(arrival('P-1', workerEvent('P-1', 'e1', written)))
          if (verdict.kind === 'accepted') expect(verdict.event.worker.personKey).toBe('P-1')
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

test('headers become JSON that reads back, whatever kafkajs made of them', () => {
  expect(headersJson(undefined)).toBeNull()
  expect(headersJson({})).toBeNull()
  expect(headersJson({ constructor: [Object, Buffer.from('a')], 'content-type': Buffer.from('b') } as never)).toBe(
    '{"constructor":"a","content-type":"b"}',
  )
  expect(
    headersJson({
      bin: Buffer.from([0xff]),
      nul: Buffer.from([0]),
      'n\0': Buffer.from('x'),
      two: [Buffer.from('1'), Buffer.from('2')],
    }),
  ).toBe('{"bin":{"base64":"/w=="},"nul":{"base64":"AA=="},"n":"x","two":["1","2"]}')
})

test('the published schema is in step', () => {
  const file = new URL('../../../schemas/worker-event.v1.schema.json', import.meta.url)
  expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(workerEventJsonSchema())
})
