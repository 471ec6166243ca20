import { dispatch } from '../../src/engine/dispatch.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { evaluate } from '../../src/engine/evaluate.ts'
import { carryOut, provision } from '../../src/engine/provision.ts'
import { seeOff } from '../../src/engine/see-off.ts'
import { sweep } from '../../src/engine/sweep.ts'
import type { Database } from '../../src/store/database.ts'
import type { Calls } from './engine-calls.ts'
import type { HouseClock } from './engine-clock.ts'

/** What works on until it stands still, and what it left standing in a call. */
export type Rest = ReturnType<typeof createRest>

/** A bulk dispatch goes when nothing is left to evaluate and its oldest action is 50 ms old. */
const patienceMs = 51

export const createRest = (admin: Database, clock: HouseClock, calls: Calls) => {
  /** By each name of what hangs. */
  const standing = new Map<string, Promise<void>>()

  /** Until it is done, or its call hangs. */
  const untilItStands = async (working: Promise<void>): Promise<void> => {
    const hung = await Promise.race([working.then(() => null), calls.nextHang()])
    if (hung === null) return
    // Whoever ends the call waits for what follows; a dead engine's call ends in an error that nobody hears.
    const ending = working.catch(() => {})
    for (const key of hung) standing.set(key, ending)
    void ending.then(() => {
      for (const key of hung) standing.delete(key)
    })
  }

  const provisionOne = (engine: Engine, id: number): Promise<void> => untilItStands(provision(engine, id))

  /** As the leavers' lane does: few of them pass through all stages at once. Answers for how many. */
  const seeLeaversOff = async (engine: Engine): Promise<number> => {
    const { evaluated, claims, queue, begun } = await seeOff(engine)
    for (const claim of claims) await untilItStands(carryOut(engine, claim, begun))
    for (const { id } of queue) await provisionOne(engine, id)
    return evaluated
  }

  /** What was turned away, or is to be read back, waits for a pause to pass: it passes. Answers for whom. */
  const waitOut = async (unknownOnly: boolean, but: readonly number[]): Promise<readonly number[]> => {
    const [row] = await admin.query<{ ids: readonly number[] | null; ms: number | null }>({
      text: `select array_agg(a.id) as ids, (extract(epoch from max(a.next_at) - muster.now()) * 1000)::float8 as ms
        from muster.action a join muster.target t on t.id = a.target and t.mode = 'enforce'
        where a.state = 'ready' and (a.unknown or (a.next_at > muster.now() and not $1)) and a.id <> all($2)`,
      values: [unknownOnly, but],
    })
    if (row?.ms != null) await clock.on(Math.max(0, Math.ceil(row.ms)))
    return row?.ids ?? []
  }

  return {
    provisionOne,
    /** Until whoever made the call that was ended has written what it knows; without a name: all of them. */
    settled: async (key?: string): Promise<void> => {
      await (key === undefined ? Promise.all(standing.values()) : standing.get(key))
    },
    rest: async (engine: Engine): Promise<void> => {
      await waitOut(false, [])
      const readBack: number[] = []
      for (let round = 0; round < 40; round++) {
        while ((await seeLeaversOff(engine)) > 0 || (await evaluate(engine, 'bulk')).evaluated > 0);
        await clock.on(patienceMs)
        const refs = [...(await dispatch(engine, 'leaver')), ...(await dispatch(engine, 'bulk'))]
        for (const { id } of refs) await provisionOne(engine, id)
        if (refs.length > 0 || (await isDue(admin))) continue
        // A read-back comes by itself; what the target turned away in this rest waits for the next one.
        const waited = await waitOut(true, readBack)
        // The sweeper would take a call that hangs for one of a dead worker, as soon as the clock passes its lease.
        const requeue = standing.size > 0 ? [] : (await sweep(engine)).requeue
        for (const { id } of requeue) await provisionOne(engine, id)
        if (waited.length === 0 && requeue.length === 0) return
        readBack.push(...waited)
      }
      throw new Error('not at rest after 40 rounds')
    },
  }
}

const isDue = async (admin: Database): Promise<boolean> => {
  const [row] = await admin.query<{ yes: boolean }>({
    text: 'select exists (select from muster.identity where work_due_at <= muster.now() and parked_at is null) as yes',
  })
  return row?.yes ?? false
}
