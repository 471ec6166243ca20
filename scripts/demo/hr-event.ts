/** Worker events as HR writes them (DESIGN §10): from the example's files, or made up. */
import { readFileSync } from 'node:fs'

export type Worker = Readonly<Record<string, unknown>> & { readonly personKey: string }
export type HrData = Readonly<Record<string, unknown>> & { readonly worker: Worker }
export type HrMessage = { readonly key: string; readonly value: string }

const events = new URL('../../examples/bank/events/', import.meta.url)

let sequence = 0

/** One CloudEvent, as a Kafka message with the person as its key. */
export const hrMessage = (person: string, id: string, now: number, data: HrData): HrMessage => {
  const time = new Date(now).toISOString()
  const event = {
    specversion: '1.0',
    type: 'dev.muster.hr.worker.v1',
    source: '/workday/bank',
    id,
    subject: person,
    time,
    recordedtime: time,
    sequence: String(++sequence).padStart(10, '0'),
    datacontenttype: 'application/json',
    data,
  }
  return { key: person, value: JSON.stringify(event) }
}

export const dataOf = (worker: Worker, own: Readonly<Record<string, unknown>>): HrData => ({
  action: 'assert',
  supersedes: null,
  timezone: 'Asia/Kolkata',
  urgency: 'normal',
  ...own,
  worker,
})

/** An event of examples/bank/events as if HR had sent it today: said now, effective at `effectiveAt` (ms). */
export const storyEvent = (name: string, now: number, effectiveAt: number): HrMessage => {
  const written = JSON.parse(readFileSync(new URL(`${name}.json`, events), 'utf8')) as { id: string; data: HrData }
  return hrMessage(written.data.worker.personKey, written.id, now, {
    ...written.data,
    effectiveAt: new Date(effectiveAt).toISOString(),
  })
}
