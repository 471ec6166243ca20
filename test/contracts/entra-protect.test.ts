/** What `protect` names is never granted, whatever the catalogue calls it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import { protecting } from '../../src/connectors/protecting.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { type EntraWorld, makeEntra, openEntraWorld } from './entra-world.ts'
import { always, freshKey, type Group, grant } from './world.ts'

let world: EntraWorld
let connector: Connector
beforeAll(async () => {
  world = await openEntraWorld()
  connector = makeEntra(world)
})
afterAll(async () => {
  await connector?.close()
  await world?.close()
})
const addAccount = async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId

describe('a group that `protect` names as Entra shows it', () => {
  test.each([
    ['by its id', (group: Group) => group.nativeId],
    ['as displayName:<name>', (group: Group) => group.lookup],
  ])('is not granted where the catalogue names it %s', async (_, lookupOf) => {
    const name = `Break Glass ${freshKey()}`
    const group = await world.addGroup(name)
    const account = await addAccount()
    const guarded = protecting(connector, { accounts: [], entitlements: ['break glass *'] })
    const [outcome] = await guarded.apply([grant(account, { ...group, lookup: lookupOf(group) })], always)
    expect(outcome).toMatchObject({ kind: 'refused', reason: 'protected' })
    expect(await world.membersOf(group)).toEqual([])
  })
})
