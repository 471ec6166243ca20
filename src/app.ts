import { setTimeout as wait } from 'node:timers/promises'
import { targetBudget } from './app/budgets.ts'
import type { ingestAll } from './app/ingest-all.ts'
import { prepare } from './app/prepare.ts'
import { partsOf, plans, type Role } from './app/roles.ts'
import { secretsIn } from './app/secrets.ts'
import { createConnector, targetSettings } from './app/targets.ts'
import type { Config } from './config.ts'
import { atOnce, type ConnectorTools } from './connectors/connector.ts'
import type { Lane } from './domain/action.ts'
import type { TargetId } from './domain/ids.ts'
import { dispatch } from './engine/dispatch.ts'
import type { Engine } from './engine/engine.ts'
import { evaluate } from './engine/evaluate.ts'
import { guardMembers } from './engine/guard-members.ts'
import { planningHashes } from './engine/plan-anew.ts'
import { createPolicyBook } from './engine/policy-book.ts'
import { carryOut, provision } from './engine/provision.ts'
import { seeOff } from './engine/see-off.ts'
import { sweep } from './engine/sweep.ts'
import { createLog, type Log } from './log.ts'
import { sayAtWork } from './store/at-work.ts'
import { openDatabase } from './store/database.ts'
import { markQueued, unclaimed } from './store/dispatches.ts'
import { openIdBlocks } from './store/id-block.ts'
import { sayPlansAs } from './store/plans-as.ts'
import { createAtWorkLoop } from './workers/at-work-loop.ts'
import { createDispatchLoop } from './workers/dispatch-loop.ts'
import { createEvaluateLoop } from './workers/evaluate-loop.ts'
import { createGiveWay, giveWayMemory } from './workers/give-way.ts'
import { createLeaverPoll } from './workers/leaver-poll.ts'
import type { Loop } from './workers/loop.ts'
import { createMaintenanceLoop } from './workers/maintenance-loop.ts'
import { openNudges } from './workers/nudges.ts'
import { startProvisionWorkers } from './workers/provision-workers.ts'
import { openQueues } from './workers/queues.ts'
import { createReconcileLoop } from './workers/reconcile-loop.ts'
import { openRedis, within } from './workers/redis-link.ts'
import { createSeeOffLoop } from './workers/see-off-loop.ts'
import { createSweepLoop } from './workers/sweep-loop.ts'
import type { EngineVerbs } from './workers/verbs.ts'

export type AppOptions = {
  readonly roles: readonly Role[]
  /** Which lanes evaluate, dispatch and provision work in; ingest and schedule know no lanes. */
  readonly lanes: readonly Lane[]
  /** In log lines and in pg_stat_activity. */
  readonly name?: string
  /** Of the roles those that another app of this process does: prepared here, not started. */
  readonly elsewhere?: readonly Role[]
  /** Shared with the app of another lane in this process: bulk work gives way to its leavers. */
  readonly giveWay?: SharedArrayBuffer
  /** Already done by another app of this process: rights checked, targets and first policy stored. */
  readonly prepared?: boolean
  /** Something here cannot go on and cannot be mended from within: end the process (exit 70). */
  readonly onFatal?: (why: string) => void
  /** Tests hold the engine still here, by label. */
  readonly pause?: (label: string) => Promise<void>
  /** Tests of loops replace verbs. */
  readonly verbs?: Partial<EngineVerbs>
}

export type App = {
  readonly engine: Engine
  readonly log: Log
  /** For the app of another lane in this process: both give way by it. */
  readonly giveWay: SharedArrayBuffer
  /**
   * Checks what the database lets us do, and stores targets and the first policy. Waits for a database that is away;
   * throws RefusedToStart without the security settings of DESIGN §5. `start` does it when it was not done.
   */
  readonly prepare: () => Promise<void>
  readonly start: () => Promise<void>
  /** Ends in order: no new work, then the work in hand, then connections. Takes at most about `graceMs`. */
  readonly stop: (graceMs?: number) => Promise<void>
}

const engineVerbs: EngineVerbs = {
  evaluate,
  seeOff,
  dispatch,
  provision,
  carryOut,
  sweep,
  markQueued: ({ db }, ids) => markQueued(db, ids),
  unclaimedLeavers: ({ db }, olderThanMs) => unclaimed(db, 'leaver', olderThanMs, 100),
}

