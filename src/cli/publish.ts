import { readFile } from 'node:fs/promises'
import { type OutgoingMessage, publishEvents } from '../app/publish-events.ts'
import { loadKafka } from '../config.ts'
import { type Call, type Command, textValue } from './command.ts'
import { Complaint, failure, usage } from './complaint.ts'
import { configDirectoryOf, problemsOf } from './configured.ts'

export const publishCommand: Command = {
  summary: 'sends HR events (JSON or one a line) to Kafka, as HR would',
  usage: 'publish FILE… [--topic TOPIC]',
  options: { topic: { type: 'string' } },
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
    await publishEvents(kafka.value, topic, messages, (sent, total) => call.progress(`sent ${sent} of ${total}`))
    return {
      json: { topic, sent: messages.length },
      lines: (paint) => [`${paint.green('sent')} ${messages.length} events to ${topic}`],
    }
  },
}

const topicOf = (call: Call): string => {
  const written = textValue(call.values, 'topic')
  if (written !== undefined) return written
  if (call.directory === undefined) return 'hr.worker.v1'
  const topics = configDirectoryOf(call).file.sources.flatMap((source) => source.topics)
  if (topics.length !== 1) throw usage(`which of the topics ${topics.join(', ')}?`, 'name it: --topic TOPIC')
  return topics[0] as string
}

type Read = { readonly messages: readonly OutgoingMessage[]; readonly problems: readonly string[] }

/** Sent as they are written; only what has no key to be sent under is a mistake here. Ingest judges the rest. */
const readEvents = async (path: string): Promise<Read> => {
  const text = await readFile(path, 'utf8').catch(() => {
    throw failure(`${path} cannot be read`)
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
