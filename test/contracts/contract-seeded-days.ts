import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { NativeId } from '../../src/domain/ids.ts'
import { always, freshKey, type Group, grant, type Phase, revoke, type Scene, said } from './world.ts'

const steps = 14
/** A fault meets at most so many attempts of one step, so that each ends. */
const faultyAttempts = 3

/** One of so many, the same for the same words. */
const chance = (of: number, ...words: readonly (string | number)[]): number =>
  Number.parseInt(hash('sha256', words.join(' ')).slice(0, 8), 16) % of

/** Whether a write is broken, and on which side of its commit: by the seed, the operation, its key and the attempt. */
const faultOf = (seed: string, op: string, key: string, attempt: number): Phase | null =>
  attempt > faultyAttempts
    ? null
    : (([null, null, 'before-commit', 'after-commit'] as const)[chance(4, seed, op, key, attempt)] ?? null)

/** Whatever breaks and when: what is said is true when it is said, and trying on brings about what was wanted. */
export const seededDayContract = (scene: Scene): void => {
  describe('days of trouble', () => {
    test.each(['first', 'second', 'third', 'fourth'])(
      'by a seed (%s): every word is held against the witness',
      async (seed) => {
        const { world, connector } = scene
        const accounts = await world.addAccounts([scene.person(), scene.person(), scene.person()])
        const groups = [await world.addGroup(freshKey()), await world.addGroup(freshKey())]
        const words = new Set<string>()
        for (let step = 0; step < steps; step++) {
          const at = chance(accounts.length * groups.length, seed, 'whose', step)
          const account = accounts[at % accounts.length] as NativeId
          const group = groups[Math.floor(at / accounts.length)] as Group
          const wants = chance(3, seed, 'what', step) > 0
          const operation = (wants ? grant : revoke)(account, group)
          const isMember = async () => (await world.membersOf(group)).includes(account)
          for (let attempt = 1, open = true; open; attempt++) {
            const before = await isMember()
            const phase = faultOf(seed, operation.op, `${at} ${step}`, attempt)
            if (phase !== null) world.faults.atNextWrite(phase, 'drop')
            const [word = ''] = await scene.settling([operation])
            world.faults.none()
            words.add(word)
            const is = await isMember()
            if (word === 'changed' || word === 'was-so') {
              expect([word, is]).toEqual([word, wants])
              if (word === 'was-so') expect([word, before]).toEqual([word, wants])
              open = false
            } else if (word === 'unknown') {
              world.pass?.(connector.manifest.settleMs)
              const [read] = (await connector.observe([operation], always)).map(said)
              expect([word, read]).toEqual([word, is === wants ? 'was-so' : 'not-so'])
            } else {
              // Surely not applied.
              expect([word, is]).toEqual(['retry', before])
            }
            expect(attempt).toBeLessThanOrEqual(faultyAttempts + 1)
          }
        }
        // A day on which nothing broke, or nothing went well, would show nothing.
        expect([...words]).toEqual(expect.arrayContaining(['changed', 'unknown', 'was-so']))
      },
    )
  })
}
