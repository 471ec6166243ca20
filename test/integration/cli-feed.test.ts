import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plainConnection } from '../../src/consumers/kafka-client.ts'
import { publish } from '../../src/consumers/publish.ts'
import { createLog } from '../../src/log.ts'
import { bankFiles } from '../support/bank-files.ts'
import { muster } from '../support/cli.ts'
import type { ConfigDirectory } from '../support/config-directory.ts'
import { type House, openHouse } from '../support/house.ts'
import { hrMessage } from '../support/hr-event.ts'
import { type ServeProcess, startServe } from '../support/serve-process.ts'
import { addresses, freshTopic } from '../support/stack.ts'
import { until } from '../support/until.ts'

let house: House
let files: ConfigDirectory
let serve: ServeProcess
let topic: string
beforeAll(async () => {
  house = await openHouse()
  topic = (await freshTopic()).topic
  files = bankFiles(house, {
    topics: [topic],
    // Three of anything is a mass change here.
    target: {
      guard: { disables: { absolute: 2, percent: null }, urgentPerHour: { atLeast: 0, percentOfPopulation: 0 } },
    },
    file: { log: { level: 'info' } },
  })
  serve = await startServe(files)
})
afterAll(async () => {
  serve.kill('SIGKILL')
  await serve.ended
  files.remove()
  await house.close()
})

const write = (name: string, text: string): string => {
  const path = join(files.directory, name)
  writeFileSync(path, text)
  return path
}
const event = (person: string, effectiveAt: string, worker = {}) => hrMessage({ person, effectiveAt, worker }).value
const people = ['P-1', 'P-2', 'P-3']

test('publish sends JSON and NDJSON, and nothing at all when a line is no event', async () => {
  const lines = write('joiners.ndjson', `${people.map((person) => event(person, '2024-01-01')).join('\n')}\n`)
  const mistaken = write('mistaken.ndjson', `${event('P-9', '2024-01-01')}\n{"data": \n{}\n`)
  const refused = await muster(files, 'publish', lines, mistaken)
  expect(refused).toMatchObject({
    exit: 1,
    err: expect.stringMatching(
      /nothing was sent[\s\S]*mistaken.ndjson:2 is not JSON[\s\S]*mistaken.ndjson:3 has neither/,
    ),
  })
  expect(await muster(files, 'publish')).toMatchObject({ exit: 2 })
  expect((await muster(files, 'publish', lines, '--json')).json()).toEqual({ topic, sent: 3 })
  for (const person of people) await until(async () => (await house.groupsOf(person)).includes('CBS_LoanEntry'))
  expect(await house.account('P-9')).toBeNull()
})

test('quarantine is listed, shown and judged again; what is still no event stays', async () => {
  const connection = plainConnection(addresses().kafkaBrokers)
  await publish({ connection, log: createLog('silent', 'test') }, topic, [
    { key: 'P-1', value: '{"specversion": "1.0", "name\u001b[2J": ' },
  ])
  const [line] = await until(async () => {
    const lines = (await muster(files, 'quarantine', 'list', '--json')).json() as { offset: number; reason: string }[]
    return lines.length > 0 && lines
  })
  const place = `${topic}/0/${line?.offset}`
  const shown = await muster(files, 'quarantine', 'show', place)
  expect(shown).toMatchObject({ exit: 0, out: expect.stringContaining('specversion') })
  expect(shown.out).not.toContain('\u001b')
  expect(await muster(files, 'quarantine', 'replay', place)).toMatchObject({
    exit: 1,
    out: expect.stringContaining('still quarantined'),
  })
  expect((await muster(files, 'quarantine', 'replay', '--all', '--json')).json()).toEqual({
    accepted: 0,
    duplicates: 0,
    quarantined: 1,
  })
  expect(await muster(files, 'quarantine', 'show', `${topic}/0/0`)).toMatchObject({
    exit: 1,
    err: expect.stringContaining('no quarantined message'),
  })
  expect(await muster(files, 'quarantine', 'show', 'nonsense')).toMatchObject({ exit: 2 })
  expect(await muster(files, 'quarantine', 'list', '--reason', 'whim')).toMatchObject({ exit: 2 })
})

test('a mass change is held and told; released with a reason it goes, and a tripped guard is not rejected', async () => {
  const leavers = write(
    'leavers.json',
    `[${people.map((person) => event(person, '2024-02-01', { status: 'terminated' })).join(',')}]`,
  )
  await muster(files, 'publish', leavers)
  const hold = await until(async () => {
    const holds = (await muster(files, 'hold', 'list', '--json')).json() as {
      id: number
      kind: string
      action: string
      causes: unknown
    }[]
    return holds.find(({ kind, action }) => kind === 'guard' && action === 'disable')
  })
  const findings = (await muster(files, 'finding', 'list', '--json')).json() as { kind: string; urgent: boolean }[]
  expect(findings).toEqual(expect.arrayContaining([expect.objectContaining({ kind: 'guard-tripped', urgent: true })]))
  // The first of them may have gone before the last one came.
  expect(hold.causes).toEqual([
    {
      cause: 'event',
      policy: null,
      actions: expect.any(Number),
      hr: [expect.objectContaining({ topic, firstAt: expect.any(String) })],
    },
  ])
  expect((await muster(files, 'hold', 'list')).out).toMatch(/bank-ldap: every disable[^\n]*[1-3] by events of HR/)
  expect((await muster(files, 'show', 'hold', String(hold.id))).out).toMatch(
    /brought by[\s\S]*[1-3] +events of HR +\S+, 20\S+Z to 20\S+Z/,
  )
  expect(await muster(files, 'hold', 'reject', String(hold.id), '--reason', 'no')).toMatchObject({ exit: 3 })
  expect(await muster(files, 'hold', 'release', String(hold.id), '--reason', 'branch closed')).toMatchObject({
    exit: 0,
  })
  for (const person of people) await until(async () => (await house.account(person))?.locked === true)
})
