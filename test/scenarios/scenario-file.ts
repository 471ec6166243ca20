import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

/** The scenario format; README.md beside this file says what the words mean. Nothing here knows how Muster works inside. */
const instant = z.iso.datetime({ offset: true })
const text = z.string().min(1)
const count = z.int().min(0).nullable().default(null)

export const targetRules = z.strictObject({
  mode: z.enum(['observe', 'plan', 'enforce']).default('enforce'),
  accounts: z.enum(['create', 'expect']).default('create'),
  leaverUnmanaged: z.enum(['remove', 'report']).default('remove'),
  /** How much may be taken away within an hour before a human must look; not named = no limit. */
  guard: z
    .strictObject({
      revokes: count,
      disables: count,
      entitlementRevokes: count,
      urgentPerHour: z.int().min(0).default(10),
    })
    .prefault({}),
})

const directoryEntry = z.strictObject({
  target: text.default('bank-ldap'),
  /** What correlation finds; null = somebody else's account. */
  person: text.nullable(),
  username: text.optional(),
  enabled: z.boolean().default(true),
  groups: z.array(text).default([]),
})

/** An HR event: the body of DESIGN §10, flat. Unnamed members come from `people` and from the defaults in README.md. */
export const hrEvent = z.looseObject({
  person: text,
  employment: text.default('E-1'),
  id: text.optional(),
  action: z.enum(['assert', 'correct', 'rescind']).default('assert'),
  supersedes: text.nullable().default(null),
  effectiveAt: z.union([instant, z.iso.date()]).optional(),
  timezone: text.default('UTC'),
  urgency: text.default('normal'),
  recordedtime: instant.optional(),
  sequence: z.string().default(''),
  status: z.enum(['prehire', 'active', 'leave', 'suspended', 'terminated']).default('active'),
  primary: z.union([z.boolean(), text]).default(true),
  involuntary: z.boolean().default(false),
  hireDate: text.nullable().default(null),
  lastDayOfWork: z.iso.date().nullable().default(null),
  contractEndDate: z.iso.date().nullable().default(null),
})
export type HrEvent = z.infer<typeof hrEvent>

export const answers = ['done', 'applied, answer lost', 'not applied, answer lost', 'not applied'] as const
export type Answer = (typeof answers)[number]

const call = { person: text, change: text }
const happening = z.union([
  z.strictObject({ hr: z.looseObject({ person: text }) }),
  z.strictObject({ clock: instant }),
  z.strictObject({ policies: z.array(text) }),
  z.strictObject({ mode: z.record(text, targetRules.shape.mode.unwrap()) }),
  z.strictObject({ reject: z.strictObject({ person: text, entitlement: text }) }),
  z.strictObject({ release: z.strictObject({ target: text, changes: z.enum(['revoke', 'disable']) }) }),
  z.strictObject({ failing: text }),
  z.strictObject({ mended: text }),
  z.strictObject({ calling: z.strictObject(call) }),
  z.strictObject({ answered: z.strictObject({ ...call, as: z.enum(answers) }) }),
  z.strictObject({ down: text }),
  z.strictObject({ up: text }),
  z.strictObject({ outside: directoryEntry }),
  z.strictObject({ restart: z.literal(true) }),
])
export type Happening = z.infer<typeof happening>

const expectation = z.strictObject({
  lifecycle: z.enum(['prehire', 'active', 'leave', 'suspended', 'terminated']).optional(),
  leaver: z.boolean().optional(),
  parked: z.boolean().optional(),
  holds: z.union([z.array(text), z.record(text, z.array(text))]).optional(),
  accounts: z.record(text, z.enum(['enabled', 'disabled', 'none'])).optional(),
  wanted: z.array(text).optional(),
  held: z.record(text, z.array(text)).optional(),
  violations: z.array(text).optional(),
  reported: z.array(text).optional(),
  changes: z.array(text).optional(),
  before: z.array(z.tuple([text, text])).optional(),
  lane: z.enum(['leaver', 'bulk']).optional(),
  open: z.record(text, z.enum(['waiting', 'ready', 'calling', 'unknown', 'parked'])).optional(),
})
export type Expectation = z.infer<typeof expectation>

export const scenarioSchema = z.strictObject({
  scenario: text,
  /** The sentence of DESIGN that it plays. */
  says: text,
  given: z.strictObject({
    now: instant,
    policies: z.array(text).default(['lending']),
    targets: z.record(text, targetRules).prefault({ 'bank-ldap': {} }),
    people: z.record(text, z.record(text, z.unknown())).default({}),
    directory: z.array(directoryEntry).default([]),
  }),
  // biome-ignore lint/suspicious/noThenProperty: given, when, then are the words of the format; no step is awaited
  steps: z.array(z.strictObject({ when: z.array(happening).default([]), then: z.record(text, expectation) })).min(1),
})
export type Scenario = z.infer<typeof scenarioSchema>
export type Given = Scenario['given']
export type DirectoryEntry = z.infer<typeof directoryEntry>

const here = new URL('./', import.meta.url)

/** Every scenario below this folder, with its path from here, in the order of the paths. Throws on a malformed one. */
export const readScenarios = (): readonly { readonly path: string; readonly scenario: Scenario }[] =>
  readdirSync(here, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml') && !path.startsWith('policies'))
    .sort()
    .map((path) => ({ path, scenario: readScenario(path) }))

const readScenario = (path: string): Scenario => {
  const parsed = scenarioSchema.safeParse(parse(readFileSync(new URL(path, here), 'utf8')))
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/** The files of a named policy directory, or one file with the text itself when it is not a name. */
export const policyFiles = (sources: readonly string[]): readonly { readonly path: string; readonly text: string }[] =>
  sources.flatMap((source, i) => {
    if (source.includes('\n') || source.includes(':')) return [{ path: `inline-${i}.yaml`, text: source }]
    const folder =
      source === 'bank' ? new URL('../../examples/bank/policies/', here) : new URL(`policies/${source}/`, here)
    return readdirSync(folder)
      .sort()
      .map((file) => ({ path: `${source}/${file}`, text: readFileSync(new URL(file, folder), 'utf8') }))
  })
