import type { CauseKind } from '../domain/action.ts'
import type { HeldGroup } from '../engine/list-held.ts'
import type { Cell } from './table.ts'
import { timeText } from './table.ts'

/** What people said in HR, as it came: the messages from one offset to another of one partition. */
type Words = {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: number
  readonly lastOffset: number
  /** When Kafka took the first and the last of them. */
  readonly firstAt: Date | null
  readonly lastAt: Date | null
}

export type HeldCause = {
  /** null: nobody asked when they were planned. */
  readonly cause: CauseKind | null
  /** The policy version that judged these people for the first time. */
  readonly policy: number | null
  readonly actions: number
  /** HR's last words of these people when they were judged. */
  readonly hr: readonly Words[]
}

/** By which causes that is held, the most frequent first. */
export const heldCauses = (groups: readonly HeldGroup[]): readonly HeldCause[] => {
  const byCause = Map.groupBy(groups, ({ cause, policy }) => `${cause}:${policy}`)
  return [...byCause.values()]
    .flatMap((alike) => {
      const [first] = alike
      if (first === undefined) return []
      const { cause, policy } = first
      return [{ cause, policy, actions: alike.reduce((sum, { actions }) => sum + actions, 0), hr: wordsOf(alike) }]
    })
    .sort((a, b) => b.actions - a.actions || (causeText(a) < causeText(b) ? -1 : 1))
}

const wordsOf = (groups: readonly HeldGroup[]): readonly Words[] => {
  const merged = new Map<string, Words>()
  for (const { topic, partition, firstOffset, lastOffset, firstAt, lastAt } of groups) {
    if (topic === null || partition === null || firstOffset === null || lastOffset === null) continue
    const place = `${topic}/${partition}`
    const before = merged.get(place)
    const words = { topic, partition, firstOffset, lastOffset, firstAt: moment(firstAt), lastAt: moment(lastAt) }
    merged.set(place, before === undefined ? words : together(before, words))
  }
  return [...merged.values()].sort((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  )
}

const moment = (ms: number | null): Date | null => (ms === null ? null : new Date(ms))

const together = (one: Words, other: Words): Words => {
  const first = one.firstOffset <= other.firstOffset ? one : other
  const last = one.lastOffset >= other.lastOffset ? one : other
  return { ...first, lastOffset: last.lastOffset, lastAt: last.lastAt }
}

const texts: Record<CauseKind, string> = {
  event: 'events of HR',
  policy: 'the policy',
  timer: 'a moment known for a day or longer: an employment began or ended, or what was given for a time',
  drift: 'another hand on the target (drift)',
  'adoption-ended': 'the end of an adoption',
  target: 'mode or settings of the target',
  observed: 'what a read or a call to the target showed',
}

export const causeText = ({ cause, policy }: Pick<HeldCause, 'cause' | 'policy'>): string => {
  if (cause === null) return 'not known: planned when no limit looked at it'
  if (policy === null) return texts[cause]
  return cause === 'event' ? `events of HR, and policy version ${policy} with them` : `policy version ${policy}`
}

/** `hr.worker.v1, 2026-11-20T08:00:00Z to 2026-11-20T08:00:04Z`. */
const wordsText = ({ hr }: HeldCause): string => {
  const topics = [...new Set(hr.map(({ topic }) => topic))].sort()
  const times = hr.flatMap(({ firstAt, lastAt }) =>
    [firstAt, lastAt].flatMap((at) => (at === null ? [] : [Number(at)])),
  )
  if (topics.length === 0) return ''
  return times.length === 0
    ? topics.join(', ')
    : `${topics.join(', ')}, ${timeText(Math.min(...times))} to ${timeText(Math.max(...times))}`
}

export const causeRow = (cause: HeldCause): readonly Cell[] => [
  cause.actions,
  causeText(cause),
  wordsText(cause) || null,
]

/** In one line. */
export const causesText = (causes: readonly HeldCause[]): string =>
  causes.length === 0
    ? 'nothing now'
    : causes.map(({ actions, ...cause }) => `${actions} by ${shortly(cause)}`).join('; ')

const short: Partial<Record<CauseKind, string>> = { timer: 'a moment known for a day or longer' }
const shortly = (cause: Pick<HeldCause, 'cause' | 'policy'>): string =>
  (cause.cause === null ? 'a cause not known' : short[cause.cause]) ?? causeText(cause)
