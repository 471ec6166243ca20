import {
  AddRequest,
  Attribute,
  Change,
  type Control,
  DeleteRequest,
  ExtendedRequest,
  type Filter,
  ModifyDNRequest,
  ModifyRequest,
  PagedResultsControl,
  SearchRequest,
} from 'ldapts'
import { atOnce, type GiveWay } from '../connector.ts'
import type { ConnectionSettings } from './connection.ts'
import { type Decoders, decodeEntries, type Entry } from './entry.ts'
import { type Failure, failed, ok, type Result } from './errors.ts'
import { createPassword } from './password.ts'
import { createSlot, whoAmIOid } from './slot.ts'
import { createTurns } from './turns.ts'
import type { Answer, Wire } from './wire.ts'

export type Search = {
  readonly base: string
  readonly scope: 'base' | 'one' | 'sub'
  readonly filter: Filter
  readonly attributes: readonly string[]
  readonly controls?: readonly Control[]
}

/** Text or bytes. */
export type Values = readonly string[] | readonly Buffer[]

export type AttributeChange = {
  readonly operation: 'add' | 'delete' | 'replace'
  readonly attribute: string
  readonly values: Values
}

/** Told how long the server took, ms: without the wait for a turn, a connection or a leaver. */
export type Took = (ms: number) => void

/** False when no write may begin any more: asked with the connection in hand, right before the bytes leave. */
export type Gate = () => boolean

/**
 * The connections of one connector: one that reads, several requests at a time; one that writes, one request at a time (a
 * connection that breaks leaves all its requests unknown); some more that write accounts, never memberships.
 */
export type LdapClient = {
  /** All entries, or a failure: never a part of them. */
  readonly search: (search: Search, took?: Took) => Promise<Result<readonly Entry[]>>
  /** Page by page; ends only when the server says that there are no more pages, or `onPage` answers 'enough'. */
  readonly searchPages: (
    search: Search,
    pageSize: number,
    onPage: (entries: readonly Entry[]) => unknown,
  ) => Promise<Result<null>>
  readonly modify: (
    dn: string,
    controls: readonly Control[],
    changes: readonly AttributeChange[],
    gate: Gate,
    /** One of the `writers`, counted from 0; 0 where it is not said. */
    writer?: number,
    took?: Took,
  ) => Promise<Result<null>>
  /** Creates an entry on one of the `writers`, counted from 0. */
  readonly add: (
    dn: string,
    attributes: ReadonlyMap<string, Values>,
    gate: Gate,
    writer: number,
  ) => Promise<Result<null>>
  /** Gives the entry this RDN below this parent; the old name goes. */
  readonly move: (dn: string, newRdn: string, newSuperior: string, gate: Gate) => Promise<Result<null>>
  readonly remove: (dn: string, controls: readonly Control[], gate: Gate) => Promise<Result<null>>
  readonly writers: number
  /** Who the server takes us for, e.g. `dn:cn=muster,…`. */
  readonly whoAmI: () => Promise<Result<string>>
  /** Opens or checks the write connection, so that it is ready when it is needed. */
  readonly warm: () => void
  /** Opens or checks the read connection. */
  readonly connect: () => Promise<Result<null>>
  readonly close: () => void
}

/** Reads in flight on the read connection. More would only queue inside slapd and make each wait for all. */
const readsAtOnce = 4
const repeatedPage: Failure = { code: '', result: null, word: 'repeated-page', sent: true }
const leaseOver: Failure = { code: 'lease', result: null, word: 'lease', sent: false }

/** What a kind of directory adds to each of its searches and reads from the values of its answers. */
export type Dialect = { readonly searchControls: readonly Control[]; readonly decoders: Decoders }
const plainDialect: Dialect = { searchControls: [], decoders: new Map() }

// ldapts only reads them.
const attributeOf = (type: string, values: Values) => new Attribute({ type, values: values as string[] | Buffer[] })

