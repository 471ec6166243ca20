import { z } from 'zod'
import { workerStatuses } from '../domain/worker-event.ts'

/** The type that this version reads, and how later ones will be called. */
export const eventType = 'dev.muster.hr.worker.v1'
export const laterEventType = /^dev\.muster\.hr\.worker\.v\d+$/

const text = z.string().max(1024).nullish()
/** Index rows of PostgreSQL end at 2,704 bytes; two of these fit. */
const key = z.string().min(1).max(255)
const date = z.string().max(64).describe('YYYY-MM-DD, a day in `timezone`, or an RFC 3339 instant')
const instant = z.string().max(64).describe('RFC 3339')
const customValue = z.union([z.string().max(4096), z.number(), z.boolean(), z.null()])

const worker = z.object({
  personKey: key.describe("HR's key of the person: the message key and, where given, the subject"),
  employmentKey: key.describe('one contract of that person'),
  primary: z.boolean().nullish(),
  workerType: text,
  status: z.enum(workerStatuses),
  givenName: text,
  familyName: text,
  displayName: text,
  username: text,
  workEmail: text,
  hireDate: z.string().max(64).nullish().describe('YYYY-MM-DD; information, begins nothing'),
  lastDayOfWork: date.nullish().describe('access ends at the end of this day'),
  contractEndDate: date.nullish(),
  involuntary: z.boolean().nullish(),
  managerKey: text,
  company: text,
  department: text,
  costCenter: text,
  location: text,
  country: text,
  jobCode: text,
  jobTitle: text,
  jobLevel: text,
  custom: z.record(z.string().max(255), customValue).nullish().describe('further attributes for rules, as custom.NAME'),
})

const data = z.object({
  action: z.enum(['assert', 'correct', 'rescind']),
  supersedes: z
    .string()
    .min(1)
    .max(255)
    .nullish()
    .describe('id of the assertion (same source) that correct and rescind remove'),
  effectiveAt: date.describe('the snapshot holds from the start of this day in `timezone`, or from this instant'),
  timezone: z.string().min(1).max(64).describe('IANA name'),
  urgency: z.enum(['normal', 'immediate']).nullish(),
  worker,
})

/** A worker event, structured: one full snapshot of one employment. Members that are not listed are ignored. */
export const workerEventSchema = z.object({
  specversion: z.literal('1.0'),
  type: z.literal(eventType),
  source: key,
  id: key,
  subject: key.nullish().describe('= data.worker.personKey'),
  time: instant.nullish(),
  recordedtime: instant.nullish().describe('when HR recorded it; else `time`, one of the two must be there'),
  sequence: z.string().max(255).nullish().describe('orders events of one moment, compared as text'),
  datacontenttype: text,
  data,
})

export type WrittenEvent = z.infer<typeof workerEventSchema>

/** Member schemas by place: a termination's members are judged one by one. */
export const memberSchemas: Readonly<Record<'event' | 'data' | 'worker', Readonly<Record<string, z.ZodType>>>> = {
  event: workerEventSchema.shape,
  data: data.shape,
  worker: worker.shape,
}

/** JSON Schema (2020-12) as published in schemas/worker-event.v1.schema.json. */
export const workerEventJsonSchema = (): string =>
  `${JSON.stringify({ ...z.toJSONSchema(workerEventSchema, { io: 'input' }), title: `Muster worker event: ${eventType}` }, null, 2)}\n`
