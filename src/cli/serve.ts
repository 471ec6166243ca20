import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { setPriority } from 'node:os'
import { RefusedToStart } from '../app/prepare.ts'
import { roles as allRoles, type Role } from '../app/roles.ts'
import { type App, createApp } from '../app.ts'
import { lanes as allLanes, type Lane } from '../domain/action.ts'
import { errorFields, type LogFields } from '../log.ts'
import { type Call, type Command, textValue } from './command.ts'
import { Complaint, usage } from './complaint.ts'
import { configOf } from './configured.ts'
import { type LeaverThread, startLeaverThread } from './leaver-thread.ts'
import { pausesFor } from './test-pause.ts'

/** sysexits(3) EX_SOFTWARE: whoever runs us should start us again, and look. */
const exitSoftware = 70
const graceMs = 10_000
const lingerMs = 1_000

const laneRoles: readonly Role[] = ['evaluate', 'dispatch', 'provision']

export const serve: Command = {
  summary: 'runs the engine until it is told to stop (SIGTERM, SIGINT)',
  usage: 'serve [--roles ROLE,…] [--lanes leaver,bulk]',
  options: {
    roles: {
      type: 'string',
      takes: 'ROLE,…',
      about: `which parts of the work this process does; left out, all: ${allRoles.join(',')}`,
    },
    lanes: {
      type: 'string',
      takes: 'LANE,…',
      about: `whose work: leaver is urgent and goes first, bulk is all the rest; left out, both`,
    },
  },
  run: async (call) => {
    const config = configOf(call)
    const roles = listOf(call, 'roles', allRoles)
    const lanes = listOf(call, 'lanes', allLanes)
    // The leavers' lane has its own thread wherever another lane could stand in its way. Ingest goes with it: a leaver begins there.
    const ownRoles = roles.filter((role) => laneRoles.includes(role))
    const threaded = ownRoles.length > 0 && lanes.length > 1
    const threadRoles = roles.filter((role) => role === 'ingest' || ownRoles.includes(role))
    const mainLanes: readonly Lane[] = threaded ? ['bulk'] : lanes
    const pauseAt = call.env.MUSTER_TEST_PAUSE
    const pauses = pausesFor(pauseAt, mainLanes[0] ?? 'bulk')
    const app = await createApp(config, {
      roles,
      lanes: mainLanes,
      name: threaded ? 'muster-bulk' : 'muster',
      elsewhere: threaded ? ['ingest'] : [],
      onFatal: (why) => endAtOnce({ why }),
      ...(pauses ? { pause: pauses.pause } : {}),
    })

    endOnBugs()
    let thread: LeaverThread | undefined
    const ended = untilTold(app, () => thread)
    process.on('SIGUSR2', () => {
      pauses?.resume()
      thread?.resume()
    })
    try {
      await app.prepare()
      if (threaded) {
        thread = startLeaverThread(
          { config, roles: threadRoles, lane: 'leaver', giveWay: app.giveWay, ...(pauseAt ? { pauseAt } : {}) },
          app.log,
          (why) => endAtOnce({ lane: 'leaver', why }),
        )
        await thread.started
      }
      lowerPriority(app, mainLanes.includes('leaver') ? 0 : config.engine.bulkPriority)
      await app.start()
    } catch (error) {
      await stopAll(app, thread)
      if (error instanceof RefusedToStart) throw new Complaint(3, 'the engine refuses to start', null, error.problems)
      throw error
    }
    app.log.info({ pid: process.pid, roles: roles.join(','), lanes: lanes.join(',') }, 'ready')
    flushCompileCache() // the next start finds it, even after a kill
    await ended
    // A client that was looking for its server when it was told to stop may hold the process a while longer.
    setTimeout(() => process.exit(0), lingerMs).unref()
    return { json: { stopped: true }, lines: () => [] }
  },
}

const listOf = <T extends string>(call: Call, option: string, known: readonly T[]): readonly T[] => {
  const written = textValue(call.values, option)
  if (written === undefined) return known
  const names = written.split(',').map((name) => name.trim())
  const unknown = names.filter((name) => !known.some((one) => one === name))
  if (unknown.length > 0 || names.length === 0)
    throw usage(`--${option}: unknown ${unknown.join(', ')}`, `any of ${known.join(',')}`)
  return known.filter((one) => names.includes(one))
}

/** Resolves when a signal came and everything has ended. A second signal does not wait. */
const untilTold = (app: App, thread: () => LeaverThread | undefined): Promise<void> =>
  new Promise((resolve) => {
    let told = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (told) process.exit(130)
        told = true
        app.log.info({ signal }, 'stopping: the work in hand is finished first')
        stopAll(app, thread()).then(resolve, () => process.exit(1))
      })
  })

const stopAll = async (app: App, thread: LeaverThread | undefined): Promise<void> => {
  await Promise.all([app.stop(graceMs), thread?.stop(graceMs + 10_000)])
}

/** On Linux a priority is a thread's own: the leavers' thread, which runs already, keeps the processor's favour. */
const lowerPriority = (app: App, by: number): void => {
  if (by === 0 || process.platform !== 'linux') return
  try {
    setPriority(0, by)
  } catch (error) {
    app.log.warn(errorFields(error), 'the priority of bulk work could not be lowered')
  }
}

/** A bug leaves the state of this process unknown; Postgres's is not. So: say where, without what, and end. */
const endOnBugs = (): void => {
  process.on('uncaughtException', (error) => endAtOnce(errorFields(error)))
  process.on('unhandledRejection', (error) => endAtOnce(errorFields(error)))
}

/** Written past the log, whose lines leave a moment later. Leases run out and the sweeper repairs what was in hand. */
const endAtOnce = (fields: LogFields): never => {
  writeSync(
    2,
    `${JSON.stringify({ level: 60, time: Date.now(), name: 'muster', ...fields, msg: 'this process ends' })}\n`,
  )
  process.exit(exitSoftware)
}
