/**
 * Loaded with --import into every thread of an engine under count (never under the clock): counts its statements and
 * how long it waits for each, and how long it is inside calls of the directory. Tells its parent when asked.
 */
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads'
import { ModifyRequest, ModifyResponse, SearchRequest, SearchResponse } from 'ldapts'
import pg from 'pg'

/** `ms`: summed over statements that may run side by side; for the directory: time with at least one call out. */
export type Tally = { readonly n: number; readonly ms: number }
export type Probed = {
  /** By name; `begin`, `commit` and `rollback` under theirs. */
  readonly statements: Readonly<Record<string, Tally>>
  /** `grant`, `revoke` (changes of members), `modify` (all others), `search`. */
  readonly directory: Readonly<Record<string, Tally>>
}

type Counting = { n: number; ms: number }
let statements: Record<string, Counting> = {}
let directory: Record<string, Counting & { out: number; since: number }> = {}

const query = pg.Client.prototype.query as (...all: unknown[]) => unknown
pg.Client.prototype.query = function (this: pg.Client, ...all: unknown[]) {
  const [config] = all as [string | { readonly name?: string; readonly text?: string }]
  const name = typeof config === 'string' ? config : (config?.name ?? config?.text ?? 'other')
  const of = (statements[name.slice(0, 40)] ??= { n: 0, ms: 0 })
  of.n++
  const begun = performance.now()
  const result = query.apply(this, all)
  const count = () => {
    of.ms += performance.now() - begun
  }
  if (result instanceof Promise) result.then(count, count)
  return result
} as typeof pg.Client.prototype.query

const leave = (kind: string) => {
  const of = (directory[kind] ??= { n: 0, ms: 0, out: 0, since: 0 })
  of.n++
  if (of.out++ === 0) of.since = performance.now()
}
const arrive = (kind: string) => {
  const of = directory[kind]
  if (of !== undefined && of.out > 0 && --of.out === 0) of.ms += performance.now() - of.since
}

const modifies = new Map<number, string>()
const kindOf = (message: ModifyRequest): string => {
  const [change] = message.changes
  if (change?.modification.type.toLowerCase() !== 'member') return 'modify'
  return message.changes.some(({ operation }) => operation === 'delete') ? 'revoke' : 'grant'
}
const writeModify = ModifyRequest.prototype.writeMessage
ModifyRequest.prototype.writeMessage = function (writer) {
  const kind = kindOf(this)
  modifies.set(this.messageId, kind)
  leave(kind)
  writeModify.call(this, writer)
}
const parseModify = ModifyResponse.prototype.parseMessage
ModifyResponse.prototype.parseMessage = function (reader) {
  parseModify.call(this, reader)
  arrive(modifies.get(this.messageId) ?? 'modify')
  modifies.delete(this.messageId)
}
const writeSearch = SearchRequest.prototype.writeMessage
SearchRequest.prototype.writeMessage = function (writer) {
  leave('search')
  writeSearch.call(this, writer)
}
const parseSearch = SearchResponse.prototype.parseMessage
SearchResponse.prototype.parseMessage = function (reader) {
  parseSearch.call(this, reader)
  arrive('search')
}

const take = (): Probed => {
  const told = {
    statements,
    directory: Object.fromEntries(Object.entries(directory).map(([kind, { n, ms }]) => [kind, { n, ms }])),
  }
  statements = {}
  directory = {}
  return told
}

const merge = (all: readonly Probed[]): Probed => {
  const sum = (of: keyof Probed) => {
    const result: Record<string, Counting> = {}
    for (const one of all)
      for (const [name, { n, ms }] of Object.entries(one[of])) {
        const to = (result[name] ??= { n: 0, ms: 0 })
        to.n += n
        to.ms += ms
      }
    return result
  }
  return { statements: sum('statements'), directory: sum('directory') }
}

/** Other threads answer within this, ms; a thread that is not there cannot be asked. */
const answersWithinMs = 400

const channel = new BroadcastChannel(`bench-probe-${process.pid}`)
channel.unref()
const heard = new Map<number, Probed>()
channel.onmessage = (event) => {
  const message = (
    event as unknown as { readonly data: 'report' | { readonly thread: number; readonly probed: Probed } }
  ).data
  if (message !== 'report') heard.set(message.thread, message.probed)
  else if (!isMainThread) channel.postMessage({ thread: threadId, probed: take() })
}

if (isMainThread && process.send !== undefined) {
  process.on('message', (message) => {
    if (message !== 'report') return
    heard.clear()
    channel.postMessage('report')
    setTimeout(() => process.send?.(merge([take(), ...heard.values()])), answersWithinMs)
  })
  process.channel?.unref()
}
