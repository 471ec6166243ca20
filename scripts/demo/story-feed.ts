import { isDeepStrictEqual } from 'node:util'
import { eventually, isSo, NotSo, notYet } from './eventually.ts'
import { type FeedWorker, feedMessages, feedWorkers, leaves } from './feed.ts'
import { held, releaseHold } from './guard-hold.ts'
import type { Scene } from './scene.ts'

const seed = 20_261_120
const secondsFor = (workers: number) => 60 + workers / 50

const restMs = 1_500

/** So many at once is a mass change, also of joiners: what is of high risk waits for a human. */
const release = async ({ world, tell, verify }: Scene): Promise<void> => {
  const holds = await world.audit.openGuardHolds()
  for (const { hold, limit } of holds) {
    const { actions } = await held(hold, world.env)
    if (actions === 0) continue
    tell.say(`The guard stopped (${limit}): ${actions} grants of high risk at once wait for a human (hold ${hold}).`)
    await verify(
      (released) => `a human looked: muster hold release ${hold}, ${released} actions go out`,
      async () => {
        const released = await releaseHold(hold, 'the new branches open today', world.env)
        if (released < actions) throw new NotSo(`${actions} were held, ${released} released`)
        return released
      },
    )
  }
}

export const feedJoins = async (scene: Scene): Promise<readonly FeedWorker[]> => {
  const { world, tell, options, verify, startedAt } = scene
  const number = options.feed.toLocaleString('en')
  tell.step(`${number} workers join, and one event is garbage`)
  const workers = feedWorkers(options.feed, seed)
  const changes = workers.reduce((sum, { groups }) => sum + groups.length + 1, 0)
  const before = await world.audit.outcomes()
  const began = performance.now()
  await world.hr.publish(feedMessages(workers, Date.now()))
  let last = { done: -1, at: 0 }
  /** Nothing came back for a moment, and the guard holds something: a human is asked. */
  const waitsForHuman = async (done: number): Promise<boolean> => {
    if (done !== last.done) last = { done, at: performance.now() }
    return performance.now() - last.at > restMs && (await world.audit.openGuardHolds()).length > 0
  }
  const look = async () => {
    const done = (await world.audit.outcomes()) - before
    tell.progress('accounts and memberships read back', Math.min(done, changes), changes)
    return done >= changes || (await waitsForHuman(done)) ? isSo(done) : notYet(`${done} of ${changes} outcomes`)
  }
  for (let done = 0; done < changes; ) {
    done = await eventually(secondsFor(options.feed) - (performance.now() - began) / 1000, look, 100)
    if (done < changes) await release(scene)
  }
  const seconds = (performance.now() - began) / 1000
  await verify(
    `ldapsearch: all ${number} accounts are there, and exactly in the ${(changes - workers.length).toLocaleString('en')} memberships that they should be (${seconds.toFixed(1)} s)`,
    () =>
      eventually(20, async () => {
        const wrong = differing(workers, await world.directory.everybody())
        return wrong === null ? isSo(true) : notYet(wrong)
      }),
    () => ({ workers: workers.length, changes, seconds }),
  )
  const first = await world.audit.firstGrant()
  if (first !== null)
    tell.say(
      `The first grant was read back ${((first.getTime() - startedAt) / 1000).toFixed(1)} s after this demo began.`,
    )
  await verify(
    ([one]) =>
      `the garbage is in quarantine (${one?.reason}; ${one?.topic}, partition ${one?.partition}, offset ${one?.offset}) and stopped nobody`,
    () =>
      eventually(20, async () => {
        const rows = await world.audit.quarantine()
        return rows.length === 1 ? isSo(rows) : notYet(`${rows.length} messages in quarantine`)
      }),
    ([one]) => ({ ...one }),
  )
  return workers
}

/** null: everybody has an account and exactly the groups that they should have. */
const differing = (workers: readonly FeedWorker[], held: ReadonlyMap<string, readonly string[]>): string | null => {
  const wrong = workers.filter(({ person, groups }) => !isDeepStrictEqual(held.get(person), groups))
  const [one] = wrong
  if (one === undefined) return null
  return `${wrong.length} differ; ${one.person} is in ${held.get(one.person)?.join(', ') ?? '(no account)'}, expected ${one.groups.join(', ')}`
}

export const feedLeaves = async ({ world, tell, verify }: Scene, feed: readonly FeedWorker[]): Promise<void> => {
  // Few enough for the guard, which stops whoever disables a tenth of all accounts within an hour.
  const count = Math.min(25, Math.floor(feed.length / 25))
  const some = feed.filter((_, n) => n % Math.floor(feed.length / count) === 0).slice(0, count)
  tell.step(`${some.length} of them leave, one after another`)
  for (const [n, worker] of some.entries()) {
    await world.hr.publish([leaves(worker, Date.now())])
    await eventually(20, () => world.audit.leaver(worker.person), 10)
    tell.progress('left', n + 1, some.length)
  }
  const gone = new Set(some.map(({ person }) => person))
  await verify('ldapsearch: their accounts are locked and in no group, and nobody else lost anything', async () => {
    const [held, locked] = [await world.directory.everybody(), await world.directory.lockedPeople()]
    const wrong = differing(
      feed.map((worker) => (gone.has(worker.person) ? { ...worker, groups: [] } : worker)),
      held,
    )
    if (wrong !== null) throw new NotSo(wrong)
    for (const { person } of feed)
      if (locked.has(person) !== gone.has(person))
        throw new NotSo(`${person} is ${locked.has(person) ? '' : 'not '}locked`)
  })
}
