import { isDeepStrictEqual } from 'node:util'
import { eventually, isSo, NotSo, notYet } from './eventually.ts'
import { type FeedWorker, feedMessages, feedWorkers, leaves } from './feed.ts'
import type { Scene } from './scene.ts'

const seed = 20_261_120
const secondsFor = (workers: number) => 60 + workers / 50

export const feedJoins = async ({ world, tell, options, verify, startedAt }: Scene): Promise<readonly FeedWorker[]> => {
  const number = options.feed.toLocaleString('en')
  tell.step(`${number} more workers join, and one event is garbage`)
  const workers = feedWorkers(options.feed, seed)
  const changes = workers.reduce((sum, { groups }) => sum + groups.length + 1, 0)
  const before = await world.audit.outcomes()
  const began = performance.now()
  await world.hr.publish(feedMessages(workers, Date.now()))
  await eventually(
    secondsFor(options.feed),
    async () => {
      const done = (await world.audit.outcomes()) - before
      tell.progress('accounts and memberships read back', Math.min(done, changes), changes)
      return done >= changes ? isSo(done) : notYet(`${done} of ${changes} outcomes`)
    },
    100,
  )
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
