/** What the tests of one file share: a world and a connector of their own, and short words for what they do there. */
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createAdConnector } from '../../src/connectors/ad/connector.ts'
import type { Connector, MemberList, Operation } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { freshName } from '../support/stack.ts'
import { type AdWorld, adTools, change, makeAd, openAdWorld, target } from './ad-world.ts'
import { always, type Group, said } from './world.ts'

export const listOf = async (from: Connector, group: Group): Promise<MemberList | undefined> => {
  const ref = { id: 1 as EntitlementId, lookup: group.lookup, nativeId: group.nativeId }
  for await (const list of from.membersOf([ref], always.signal)) return list
  return undefined
}

/** Registers the hooks that open and close it. */
export const adScene = () => {
  let world: AdWorld
  let connector: Connector
  beforeAll(async () => {
    world = await openAdWorld()
    connector = makeAd(world)
  })
  afterEach(() => world.faults.none())
  afterAll(async () => {
    await connector?.close()
    await world?.close()
  })
  const person = (label?: string) => world.person(freshName(), label)
  const apply = (operations: readonly Operation[]) => connector.apply(operations, always)
  const wellKnown = (name: string) => `CN=${name},CN=Users,${world.ad.baseDn}`
  return {
    get world() {
      return world
    },
    get connector() {
      return connector
    },
    person,
    apply,
    wellKnown,
    saying: async (operations: readonly Operation[]) => (await apply(operations)).map(said),
    addAccount: async () => (await world.addAccounts([person()]))[0] as NativeId,
    addAccounts: (count: number) => world.addAccounts(Array.from({ length: count }, () => person())),
    controlOf: async (id: NativeId) => Number((await world.entryOf(id))?.userAccountControl),
    modify: (id: NativeId, operation: 'add' | 'delete' | 'replace', type: string, values: string[]) =>
      world.asRoot.modify(`<GUID=${id}>`, change(operation, type, values)),
    known: async (name: string): Promise<Group> => ({
      lookup: wellKnown(name),
      nativeId: await world.idAt(wellKnown(name)),
    }),
    /** Works with a connector of other settings. */
    using: async <T>(
      changes: Readonly<Record<string, unknown>>,
      work: (connector: Connector) => Promise<T>,
    ): Promise<T> => {
      const other = createAdConnector(target, world.configure(changes), adTools)
      try {
        return await work(other)
      } finally {
        await other.close()
      }
    },
  }
}
