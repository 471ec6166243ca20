/** `npm run demo` as a person or a machine runs it: its own process, its own parts, nothing left behind. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, test } from 'vitest'
import { checkout } from '../../scripts/stack/download.ts'
import { readState } from '../../scripts/stack/state.ts'
import { freshName } from '../support/stack.ts'
import { testDirectory } from '../support/test-directory.ts'

type Line = {
  readonly type: string
  readonly text?: string
  readonly title?: string
  readonly facts?: Record<string, unknown>
}

type Run = {
  readonly child: ChildProcess
  readonly dir: string
  readonly lines: readonly Line[]
  readonly stderr: () => string
  /** The exit code, when it has ended. */
  readonly ended: Promise<number | null>
}

const dirs: string[] = []
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
})

/** `onLine` sees each line of its story as it is told. */
const runDemo = (onLine: (line: Line, run: Run) => void, ...words: string[]): Run => {
  const dir = testDirectory(`demo-${freshName()}`)
  dirs.push(dir)
  const child = spawn(
    'sh',
    [join(checkout, 'scripts/run.sh'), 'scripts/demo.ts', '--json', '--feed', '60', '--dir', dir, ...words],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const lines: Line[] = []
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  const run: Run = { child, dir, lines, stderr: () => stderr, ended }
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line
    lines.push(line)
    onLine(line, run)
  })
  return run
}

const processesOf = (dir: string): readonly string[] =>
  execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(dir) && !line.includes('ps -eo'))

const minutes = 60_000

test('tells the whole story, each statement verified, and leaves nothing running', {
  timeout: 4 * minutes,
}, async () => {
  const run = runDemo(() => {})
  expect(await run.ended, run.stderr()).toBe(0)
  const steps = run.lines.filter(({ type }) => type === 'step').map(({ title }) => title)
  expect(steps).toHaveLength(17)
  const verified = run.lines.filter(({ type }) => type === 'verified').map(({ text }) => text)
  expect(verified.length).toBeGreaterThanOrEqual(65)
  expect(run.lines.filter(({ type }) => type === 'failed')).toEqual([])
  expect(run.lines.at(-1)).toMatchObject({ type: 'end', ok: true, failed: 0 })
  for (const part of [
    /held: CBS_LoanEntry/,
    /only then CBS_LoanApprove/,
    /sign-in .* is refused/,
    /quarantine/,
    /linked/,
    /she is out again/,
    /Amit joins Active Directory: CBS_LoanEntry, CBS_ViewOnly/,
    /Amit joins Entra ID: Lending_RM/,
    /Amit joins AWS Identity Center: Aws_LoanDesk, Loan_ReadOnly/,
    /he reaches LoanReader in the AWS account \d+ by Loan_ReadOnly/,
    /Amit joins AWS IAM: Iam_LoanQuotes/,
    /AWS IAM: Iam_LoanQuotes goes, Iam_LoanRisk comes/,
    /he reaches nothing by a group/,
    /AWS IAM: he holds nothing/,
    /on every target: account shut/,
    /^out again/,
    /refuses it: 25 of 25/,
    /the guard holds it/,
  ])
    expect(
      verified.some((text) => part.test(text ?? '')),
      String(part),
    ).toBe(true)
  expect(run.lines.find((line) => line.type === 'show' && 'name' in line && line.name === 'ldapsearch')?.facts).toEqual(
    [],
  )
  expect(
    run.lines.find((line) => line.type === 'show' && 'name' in line && line.name === 'leaver')?.facts,
  ).toHaveLength(5)
  const said = JSON.stringify(run.lines) + run.stderr() + readFileSync(join(run.dir, 'engine.log'), 'utf8')
  for (const secret of Object.values(readState(run.dir).secrets)) expect(said).not.toContain(secret)
  await expect.poll(() => processesOf(run.dir)).toEqual([])
})

test('an engine that dies fails the demo, which says so and ends the rest', { timeout: 3 * minutes }, async () => {
  const run = runDemo((line) => {
    const engine = line.facts?.engine
    if (line.type === 'verified' && typeof engine === 'number') process.kill(engine, 'SIGKILL')
  })
  expect(await run.ended).toBe(1)
  expect(run.lines.at(-1)).toMatchObject({ type: 'end', ok: false })
  expect(run.stderr()).toContain('the engine ended (SIGKILL)')
  await expect.poll(() => processesOf(run.dir)).toEqual([])
})

test('interrupted in the middle of its story it ends everything', { timeout: 3 * minutes }, async () => {
  let told = false
  const run = runDemo(({ type }, { child }) => {
    if (type === 'progress' && !told) told = child.kill('SIGINT')
  })
  expect(await run.ended).toBe(130)
  expect(told).toBe(true)
  await expect.poll(() => processesOf(run.dir)).toEqual([])
  expect(existsSync(join(run.dir, 'stack.json'))).toBe(true)
})

test('an unknown word is a mistake in its use', async () => {
  const child = spawn('sh', [join(checkout, 'scripts/run.sh'), 'scripts/demo.ts', '--quick'], { stdio: 'ignore' })
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(2)
})
