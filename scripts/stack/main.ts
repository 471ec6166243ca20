/** npm run stack -- up|down|status|reset: the local stack for people. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fillBankDirectory } from './bank-directory.ts'
import { forgetContainers } from './docker.ts'
import { checkout } from './download.ts'
import { writeEnvFile } from './env-file.ts'
import { ensureTopic } from './hr-topic.ts'
import { writeLdapScripts } from './ldap-scripts.ts'
import { databaseEnv, musterDatabase } from './muster-database.ts'
import { allPartNames, optionalPartNames, type Part, partNames, StackError } from './part.ts'
import { end, isAlive } from './process.ts'
import { progressLines } from './progress.ts'
import { shown } from './shown.ts'
import { type Stack, startStack } from './stack.ts'
import { readState, stateFile, writeState } from './state.ts'

const home = join(checkout, '.stack')
const usage = `npm run stack -- up [PART…]    start the parts (${partNames.join(', ')} if none is named; also ${optionalPartNames.join(', ')}) and leave them running
npm run stack -- status        what runs, and where
npm run stack -- down          end everything that was left running; data stays
npm run stack -- reset         end it and forget all data (downloads stay)
`

/** 0 done, 1 failed, 2 usage. */
async function main([verb, ...rest]: readonly string[]): Promise<number> {
  const unknown = rest.filter((name) => !allPartNames.some((part) => part === name))
  if (unknown.length > 0 || (rest.length > 0 && verb !== 'up'))
    return refuse(`unknown: ${(unknown.length ? unknown : rest).join(' ')}`)
  switch (verb) {
    case 'up':
      return up(rest.length === 0 ? partNames : allPartNames.filter((part) => rest.includes(part)))
    case 'status':
      return status()
    case 'down':
      return down()
    case 'reset':
      return reset()
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(usage)
      return verb === undefined ? 2 : 0
    default:
      return refuse(`unknown command: ${verb}`)
  }
}

function refuse(why: string): number {
  process.stderr.write(`${why}\n${usage}`)
  return 2
}

async function up(parts: readonly Part[]): Promise<number> {
  const stack = await startStack({
    dir: join(home, 'local'),
    parts,
    keepRunning: true,
    onProgress: progressLines(process.stderr),
  })
  const passwords = { engine: stack.secret('engine'), auditor: stack.secret('auditor') }
  const database = parts.includes('postgres') ? databaseEnv(await musterDatabase(stack.databaseUrl, passwords)) : {}
  // A Kafka that the environment names is somebody's: nothing is made there.
  if (parts.includes('kafka') && stack.part('kafka').origin !== 'environment') await ensureTopic(stack.kafkaBrokers)
  if (parts.includes('slapd') && stack.part('slapd').origin !== 'environment') await fillBankDirectory(stack.ldap)
  const state = readState(stack.dir)
  const urls = { ...stack.env, ...database }
  const all = { ...state.urls, ...urls }
  writeState(stack.dir, { ...state, urls: all })
  const envFile = relative(process.cwd(), writeEnvFile(stack.dir, all))
  const byHand = parts.includes('slapd') ? await directoryByHand(stack) : []
  for (const [name, value] of Object.entries(urls)) process.stdout.write(`${name}=${value}\n`)
  process.stderr.write(`to use it: \`. ${envFile}\`, then \`npx muster doctor --config examples/bank\`\n`)
  for (const line of byHand) process.stderr.write(`${line}\n`)
  return 0
}

/** How to look at the directory and to change it, as its administrator. A directory elsewhere may be on a machine without the tools. */
async function directoryByHand({ dir, ldap }: Stack): Promise<readonly string[]> {
  try {
    const { search, modify } = await writeLdapScripts(dir, ldap)
    const [toSearch, toModify] = [search, modify].map((file) => relative(process.cwd(), file))
    return [
      `the directory by hand: \`${toSearch} '(uid=meera.s)'\`, \`${toModify} < CHANGES.ldif\`; what it begins with: examples/bank/README.md`,
    ]
  } catch (error) {
    if (!(error instanceof StackError)) throw error
    return [`no ldapsearch for looking at the directory by hand: ${error.message}`]
  }
}

/** Directories of stacks in this checkout: `local` is that of `up`; the demo (and each of its other targets), tests and benchmarks have their own. */
function stacks(): { name: string; dir: string }[] {
  if (!existsSync(home)) return []
  const below = (name: string) => readdirSync(join(home, name)).map((inner) => join(name, inner))
  const names = readdirSync(home).filter((name) => statSync(join(home, name)).isDirectory())
  const all = names.flatMap((name) => [...below(name), name]).map((name) => ({ name, dir: join(home, name) }))
  return all.filter(({ dir }) => existsSync(stateFile(dir)))
}

function status(): number {
  const found = stacks()
  if (found.length === 0) process.stdout.write('no stack yet; npm run stack -- up starts one\n')
  for (const { name, dir } of found) {
    const state = readState(dir)
    const running = allPartNames.filter((part) => isAlive(state.processes[part]))
    const who = state.kept ? 'left running' : `run by process ${state.owner?.pid}`
    process.stdout.write(`${name}: ${running.length === 0 ? 'stopped' : `${running.join(', ')} (${who})`}\n`)
    if (running.length === 0) continue
    for (const [other, mark] of Object.entries(state.others ?? {}))
      if (isAlive(mark)) process.stdout.write(`  ${other}: process ${mark.pid}\n`)
    for (const part of running)
      process.stdout.write(`  ${part}: process ${state.processes[part]?.pid}, log ${join(dir, part, `${part}.log`)}\n`)
    for (const [variable, value] of Object.entries(state.urls ?? {}))
      process.stdout.write(`  ${variable}=${shown(variable, value)}\n`)
    if (existsSync(join(dir, 'env')))
      process.stdout.write(`  with passwords: . ${relative(process.cwd(), join(dir, 'env'))}\n`)
  }
  return 0
}

async function down(): Promise<number> {
  let busy = 0
  for (const { name, dir } of stacks()) {
    const state = readState(dir)
    const running = allPartNames.filter((part) => isAlive(state.processes[part]))
    if (!state.kept && isAlive(state.owner) && running.length > 0) {
      process.stderr.write(`${name}: process ${state.owner.pid} runs it; it ends with that process\n`)
      busy += 1
      continue
    }
    await Promise.all(Object.values(state.others ?? {}).map((mark) => end(mark, 'SIGTERM')))
    await Promise.all(
      running.map((part) => end(state.processes[part], part === 'postgres' || state.docker ? 'SIGINT' : 'SIGTERM')),
    )
    writeState(dir, { ...state, kept: false, processes: {}, others: {} })
    if (running.length > 0) process.stdout.write(`${name}: ended ${running.join(', ')}\n`)
  }
  return busy > 0 ? 1 : 0
}

async function reset(): Promise<number> {
  const code = await down()
  if (code !== 0) return code
  for (const { name, dir } of stacks()) {
    if (readState(dir).docker) await forgetContainers(dir)
    rmSync(dir, { recursive: true, force: true })
    process.stdout.write(`${name}: forgotten\n`)
  }
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof StackError ? error.message : ((error as Error).stack ?? error)}\n`)
  process.exitCode = 1
}
