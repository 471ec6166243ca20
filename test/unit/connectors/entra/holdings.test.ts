import { expect, test } from 'vitest'
import type { GraphClient } from '../../../../src/connectors/entra/client.ts'
import { failed, ok, outcomeOfRead, statusFailure } from '../../../../src/connectors/entra/errors.ts'
import { readHoldings } from '../../../../src/connectors/entra/holdings.ts'
import type { Answer } from '../../../../src/connectors/entra/transport.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'

const account = 'a' as NativeId
const body = (value: unknown) => ok<Answer>({ status: 200, body: value, header: () => null, requestId: '' })
const asking = (answer: Awaited<ReturnType<GraphClient['read']>>): GraphClient => ({
  read: async () => answer,
  pages: async () => ok(null),
  write: async () => answer,
  readMany: async (resources) => resources.map(() => answer),
  writeMany: async () => [],
  isOurs: () => true,
  now: () => 0,
})

test('of what holds somebody only groups are told: roles and administrative units are none', async () => {
  const value = [
    { '@odata.type': '#microsoft.graph.directoryRole', id: 'r', displayName: 'Role' },
    { '@odata.type': '#microsoft.graph.group', id: 'g', displayName: 'Group' },
    { '@odata.type': '#microsoft.graph.group', id: 'h', displayName: null },
    { '@odata.type': '#microsoft.graph.administrativeUnit', id: 'u', displayName: 'Unit' },
  ]
  const read = await readHoldings(asking(body({ value })), [account])
  expect(read.ok && read.value.get(account)).toEqual([
    { nativeId: 'g', name: 'Group', kept: null },
    { nativeId: 'h', name: 'h', kept: null },
  ])
})

test('nobody there holds nothing and is not in the answer; what cannot be read is no answer', async () => {
  const answer = (status: number) =>
    failed(statusFailure({ status, code: '', requestId: '', message: '', retryAfterMs: null, scope: '' }))
  const gone = await readHoldings(asking(answer(404)), [account])
  expect(gone.ok && [...gone.value]).toEqual([])
  expect((await readHoldings(asking(answer(403)), [account])).ok).toBe(false)
  expect((await readHoldings(asking(body({ value: [{ displayName: 'no id' }] })), [account])).ok).toBe(false)
  expect((await readHoldings(asking(body({ items: [] })), [account])).ok).toBe(false)
})

test('of whom a first page was read, no later failure says that they are not there', async () => {
  const first = body({ value: [], '@odata.nextLink': 'https://graph.example/v1.0/next' })
  const notFound = statusFailure({ status: 404, code: '', requestId: '', message: '', retryAfterMs: null, scope: '' })
  const read = await readHoldings({ ...asking(first), pages: async () => failed(notFound) }, [account])
  expect(!read.ok && outcomeOfRead(read.failure, 'account').kind).toBe('retry')
})
