/** Whoever starts a stack may die in any way at any moment: no server is left. Only one that is told to stay, stays. */

import { execFile, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { partNames } from '../../../scripts/stack/part.ts'
import { end } from '../../../scripts/stack/process.ts'
import { startStack } from '../../../scripts/stack/stack.ts'
import { readState } from '../../../scripts/stack/state.ts'
import { freshName } from '../../support/stack.ts'
import { testDirectory } from '../../support/test-directory.ts'

const dirs: string[] = []
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
})

function freshDir(): string {
  const dir = testDirectory(freshName())
  dirs.push(dir)
  return dir
}

/** Processes of any kind that have this directory in their command line, but for the starter itself. */
async function left(dir: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args'])
  return stdout.split('\n').filter((line) => line.includes(`${dir}/`))
}

/** Starts a stack in a process of its own, and ends that process by `signal` as soon as it says `moment`. */
async function startAndEnd(dir: string, moment: string, signal: NodeJS.Signals): Promise<void> {
  const starter = spawn(process.execPath, [join(import.meta.dirname, 'start-stack.ts'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise((resolve) => starter.once('exit', resolve))
  for await (const line of createInterface({ input: starter.stdout })) if (line === moment) starter.kill(signal)
  await exited
}

test.each([
  ['kafka formatting storage', 'SIGKILL'],
  ['postgres creating the cluster', 'SIGINT'],
  ['redis ready', 'SIGKILL'],
  ['slapd ready', 'SIGTERM'],
  ['kafka starting', 'SIGKILL'],
  ['all ready', 'SIGINT'],
] as const)('ended at "%s" by %s, nothing is left', async (moment, signal) => {
  const dir = freshDir()
  await startAndEnd(dir, moment, signal)
  await expect.poll(() => left(dir), { interval: 100 }).toEqual([])
})

test('after an interrupted start, the next one works on what is there', async () => {
  const dir = freshDir()
  await startAndEnd(dir, 'postgres starting', 'SIGKILL')
  const stack = await startStack({ dir, parts: partNames })
  expect(partNames.every((part) => (stack.part(part).pid ?? 0) > 0)).toBe(true)
  await stack.stop({ discard: true })
  expect(await left(dir)).toEqual([])
})

test('what is told to stay, stays, is found again with the same addresses, and goes when it is ended', async () => {
  const dir = freshDir()
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'start-stack.ts'), dir, 'keep'])
  const kept = readState(dir)
  const again = await startStack({ dir, parts: partNames })
  expect(again.env).toEqual(kept.urls)
  expect(partNames.map((part) => again.part(part).pid)).toEqual(partNames.map((part) => kept.processes[part]?.pid))
  await again.stop() // it started nothing, so it ends nothing
  expect(await left(dir)).not.toEqual([])
  await Promise.all(partNames.map((part) => end(kept.processes[part], 'SIGKILL')))
  await expect.poll(() => left(dir), { interval: 100 }).toEqual([])
})

test('a stack that another process runs is not touched', async () => {
  const dir = freshDir()
  const stack = await startStack({ dir, parts: ['redis'] })
  const pid = stack.part('redis').pid
  const second = promisify(execFile)(process.execPath, [join(import.meta.dirname, 'start-stack.ts'), dir])
  await expect(second).rejects.toThrow(`process ${process.pid} runs it`)
  expect(stack.part('redis').pid).toBe(pid)
  await stack.stop({ discard: true })
})

test('a part that cannot start says which, why and what to do', async () => {
  const dir = freshDir()
  const wrong = startStack({ dir, parts: ['slapd'], slapd: { globalLines: ['no-such-directive 1'] } })
  await expect(wrong).rejects.toThrow(/^slapd cannot start: [\s\S]*no-such-directive[\s\S]*What to do: /)
})
