/** A replica that is behind, asked before anything is done: what it does not show yet must not end a leaver's way. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Connector, Operation } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { type EntraWorld, openEntraWorld } from './entra-world.ts'
import { always, freshKey, said, unknownId } from './world.ts'

let world: EntraWorld
let connector: Connector
beforeAll(async () => {
  world = await openEntraWorld()
  connector = world.connect()
})
afterEach(() => {
  world.graph.replication.release()
  world.graph.replication.set({ lagMs: 0, freshShare: 0 })
})
afterAll(async () => {
  await connector?.close()
  await world?.close()
})
const saying = async (operations: readonly Operation[]) => (await connector.apply(operations, always)).map(said)
/** From here on no replica learns anything; what was there before is known to all. */
const hold = async () => {
  await connector.accounts([unknownId], always.signal)
  world.graph.replication.hold()
}
const addAccount = async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId

test('opened a moment ago, shut now: a replica that still shows it shut is no reason not to shut it', async () => {
  const account = await addAccount()
  world.graph.hand.patchUser(account, { accountEnabled: false })
  await hold()
  expect(await saying([{ op: 'enable', account }])).toEqual(['pending'])
  await saying([{ op: 'disable', account }])
  expect(await world.canSignIn(account)).toBe(false)
})

test('shut already: one change is sent all the same, and it was so', async () => {
  const account = await addAccount()
  world.graph.hand.patchUser(account, { accountEnabled: false })
  const asked = await world.writesOf(async () => {
    expect(await saying([{ op: 'disable', account }])).toEqual(['was-so'])
  })
  expect(asked).toEqual([`PATCH /v1.0/users/${account}`])
})
