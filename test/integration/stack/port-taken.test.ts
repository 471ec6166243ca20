import { createServer } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { freePort } from '../../../scripts/stack/ports.ts'
import { type Stack, startStack } from '../../../scripts/stack/stack.ts'
import { readState } from '../../../scripts/stack/state.ts'
import { freshName } from '../../support/stack.ts'
import { testDirectory } from '../../support/test-directory.ts'

const stacks: Stack[] = []
afterAll(() => Promise.all(stacks.map((stack) => stack.stop({ discard: true }))))

test('a port that another process takes between its choice and the start is left to it', async () => {
  const dir = testDirectory(freshName())
  const first = await startStack({ dir, parts: ['redis'] })
  await first.stop()
  const { redis: port = 0 } = readState(dir).ports

  const other = createServer((socket) => void socket.on('error', () => {}).end('-ERR not yours\r\n'))
  const said: string[] = []
  const stack = await startStack({
    dir,
    parts: ['redis'],
    onProgress: ({ text }) => {
      // Listens before the new process gets as far.
      if (text === 'starting' && !other.listening) other.listen(port, '127.0.0.1')
      said.push(text)
    },
  })
  stacks.push(stack)
  try {
    expect(other.listening).toBe(true)
    expect(said.filter((text) => text === 'starting')).toHaveLength(2)
    expect(stack.redisUrl).not.toContain(`:${port}`)
    expect(readState(dir).ports.redis).not.toBe(port)
    expect(stack.part('redis').pid).toBeGreaterThan(0)
  } finally {
    other.close()
  }
})

test('no two servers of a stack are given the same port', async () => {
  const asked: number[] = []
  const port = await freePort(undefined, (one) => asked.push(one) < 3)
  expect(asked).toHaveLength(3)
  expect(port).toBe(asked[2])
  const mine = await freePort(port, (one) => one === port)
  expect(mine).not.toBe(port)
})