export const createLdapClient = (
  settings: ConnectionSettings,
  /** Before each request: resolves when nothing more urgent is under way. */
  giveWay: GiveWay = atOnce,
  dialect: Dialect = plainDialect,
): LdapClient => {
  const password = createPassword(settings)
  const reader = createSlot(settings, password)
  const writers = Array.from({ length: Math.max(1, settings.createConnections) }, () => ({
    slot: createSlot(settings, password),
    turn: createTurns(1),
  }))
  const readTurn = createTurns(readsAtOnce)

  const writerAt = (index: number) => writers[index % writers.length] as (typeof writers)[number]

  /** A read may be repeated: once more, on a new connection, when its connection broke before the answer. */
  const read = <T>(exchange: (wire: Wire) => Promise<Result<T>>): Promise<Result<T>> =>
    readTurn(async () => {
      for (let attempt = 1; ; attempt += 1) {
        await giveWay()
        const wire = await reader.get()
        if (!wire.ok) return wire
        const result = await exchange(wire.value)
        const broke = !result.ok && result.failure.result === null && result.failure.code !== 'ETIMEDOUT'
        if (!broke || attempt > 1) return result
      }
    })

  const write = (
    index: number,
    gate: Gate,
    exchange: (wire: Wire) => Promise<Result<Answer>>,
    took?: Took,
  ): Promise<Result<null>> => {
    const { slot, turn } = writerAt(index)
    return turn(async () => {
      await giveWay()
      const wire = await slot.get()
      if (!wire.ok) return wire
      if (!gate()) return failed(leaseOver)
      const begun = performance.now()
      const answer = await exchange(wire.value)
      took?.(performance.now() - begun)
      return answer.ok ? ok(null) : answer
    })
  }

  const searchOnce = async (wire: Wire, search: Search, page?: PagedResultsControl) => {
    const controls = [...dialect.searchControls, ...(search.controls ?? []), ...(page === undefined ? [] : [page])]
    const answer = await wire.exchange(
      (messageId) =>
        new SearchRequest({
          messageId,
          baseDN: search.base,
          scope: search.scope,
          filter: search.filter,
          attributes: [...search.attributes],
          timeLimit: Math.ceil(settings.timeouts.operationMs / 1_000),
          ...(controls.length === 0 ? {} : { controls }),
        }),
    )
    if (!answer.ok) return answer
    if (answer.value.references > 0) return failed({ code: '10', result: 10, word: 'referral', sent: true })
    try {
      return ok({
        entries: await decodeEntries(answer.value.entries, dialect.decoders),
        controls: answer.value.controls,
      })
    } catch (error) {
      wire.close()
      return failed({ code: 'EPROTO', result: null, word: 'unreadable-answer', sent: true, message: String(error) })
    }
  }

  return {
    writers: writers.length,
    search: (search, took) =>
      read(async (wire) => {
        const begun = performance.now()
        const found = await searchOnce(wire, search)
        took?.(performance.now() - begun)
        return found.ok ? ok(found.value.entries) : found
      }),
    searchPages: (search, pageSize, onPage) =>
      readTurn(async () => {
        const wire = await reader.get()
        if (!wire.ok) return wire
        let before: string | undefined
        for (let cookie = Buffer.alloc(0); ; ) {
          await giveWay()
          const found = await searchOnce(
            wire.value,
            search,
            new PagedResultsControl({ critical: true, value: { size: pageSize, cookie } }),
          )
          if (!found.ok) return found
          const next = found.value.controls.find((control) => control instanceof PagedResultsControl)?.value?.cookie
          // The same cookie may stand for the whole search (RFC 2696 leaves that to servers); with it the same page is no progress.
          const first = found.value.entries[0]?.dn ?? ''
          if (next?.equals(cookie) && first === before) return failed(repeatedPage)
          before = first
          if (onPage(found.value.entries) === 'enough') return ok(null)
          if (next === undefined || next.length === 0) return ok(null)
          cookie = Buffer.from(next)
        }
      }),
    modify: (dn, controls, changes, gate, writer = 0, took) =>
      write(
        writer,
        gate,
        (wire) =>
          wire.exchange(
            (messageId) =>
              new ModifyRequest({
                messageId,
                dn,
                changes: changes.map(
                  ({ operation, attribute, values }) =>
                    new Change({ operation, modification: attributeOf(attribute, values) }),
                ),
                controls: [...controls],
              }),
          ),
        took,
      ),
    add: (dn, attributes, gate, writer) =>
      write(writer, gate, (wire) =>
        wire.exchange(
          (messageId) =>
            new AddRequest({
              messageId,
              dn,
              attributes: [...attributes].map(([type, values]) => attributeOf(type, values)),
            }),
        ),
      ),
    move: (dn, newRdn, newSuperior, gate) =>
      write(0, gate, (wire) =>
        wire.exchange((messageId) => new ModifyDNRequest({ messageId, dn, newRdn, newSuperior, deleteOldRdn: true })),
      ),
    remove: (dn, controls, gate) =>
      write(0, gate, (wire) =>
        wire.exchange((messageId) => new DeleteRequest({ messageId, dn, controls: [...controls] })),
      ),
    whoAmI: () =>
      read(async (wire) => {
        const answer = await wire.exchange((messageId) => new ExtendedRequest({ messageId, oid: whoAmIOid }))
        return answer.ok ? ok(answer.value.value ?? '') : answer
      }),
    warm: () => void writerAt(0).slot.get(),
    connect: async () => {
      const wire = await reader.get()
      return wire.ok ? ok(null) : wire
    },
    close: () => {
      reader.close()
      for (const { slot } of writers) slot.close()
    },
  }
}
