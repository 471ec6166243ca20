/** The story, told step by step: each statement is verified in the directory and in the audit log before it is told. */
import type { Cleanup } from './cleanup.ts'
import { NotSo } from './eventually.ts'
import type { EverywhereWorld } from './everywhere/world.ts'
import type { DemoOptions } from './options.ts'
import type { Scene } from './scene.ts'
import { amitIsAnnounced, amitJoins, amitLeaves, amitMoves, secondEmployment } from './story-amit.ts'
import { theBooks } from './story-books.ts'
import { somebodyChangesIt } from './story-drift.ts'
import { everywhere } from './story-everywhere.ts'
import { feedJoins, feedLeaves } from './story-feed.ts'
import { theHouse } from './story-house.ts'
import { meeraJoins } from './story-meera.ts'
import type { Teller } from './teller.ts'
import type { World } from './world.ts'

export const tellStory = async (
  world: World,
  tell: Teller,
  options: DemoOptions,
  startedAt: number,
  ending: Cleanup,
): Promise<{ readonly everywhere: EverywhereWorld }> => {
  const verify: Scene['verify'] = async (text, work, facts) => {
    try {
      const value = await work()
      tell.verified(typeof text === 'string' ? text : text(value), facts?.(value))
      return value
    } catch (error) {
      if (!(error instanceof NotSo)) throw error
      tell.failed(typeof text === 'string' ? text : 'the next statement does not hold', error.message)
      throw error
    }
  }
  const scene: Scene = { world, tell, options, startedAt, verify }
  await theHouse(scene)
  const feed = await feedJoins(scene)
  const amit = await amitIsAnnounced(scene)
  await amitJoins(scene, amit)
  await amitMoves(scene)
  await secondEmployment(scene)
  await meeraJoins(scene)
  await somebodyChangesIt(scene)
  await amitLeaves(scene)
  await feedLeaves(scene, feed)
  await theBooks(scene)
  return { everywhere: await everywhere(scene, ending) }
}
