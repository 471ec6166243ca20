import { setImmediate } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { Claim } from '../../../src/engine/claim.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import type { SeenOff } from '../../../src/engine/see-off.ts'
import type { GiveWay } from '../../../src/workers/give-way.ts'
import type { Queues } from '../../../src/workers/queues.ts'
import { createSeeOffLoop } from '../../../src/workers/see-off-loop.ts'
import type { EngineVerbs } from '../../../src/workers/verbs.ts'
import { until } from '../../support/until.ts'

const nobody: SeenOff = { evaluated: 0, more: false, claims: [], dispatched: false, queue: [], begun: 0 }
const claimOf = (dispatch: number): Claim => ({
  dispatch,
  target: 'here' as Claim['target'],
  lane: 'leaver',
  token: '',
  claimedAt: 0,
  actions: [],
})

/** The loop with what its turns find, one after the other; calls stay out until they are ended. */
const watch = (turns: readonly SeenOff[]) => {
  const left = [...turns]
  const nudged: string[] = []
  const ended = new Map<number, () => void>()
  const inHand: string[] = []
  const evaluate = vi.fn(async () => ({ evaluated: 0, more: false }))
  const seeOff = vi.fn(async () => left.shift() ?? nobody)
  const verbs = {
    seeOff,
    evaluate,
    carryOut: (_: Engine, { dispatch }: Claim) =>
      new Promise<void>((resolve) => {
        ended.set(dispatch, resolve)
      }),
  } as Partial<EngineVerbs> as EngineVerbs
  const engine = {
    nudge: (stage: string, lane: string) => nudged.push(`${stage}:${lane}`),
  } as Partial<Engine> as Engine
  const way = {
    inHand: () => {
      inHand.push('taken')
      return () => inHand.push('gone')
    },
  } as Partial<GiveWay> as GiveWay
  const loop = createSeeOffLoop(engine, verbs, { put: async () => [] } as Partial<Queues> as Queues, way)
  return { loop, seeOff, evaluate, nudged, inHand, end: (dispatch: number) => ended.get(dispatch)?.() }
}

test('what one turn did not bring on its way is dispatched; what it did asks for nothing more', async () => {
  const many = watch([{ ...nobody, evaluated: 20 }])
  many.loop.start()
  await until(() => many.nudged.length > 0)
  expect(many.nudged).toContain('dispatch:leaver')
  await many.loop.stop()

  const one = watch([{ ...nobody, evaluated: 1, dispatched: true }])
  one.loop.start()
  await until(() => one.nudged.length > 0)
  expect(one.nudged).not.toContain('dispatch:leaver')
  await one.loop.stop()
})

test('two leavers may be out, on however many targets; the next takes the way of the queue until one is through', async () => {
  const seen = (claims: readonly Claim[]): SeenOff => ({
    ...nobody,
    evaluated: 1,
    dispatched: true,
    more: true,
    claims,
  })
  const { loop, seeOff, evaluate, inHand, end } = watch([seen([1, 2, 3].map(claimOf)), seen([4, 5].map(claimOf))])
  loop.start()
  await until(() => evaluate.mock.calls.length > 0)
  expect(seeOff).toHaveBeenCalledTimes(2)
  expect(inHand).toEqual(['taken', 'taken'])
  end(1)
  end(2)
  loop.nudge()
  await until(() => evaluate.mock.calls.length > 1)
  expect(seeOff).toHaveBeenCalledTimes(2)
  end(3)
  await until(() => inHand.includes('gone'))
  loop.nudge()
  await until(() => seeOff.mock.calls.length > 2)
  end(4)
  end(5)
  await loop.stop()
  expect(inHand).toEqual(['taken', 'taken', 'gone', 'gone'])
})

test('what came beside leavers who are out is dispatched by nobody: it is looked at once, when all their calls have ended', async () => {
  const { loop, nudged, inHand, end } = watch([
    { ...nobody, evaluated: 1, dispatched: true, claims: [1, 2].map(claimOf) },
  ])
  loop.start()
  await until(() => inHand.length > 0)
  end(1)
  await setImmediate()
  expect(nudged).not.toContain('dispatch:leaver')
  end(2)
  await until(() => inHand.includes('gone'))
  expect(nudged.filter((one) => one === 'dispatch:leaver')).toHaveLength(1)
  await loop.stop()
})
