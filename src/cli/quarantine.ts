import { todaysDecoder } from '../app/decoder.ts'
import { type QuarantineReason, quarantineReasons } from '../domain/inbox-message.ts'
import { assertNever } from '../domain/never.ts'
import { listQuarantine, showQuarantined } from '../engine/read-quarantine.ts'
import { type Replayed, replayAll, replayQuarantined } from '../engine/replay-quarantined.ts'
import { osActor } from './actor.ts'
import { type Answer, type Call, type Command, textValue } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { placeOf } from './quarantine-place.ts'
import { pairLines, printable, section, tableLines, timeText } from './table.ts'

const listed = 1_000

const reasonOf = (call: Call): QuarantineReason | undefined => {
  const written = textValue(call.values, 'reason')
  const reason = quarantineReasons.find((known) => known === written)
  if (written !== undefined && reason === undefined)
    throw usage(`there is no reason ${written}`, `one of ${quarantineReasons.join(', ')}`)
  return reason
}

const only = {
  type: 'string',
  takes: 'REASON',
  about: `only those of this reason: ${quarantineReasons.join(', ')}`,
} as const

export const quarantineList: Command = {
  summary: 'messages that are no worker events, with the reason',
  usage: 'quarantine list [--reason REASON]',
  options: { reason: only },
  run: (call) => {
    const reason = reasonOf(call)
    return inOffice(call, async ({ db }) => {
      const lines = await listQuarantine({ db }, { reason, limit: listed })
      return {
        json: lines.map((line) => ({
          ...line,
          appendedAt: timeText(line.appendedAt),
          receivedAt: timeText(line.receivedAt),
          replayedAt: line.replayedAt === null ? null : timeText(line.replayedAt),
        })),
        lines: (paint) =>
          lines.length === 0
            ? ['nothing is quarantined']
            : [
                ...tableLines(
                  paint,
                  ['message', 'reason', 'event id', 'bytes', 'received'],
                  lines.map((line) => [
                    `${line.topic}/${line.partition}/${line.offset}`,
                    line.reason,
                    line.id,
                    line.size,
                    timeText(line.receivedAt),
                  ]),
                ),
                ...(lines.length === listed ? [paint.dim(`the first ${listed}; --reason narrows it`)] : []),
              ],
      }
    })
  },
}

export const quarantineShow: Command = {
  summary: 'one of them: what is wrong with it, and its bytes',
  usage: 'quarantine show TOPIC/PARTITION/OFFSET',
  run: (call) =>
    inOffice(call, async ({ db }) => {
      const { stream, offset } = await placeOf(db, call.words[0])
      const message = await showQuarantined({ db }, stream, offset)
      if (message === undefined)
        throw failure('no quarantined message stands there', '`muster quarantine list` shows them')
      const raw = message.raw?.toString('utf8') ?? null
      return {
        json: {
          ...message,
          key: message.key?.toString('utf8') ?? null,
          raw,
          rawBase64: message.raw?.toString('base64') ?? null,
        },
        lines: (paint) => [
          ...pairLines(paint, [
            ['message', `${message.topic}/${message.partition}/${message.offset}`],
            ['reason', message.reason],
            ['event', message.id],
            ['source', message.source],
            ['key', message.key?.toString('utf8')],
            ['appended', timeText(message.appendedAt)],
            ['received', timeText(message.receivedAt)],
            ['judged again', message.replayedAt === null ? null : timeText(message.replayedAt)],
          ]),
          ...section(
            paint,
            'what is wrong',
            message.problems.map(({ path, message: text }) =>
              printable(`${path === '' ? '(all of it)' : path}: ${text}`),
            ),
          ),
          ...section(paint, 'bytes', raw === null ? ['none: a tombstone'] : shownBytes(raw)),
        ],
      }
    }),
}

const shownCharacters = 4_000

const shownBytes = (raw: string): readonly string[] => [
  ...raw.slice(0, shownCharacters).split('\n').map(printable),
  ...(raw.length > shownCharacters
    ? [`… ${counted(raw.length - shownCharacters, 'character')} more: --json has all of them`]
    : []),
]

export const quarantineReplay: Command = {
  summary: 'judges again, with what is known by now; audited when it leaves quarantine',
  usage: 'quarantine replay TOPIC/PARTITION/OFFSET | --all [--reason REASON]',
  options: { all: { type: 'boolean', about: 'instead of one place: all messages in quarantine' }, reason: only },
  run: (call) => {
    const reason = reasonOf(call)
    const engine = (db: Parameters<typeof placeOf>[0]) => ({ db, nudge: () => {} })
    if ((call.values.all === true) === call.words.length > 0)
      throw usage(
        'one message, or all of them?',
        'usage: muster quarantine replay TOPIC/PARTITION/OFFSET, or --all [--reason REASON]',
      )
    return inOffice(call, async ({ db }): Promise<Answer> => {
      if (call.values.all === true) {
        const count = await replayAll(engine(db), todaysDecoder(), reason, osActor())
        return {
          exit: count.quarantined === 0 ? 0 : 1,
          json: count,
          lines: () => [
            `${count.accepted} accepted, ${count.duplicates} known already, ${count.quarantined} still quarantined`,
          ],
        }
      }
      const { stream, offset } = await placeOf(db, call.words[0])
      return replayAnswer(await replayQuarantined(engine(db), todaysDecoder(), stream, offset, osActor()))
    })
  },
}

const replayAnswer = (replayed: Replayed): Answer => {
  switch (replayed.kind) {
    case 'unknown':
      throw failure('no quarantined message stands there', '`muster quarantine list` shows them')
    case 'quarantined':
      return { exit: 1, json: replayed, lines: (paint) => [`${paint.red('still quarantined')}: ${replayed.reason}`] }
    case 'accepted':
      return {
        json: replayed,
        lines: (paint) => [`${paint.green('accepted')}: it takes effect like an event that just came`],
      }
    case 'duplicate':
      return { json: replayed, lines: () => ['this event was accepted before: it changes nothing'] }
    default:
      return assertNever(replayed)
  }
}
