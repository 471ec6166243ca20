/** Which of several controllers a call goes to, where one says of itself that it is not in step. */

import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { BerWriter } from 'ldapts'
import { expect, test } from 'vitest'
import { adSettingsSchema } from '../../../../src/connectors/ad/config.ts'
import { createDomainControllers } from '../../../../src/connectors/ad/domain-controllers.ts'
import { doubtMs, returnMs } from '../../../../src/connectors/ad/settling.ts'
import { frameReader } from '../../../../src/connectors/ldap-wire/framing.ts'
import { until } from '../../../support/until.ts'

const [bindRequest, searchRequest] = [0x60, 0x63]

const message = (id: number, operation: number, write: (writer: BerWriter) => void): Buffer => {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeInt(id)
  writer.startSequence(operation)
  write(writer)
  writer.endSequence()
  writer.endSequence()
  return writer.buffer
}
const success = (writer: BerWriter) => {
  writer.writeEnumeration(0)
  writer.writeString('')
  writer.writeString('')
}
/** RFC 4511 §4.5.2, of the root DSE. */
const rootDse = (isSynchronized: string) => (writer: BerWriter) => {
  writer.writeString('')
  writer.startSequence()
  writer.startSequence()
  writer.writeString('isSynchronized')
  writer.startSequence(0x31)
  writer.writeString(isSynchronized)
  writer.endSequence()
  writer.endSequence()
  writer.endSequence()
}

/** Lets everybody in, and answers each search with its root DSE. */
const controller = async () => {
  const state: { isThere: boolean; isSynchronized: 'TRUE' | 'FALSE'; asked: number } = {
    isThere: true,
    isSynchronized: 'TRUE',
    asked: 0,
  }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    if (!state.isThere) return void socket.destroy()
    const frames = frameReader(({ messageId, operation }) => {
      if (operation === bindRequest) socket.write(message(messageId, 0x61, success))
      if (operation !== searchRequest) return
      state.asked += 1
      socket.write(message(messageId, 0x64, rootDse(state.isSynchronized)))
      socket.write(message(messageId, 0x65, success))
    })
    socket.on('error', () => {}).on('data', (bytes) => frames.push(bytes))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stop = () => {
    state.isThere = false
    for (const socket of sockets) socket.destroy()
  }
  return { state, url, stop, close: () => server.close() }
}

const settingsOf = (...all: readonly { readonly url: string }[]) =>
  adSettingsSchema.parse({
    urls: all.map(({ url }) => url),
    security: 'plain',
    bindName: 'muster@corp.example',
    bindPassword: 'secret',
    peopleBase: 'OU=People,DC=corp,DC=example',
    groupsBase: 'OU=Groups,DC=corp,DC=example',
  })

test('a first controller that is back and not in step yet is left alone until it is', async () => {
  const [first, second] = [await controller(), await controller()]
  const settings = settingsOf(first, second)
  let now = Date.now()
  const controllers = createDomainControllers(settings, undefined, () => now)
  first.state.isThere = false
  const { client: away } = await controllers.pin()
  now += doubtMs
  first.state.isThere = true
  first.state.isSynchronized = 'FALSE'
  // Asked beside this call, which stays where it is, and believes no read alone before the answer.
  expect(await controllers.pin()).toMatchObject({ client: away, settling: true })
  await until(() => first.state.asked > 0)
  await until(async () => !(await controllers.pin()).settling)
  expect(await controllers.pin()).toEqual({ client: away, settling: false })
  expect(first.state.asked).toBe(1)

  first.state.isSynchronized = 'TRUE'
  now += returnMs
  await until(async () => (await controllers.pin()).client !== away)
  expect(await controllers.pin()).toMatchObject({ settling: true })
  controllers.close()
  first.close()
  second.close()
})

test('one that calls begin with, or are led to, and that is not in step, is not believed until a while after it is', async () => {
  const [first, second] = [await controller(), await controller()]
  let now = Date.now()
  const controllers = createDomainControllers(settingsOf(first, second), undefined, () => now)
  const isSettling = async () => (await controllers.pin()).settling
  const staysBehind = async ({ state }: typeof first) => {
    for (const _ of ['told at once', 'told again']) {
      const { asked } = state
      now += doubtMs
      expect(await isSettling()).toBe(true)
      await until(() => state.asked > asked)
      expect(await isSettling()).toBe(true)
      expect(await isSettling()).toBe(true)
      expect(state.asked).toBe(asked + 1)
    }
  }
  const isBelievedOnceInStep = async ({ state }: typeof first) => {
    const { asked } = state
    state.isSynchronized = 'TRUE'
    now += returnMs
    expect(await isSettling()).toBe(true)
    await until(() => state.asked > asked)
    now += doubtMs
    await until(async () => !(await isSettling()))
  }
  first.state.isSynchronized = 'FALSE'
  expect(await isSettling()).toBe(true)
  await until(() => first.state.asked === 1)
  await staysBehind(first)
  expect(second.state.asked).toBe(0)
  await isBelievedOnceInStep(first)

  second.state.isSynchronized = 'FALSE'
  first.stop()
  await until(isSettling)
  await until(() => second.state.asked === 1)
  await staysBehind(second)
  await isBelievedOnceInStep(second)
  controllers.close()
  first.close()
  second.close()
})
