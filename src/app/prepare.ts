import type { Config } from '../config.ts'
import type { TargetId } from '../domain/ids.ts'
import { assertNever } from '../domain/never.ts'
import { applyPolicy } from '../engine/apply-policy.ts'
import { databaseRefusals } from '../engine/check-rights.ts'
import type { Engine } from '../engine/engine.ts'
import { armIngest } from '../engine/ingest-position.ts'
import { isOutage } from '../engine/outage.ts'
import { readsIndirect } from '../engine/read-indirect.ts'
import { errorFields, type Log } from '../log.ts'
import { endPauses } from '../store/go-again.ts'
import { unparkAll } from '../store/parked.ts'
import { registerTarget } from '../store/targets.ts'
import { pause } from '../workers/pause.ts'
import type { Role } from './roles.ts'

export class RefusedToStart extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'RefusedToStart'
    this.problems = problems
  }
}

/**
 * Checks what the database lets us do, and stores targets and the first policy. Waits for a database that is away; throws
 * RefusedToStart without the security settings of DESIGN §5.
 */
export const prepare = (engine: Engine, config: Config, does: (role: Role) => boolean, signal: AbortSignal) =>
  untilAvailable(() => once(engine, config, does), engine.log, signal)

const once = async (engine: Engine, config: Config, does: (role: Role) => boolean): Promise<void> => {
  const { db, log } = engine
  const refusals = await databaseRefusals(db)
  if (refusals.length > 0) throw new RefusedToStart(refusals)
  if (does('ingest')) for (const { topics } of config.sources) await armIngest(engine, topics)
  for (const { id, mode } of config.targets)
    await registerTarget(db, id as TargetId, mode, readsIndirect(engine.connectors.get(id as TargetId)))
  if (does('evaluate')) {
    await unparkAll(db)
    await endPauses(db)
  }
  const applied = await applyPolicy(
    engine,
    config.policyFiles,
    { type: 'engine', name: 'first start' },
    { onlyWhenNone: true },
  )
  switch (applied.kind) {
    case 'invalid':
      throw new RefusedToStart(
        applied.problems.map(({ path, line, column, message }) => `${path}:${line}:${column} ${message}`),
      )
    case 'applied':
      return log.info({ policy: applied.version }, 'the first policy of this database is active now')
    case 'other-active':
      return log.warn(
        { policy: applied.version },
        'the policies of the configuration directory are not the active ones: `muster policy apply` makes them so',
      )
    case 'unchanged':
      return
    default:
      return assertNever(applied)
  }
}

const longestPauseMs = 5_000

/** Repeats while the database is away; every other trouble is the caller's. */
const untilAvailable = async (work: () => Promise<void>, log: Log, signal: AbortSignal): Promise<void> => {
  for (let attempt = 0; !signal.aborted; attempt++)
    try {
      return await work()
    } catch (error) {
      if (!isOutage(error)) throw error
      log.warn({ attempt, ...errorFields(error) }, 'the database cannot be reached: waiting for it')
      await pause(Math.min(longestPauseMs, 250 * 2 ** Math.min(attempt, 6)), signal)
    }
}
