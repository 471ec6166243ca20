import type { Config } from '../config.ts'
import type { TargetId } from '../domain/ids.ts'
import { assertNever } from '../domain/never.ts'
import { applyPolicy } from '../engine/apply-policy.ts'
import { databaseRefusals } from '../engine/check-rights.ts'
import type { Engine } from '../engine/engine.ts'
import { armIngest } from '../engine/ingest-position.ts'
import { isOutage } from '../engine/outage.ts'
import { planAnew, planningHashes } from '../engine/plan-anew.ts'
import { readsIndirect } from '../engine/read-indirect.ts'
import { errorFields, type Log } from '../log.ts'
import { endPauses } from '../store/go-again.ts'
import { unparkAll } from '../store/parked.ts'
import { sayPlansAs } from '../store/plans-as.ts'
import { registerTarget, targetModes } from '../store/targets.ts'
import { pause } from '../workers/pause.ts'
import { otherModes } from './other-modes.ts'
import { plans, type Role } from './roles.ts'

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
  const hashes: ReadonlyMap<TargetId, string> = plans(does) ? planningHashes(engine.targets) : new Map()
  for (const target of config.targets) {
    const id = target.id as TargetId
    await registerTarget(db, id, target.mode, readsIndirect(engine.connectors.get(id)), hashes.get(id) ?? null)
  }
  for (const { target, remark } of otherModes(config.targets, await targetModes(db))) log.warn({ target }, remark)
  if (does('evaluate')) {
    await unparkAll(db)
    await endPauses(db)
  }
  await takeFirstPolicy(engine, config)
  // Last: who refuses to start has evaluated nobody by it.
  await sayPlansAs(db, hashes)
  for (const target of await planAnew(engine, hashes))
    log.info(
      { target },
      'muster.yaml says other rules or another mapping than at the last start: everybody is evaluated',
    )
}

const takeFirstPolicy = async (engine: Engine, config: Config): Promise<void> => {
  const { log } = engine
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
