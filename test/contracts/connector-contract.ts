/**
 * What every connector must do, run against its real server. A connector joins with two lines: a world (the server, its
 * faults, and a witness that is not the connector) and a function that makes the connector.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { accountContract } from './contract-accounts.ts'
import { badDayContract } from './contract-bad-days.ts'
import { changesContract } from './contract-changes.ts'
import { listContract } from './contract-lists.ts'
import { membershipContract } from './contract-memberships.ts'
import { namedAccountContract } from './contract-named-accounts.ts'
import { seededDayContract } from './contract-seeded-days.ts'
import { always, freshKey, type Scene, said, settling, type Traits, usual, type World } from './world.ts'

export const connectorContract = <W extends World>(
  name: string,
  make: (world: W) => Connector,
  openWorld: () => Promise<W>,
  traits: Traits = usual,
): void => {
  describe(`${name} keeps the connector contract`, () => {
    let world: W
    let connector: Connector
    beforeAll(async () => {
      world = await openWorld()
      connector = make(world)
    })
    afterEach(() => world.faults.none())
    afterAll(async () => {
      await connector?.close()
      await world?.close()
    })
    const scene: Scene = {
      traits,
      get world() {
        return world
      },
      get connector() {
        return connector
      },
      apply: (operations, context = always) => connector.apply(operations, context),
      saying: async (operations, context = always) => (await connector.apply(operations, context)).map(said),
      settling: (operations) => settling(world, connector, operations),
      person: (label) => world.person(freshKey(), label),
      addAccount: async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId,
    }

    test('is reachable and says who it is', async () => {
      expect(await connector.check(always.signal)).toMatchObject({ ok: true, problems: [] })
    })
    // Before the crowds of the others, among which a witness finds slowly.
    seededDayContract(scene)
    if (traits.accounts === 'named') namedAccountContract(scene)
    else accountContract(scene)
    membershipContract(scene)
    listContract(scene)
    changesContract(scene)
    badDayContract(scene)
  })
}
