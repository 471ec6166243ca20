import pg from 'pg'
import { GatheringSocket } from './gathering-socket.ts'

/** bigint columns are ids and offsets below 2^53: numbers, not strings. */
pg.types.setTypeParser(pg.types.builtins.INT8, Number)
/** timestamptz → milliseconds since 1970 (Instant). ±infinity stays a JavaScript infinity. */
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) =>
  text === 'infinity'
    ? Infinity
    : text === '-infinity'
      ? -Infinity
      : Date.parse(text.replace(' ', 'T').replace(/\+00$/, 'Z')),
)

/** One statement with its parameters: the only way to the database. Named statements are prepared once a connection. */
export type Statement = { readonly name?: string; readonly text: string; readonly values?: readonly unknown[] }

/** Something that runs statements: a pool's single statement, or a transaction. */
export type Queryable = { readonly query: <R>(statement: Statement) => Promise<readonly R[]> }

export type Transaction = Queryable & {
  readonly inTransaction: true
  /**
   * A write whose answer nobody needs: sent now, in order, together with whatever follows and the commit, instead of a
   * round trip of its own. The transaction commits only if every one of them succeeded. All its statements are sent before
   * `work` ends: after that, none is.
   */
  readonly defer: (write: Promise<unknown>) => void
}

export type Database = Queryable & {
  /**
   * Runs `work` in one READ COMMITTED transaction. Deadlock (40P01) and serialization (40001) errors repeat it, up to
   * five times, as they do a single statement; everything else rolls back and throws. `work` must therefore be repeatable.
   */
  readonly transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>
  readonly counters: { statements: number; transactions: number; repeats: number }
  readonly close: () => Promise<void>
}

const repeatable = new Set(['40P01', '40001'])

/** Postgres SQLSTATE of an error, or undefined for what is none (lost connection, bug). */
export const sqlState = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/**
 * Beside lost servers (08, 57P0x, 53): who waited too long for a lock or was a victim again and again (57014, 55P03, 40P01,
 * 40001), and who stood still inside a transaction (25P0x). None of it is the fault of the work.
 */
const unavailableStates = /^(08|57P0|57014|53|55P03|40P01|40001|25P0[34])/
const unavailableCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'])

/** The database cannot be reached right now: wait and repeat, do not blame the data. */
export const isUnavailable = (error: unknown): boolean => {
  const state = sqlState(error)
  if (state !== undefined && unavailableStates.test(state)) return true
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (typeof code === 'string' && unavailableCodes.has(code)) return true
  return (
    typeof message === 'string' &&
    /Connection terminated|timeout exceeded when trying to connect|not queryable/.test(message)
  )
}

/** Took or stood still too long. The work may be why: one identity whose evaluation never ends must not stop its batch for ever. */
export const isTimeout = (error: unknown): boolean => /^(57014|25P0[34])$/.test(sqlState(error) ?? '')

/** Unavailable for this piece of work only: others wait for other locks. */
export const isContended = (error: unknown): boolean =>
  isTimeout(error) || /^(55P03|40P01|40001)$/.test(sqlState(error) ?? '')

/** The database refuses the values: too long, too large, not storable, breaking a constraint. */
export const isDataFault = (error: unknown): boolean => /^(22|23|54)/.test(sqlState(error) ?? '')

export type DatabaseOptions = {
  readonly url: string
  readonly max: number
  /** Shows in pg_stat_activity; without personal data. */
  readonly applicationName: string
  /** `by-index` (default): for the engine's statements, each a batch of look-ups. `usual`: for whatever an auditor asks. */
  readonly plans?: 'by-index' | 'usual'
}

const everySession = ['timezone=UTC', 'jit=off'] as const

/**
 * Planned for tables whose statistics lag behind a first load, or for arrays whose length nobody knows, PostgreSQL would now
 * and then read whole tables or indexes for a batch: the larger the house, the dearer (ADR 0009).
 */
const byIndex = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'enable_material=off',
] as const

export const openDatabase = ({ url, max, applicationName, plans = 'by-index' }: DatabaseOptions): Database => {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    options: (plans === 'usual' ? everySession : [...everySession, ...byIndex])
      .map((setting) => `-c ${setting}`)
      .join(' '),
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 0,
    statement_timeout: 60_000,
    // A process that stands still inside a transaction must not keep a leaver waiting for the whole of the SLO.
    idle_in_transaction_session_timeout: 10_000,
    // Statements of one connection are sent without waiting for the answers to those before; their order stays.
    pipeline: true,
    stream: () => new GatheringSocket(),
  })
  // An idle connection that dies must not end the process; the next statement gets a fresh one.
  pool.on('error', () => {})
  const counters = { statements: 0, transactions: 0, repeats: 0 }

  const run = async <R>(client: pg.Pool | pg.PoolClient, { name, text, values }: Statement): Promise<readonly R[]> => {
    counters.statements++
    const result = await client.query(
      name === undefined ? { text, values: values as unknown[] } : { name, text, values: values as unknown[] },
    )
    return result.rows as R[]
  }

  const once = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
    const client = await pool.connect()
    let broken: unknown
    const onError = (error: unknown) => {
      broken = error
    }
    client.on('error', onError)
    const deferred: Promise<unknown>[] = []
    let firstFailure: { readonly error: unknown } | undefined
    let isOver = false
    // Noted where statements answer, in their order: however deep a statement is wrapped, the first that failed is the reason.
    const query = async <R>(statement: Statement): Promise<readonly R[]> => {
      // Some branch of the work that nobody waits for any more: it would run outside, or in the next one's transaction.
      if (isOver) throw new Error('the transaction is over')
      return run<R>(client, statement).catch((error: unknown) => {
        firstFailure ??= { error }
        throw error
      })
    }
    const defer = (write: Promise<unknown>) => {
      deferred.push(
        write.catch((error: unknown) => {
          firstFailure ??= { error }
        }),
      )
    }
    try {
      counters.transactions++
      defer(client.query('begin'))
      const result = await work({ inTransaction: true, query, defer }).finally(() => {
        isOver = true
      })
      const { command } = await client.query('commit')
      await Promise.all(deferred)
      // A commit after a failed statement says ROLLBACK, and no error.
      if (firstFailure !== undefined || command !== 'COMMIT') throw new Error('the transaction was rolled back')
      return result
    } catch (error) {
      await client.query('rollback').catch((rollback: unknown) => {
        broken = rollback
      })
      await Promise.all(deferred)
      // What follows a failed statement fails because of it: the first failure is the reason.
      throw firstFailure?.error ?? error
    } finally {
      client.off('error', onError)
      client.release(broken === undefined ? undefined : true)
    }
  }

  const repeated = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (let tried = 1; ; tried++) {
      try {
        return await attempt()
      } catch (error) {
        if (tried >= 5 || !repeatable.has(sqlState(error) ?? '')) throw error
        counters.repeats++
      }
    }
  }

  return {
    counters,
    query: (statement) => repeated(() => run(pool, statement)),
    transaction: (work) => repeated(() => once(work)),
    close: () => pool.end(),
  }
}