/** Builds everything and connects nothing that must answer: a process may start while its neighbours are down. */
export const createApp = async (config: Config, options: AppOptions): Promise<App> => {
  const { lanes, name = 'muster' } = options
  const does = (role: Role) => options.roles.includes(role)
  const verbs: EngineVerbs = { ...engineVerbs, ...options.verbs }
  const log = createLog(config.log.level, name)
  const db = openDatabase({ url: config.databaseUrl, max: config.engine.databaseConnections, applicationName: name })
  const ids = openIdBlocks(config.databaseUrl, `${name}-ids`)
  const redis = openRedis(config.redisUrl, log)
  const nudges = openNudges(redis, config.queue.prefix, config.databaseUrl)
  const memory = options.giveWay ?? giveWayMemory()
  const way = createGiveWay(memory)
  const queues = openQueues(redis, config.queue.prefix, log)
  // What leavers share with bulk work rests for nobody: it would wait for itself.
  const ofLeavers = lanes.includes('leaver')
  const toolsFor = (target: string): ConnectorTools => ({
    lane: ofLeavers ? 'leaver' : 'bulk',
    giveWay: ofLeavers ? atOnce : way.given,
    budget: targetBudget(db, target, ofLeavers ? 'leaver' : 'bulk'),
    now: Date.now,
    secret: secretsIn(config.secretFiles[target] ?? {}),
  })
  const connectors = new Map(
    await Promise.all(
      config.targets.map(
        async (target) => [target.id as TargetId, await createConnector(target, toolsFor(target.id))] as const,
      ),
    ),
  )
  const {
    evaluateBatch,
    dispatchBatch,
    lease: leaseMs,
    leaverSlo: leaverSloMs,
    bulkDeadline: bulkDeadlineMs,
  } = config.engine
  const engine: Engine = {
    db,
    log,
    targets: config.targets.map(targetSettings),
    connectors,
    policies: createPolicyBook(),
    guardMembers: guardMembers(() => performance.now()),
    ids,
    nudge: nudges.nudge,
    random: Math.random,
    settings: {
      evaluateBatch,
      dispatchBatch,
      leaseMs,
      leaverSloMs,
      bulkDeadlineMs,
      waitOut: (ms) => wait(ms),
      giveWay: way.given,
      ...(options.pause ? { pause: options.pause } : {}),
    },
  }

  const ending = new AbortController()
  const loops: Loop[] = []
  for (const lane of lanes) {
    const whole = lane === 'leaver' && does('dispatch') && does('provision')
    if (does('evaluate'))
      loops.push(
        listening(
          'evaluate',
          lane,
          whole ? createSeeOffLoop(engine, verbs, queues, way) : createEvaluateLoop(engine, verbs, lane),
        ),
      )
    if (does('dispatch')) loops.push(listening('dispatch', lane, createDispatchLoop(engine, verbs, lane, queues)))
  }
  const context = { engine, verbs, redis, way, signal: ending.signal }
  if (does('provision') && lanes.includes('leaver'))
    loops.push(listening('provision', 'leaver', createLeaverPoll({ ...context, concurrency: 4 })))
  if (does('schedule'))
    loops.push(
      createSweepLoop(engine, verbs, queues),
      createMaintenanceLoop(engine, redis),
      createReconcileLoop(engine),
    )
  const parts = partsOf(
    options.roles.filter((role) => options.elsewhere?.includes(role) !== true),
    lanes,
  )
  loops.push(
    createAtWorkLoop(log, async () => {
      await sayAtWork(db, parts)
      if (plans(does)) await sayPlansAs(db, planningHashes(engine.targets))
    }),
  )
  let workers: ReturnType<typeof startProvisionWorkers> | undefined
  let ingesting: ReturnType<typeof ingestAll> | undefined
  const onFatal = (why: string) => {
    log.error({ why }, 'cannot go on')
    options.onFatal?.(why)
  }

  function listening(stage: 'evaluate' | 'dispatch' | 'provision', lane: Lane, loop: Loop): Loop {
    nudges.on(stage, lane, loop.nudge)
    return loop
  }

  /** Ingest is the first to know of a leaver: bulk work is asked to give way from there on. */
  function whoSeesLeavers(): Engine {
    const nudge: Engine['nudge'] = (stage, lane) => {
      if (lane === 'leaver') way.arrives()
      engine.nudge(stage, lane)
    }
    return { ...engine, nudge }
  }

  let prepared: Promise<void> | undefined
  const prepareOnce = () => (prepared ??= prepare(engine, config, does, ending.signal))

  return {
    engine,
    log,
    giveWay: memory,
    prepare: prepareOnce,
    start: async () => {
      if (options.prepared !== true) await prepareOnce()
      if (ending.signal.aborted) return
      if (does('provision'))
        workers = startProvisionWorkers({ ...context, prefix: config.queue.prefix, lanes, targets: config.targets })
      for (const loop of loops) loop.start()
      if (does('ingest') && options.elsewhere?.includes('ingest') !== true)
        // With the client of Kafka, which the threads that do not read it need not load.
        ingesting = (await import('./app/ingest-all.ts')).ingestAll({
          config,
          engine: whoSeesLeavers(),
          name,
          onFatal,
          signal: ending.signal,
        })
      log.info({ roles: options.roles.join(','), lanes: lanes.join(',') }, 'started')
    },
    stop: async (graceMs = 10_000) => {
      ending.abort()
      // All at once: loops and workers that are left running by an ended signal would take work and drop it.
      const inHand = Promise.all([
        ingesting?.stop(graceMs),
        ...loops.map((loop) => loop.stop()),
        workers?.stop(graceMs),
      ])
      await within(graceMs, inHand).catch(() =>
        log.warn({ graceMs }, 'stopping although work is in hand: its leases will run out'),
      )
      await queues.close()
      nudges.close()
      redis.close()
      await Promise.all([...connectors.values()].map((connector) => within(2_000, connector.close()).catch(() => {})))
      await within(5_000, Promise.all([db.close(), ids.close()])).catch(() => {})
      log.info({}, 'stopped')
    },
  }
}
