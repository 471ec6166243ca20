import { readFile } from 'node:fs/promises'
import type { OutgoingEvent, Placed } from '../app/publish-events.ts'
import { loadKafka } from '../config.ts'
import { assertNever } from '../domain/never.ts'
import { type Call, type Command, textValue } from './command.ts'
import { Complaint, failure, usage } from './complaint.ts'
import { configDirectoryOf, problemsOf } from './configured.ts'
import { counted } from './counted.ts'
import type { Paint } from './paint.ts'
import { printable } from './table.ts'

export const publishCommand: Command = {
  summary: 'sends HR events (JSON or one a line) to Kafka, as HR would',
  usage: 'publish FILE… [--topic TOPIC]',
  options: {
    topic: { type: 'string', takes: 'TOPIC', about: 'where to; left out: the only topic of muster.yaml' },
  },
  run: async (call) => {
    if (call.words.length === 0)
      throw usage('which files?', 'usage: muster publish FILE… (JSON, or NDJSON with one event a line)')
    const kafka = loadKafka(call.env)
    if (!kafka.ok) throw new Complaint(2, 'Kafka is not configured', null, problemsOf(kafka.problems))
    const topic = topicOf(call)
    const read = await Promise.all(call.words.map(readEvents))
    const mistakes = read.flatMap(({ problems }) => problems)
    if (mistakes.length > 0)
      throw new Complaint(1, 'nothing was sent: these are no worker events', null, mistakes.slice(0, 50))
    const messages = read.flatMap((file) => file.messages)
    let done = 0
    const { publishEvents } = await import('../app/publish-events.ts')
    const published = await publishEvents(kafka.value, topic, messages, (sent, total) => {
      done = sent
      call.progress(`sent ${sent} of ${total}`)
    }).catch((error) => {
      throw failure(
        `Kafka broke off after ${done} of ${counted(messages.length, 'event')}: ${error instanceof Error ? error.message : error}`,
        'send the file again when `muster doctor` finds Kafka well: an event that comes twice changes nothing',
      )
    })
    switch (published.kind) {
      case 'unreachable':
        throw failure(
          `no Kafka broker answers at ${kafka.value.brokers.join(', ')}`,
          'check MUSTER_KAFKA_BROKERS (and MUSTER_KAFKA_TLS_*, MUSTER_KAFKA_SASL_*); `muster doctor` looks at each part',
        )
      case 'no-topic':
        throw failure(
          `topic ${topic} is not there`,
          'create it (docs/operators.md, What it needs), or name another: --topic TOPIC',
        )
      case 'sent':
        return {
          json: { topic, sent: messages.length },
          lines: (paint) => sentLines(paint, topic, messages, published.placed),
        }
      default:
        return assertNever(published)
    }
  },
}

const sentLines = (
  paint: Paint,
  topic: string,
  messages: readonly OutgoingEvent[],
  placed: readonly Placed[],
): readonly string[] => {
  const width = Math.max(0, ...placed.map(({ key }) => printable(key).length))
  const keys = new Set(messages.map(({ key }) => key))
  const key = keys.size === 1 ? printable([...keys][0] as string) : 'KEY'
  return [
    `${paint.green('sent')} ${counted(messages.length, 'event')} to ${topic}`,
    ...placed.map((one) => `  ${printable(one.key).padEnd(width)}  ${topic}/${one.partition}/${one.offset}`),
    ...(messages.length > placed.length ? [paint.dim(`  … and ${messages.length - placed.length} more`)] : []),
    `${paint.cyan('→')} \`muster show identity ${key}\`, or \`muster quarantine list\` when nothing changes`,
  ]
}

const topicOf = (call: Call): string => {
  const written = textValue(call.values, 'topic')
  if (written !== undefined) return written
  if (call.directory === undefined) return 'hr.worker.v1'
  const topics = configDirectoryOf(call).file.sources.flatMap((source) => source.topics)
  if (topics.length !== 1) throw usage(`which of the topics ${topics.join(', ')}?`, 'name it: --topic TOPIC')
  return topics[0] as string
}

type Read = { readonly messages: readonly OutgoingEvent[]; readonly problems: readonly string[] }

/** Sent as they are written; only what has no key to be sent under is a mistake here. Ingest judges the rest. */
const readEvents = async (path: string): Promise<Read> => {
  const text = await readFile(path, 'utf8').catch(() => {
    throw failure(`${path} cannot be read`, 'name files of HR events: JSON, or NDJSON with one event a line')
  })
  const whole = parsed(text)
  if (whole !== undefined)
    return gathered(
      (Array.isArray(whole) ? whole : [whole]).map((value, index) => ({
        where: `${path}: event ${index + 1}`,
        value,
        text: JSON.stringify(value),
      })),
    )
  const lines = text
    .split('\n')
    .flatMap((line, index) =>
      line.trim() === '' ? [] : [{ where: `${path}:${index + 1}`, value: parsed(line), text: line }],
    )
  return gathered(lines)
}

const gathered = (
  events: readonly { readonly where: string; readonly value: unknown; readonly text: string }[],
): Read => {
  const all = events.map(({ where, value, text }) => ({ where, key: keyOf(value), text, json: value !== undefined }))
  return {
    messages: all.flatMap(({ key, text }) =>
      key === null ? [] : [{ key, value: text, headers: { 'content-type': 'application/cloudevents+json' } }],
    ),
    problems: all.flatMap(({ where, key, json }) =>
      key !== null ? [] : [`${where} ${json ? 'has neither data.worker.personKey nor subject' : 'is not JSON'}`],
    ),
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const keyOf = (event: unknown): string | null => {
  const { subject, data } = (event ?? {}) as { subject?: unknown; data?: { worker?: { personKey?: unknown } } }
  const key = data?.worker?.personKey ?? subject
  return typeof key === 'string' && key !== '' ? key : null
}
