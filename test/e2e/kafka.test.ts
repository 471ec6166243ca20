/** Kafka away at the start, killed in the middle of a batch; leavers that nobody has read yet; engines side by side. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Stack } from '../../scripts/stack/stack.ts'
import { type Installation, openInstallation } from '../support/muster-process.ts'
import { privateStack } from '../support/stack.ts'
import { brokenLaws } from './laws.ts'
import { clerk, department, leaves, lending, moves, unguarded, works } from './people.ts'

let own: Stack
let bank: Installation
beforeAll(async () => {
  own = await privateStack(['kafka'])
  bank = await openInstallation({ own, ownParts: ['kafka'], partitions: 4, target: unguarded })
})
afterAll(async () => {
  await bank.close()
  await own.stop({ discard: true })
})

/** Attempts to give this person something, and whatever of this person was changed. A leaver's account may be looked for. */
const given = (person: string) =>
  bank.audit<{ operation: string }>(
    `select operation from auditor.person_trail where person_key = $1 and ((kind = 'attempt' and operation = 'grant') or changed)`,
    person,
  )

test('leavers still unread: what their earlier events promised is not given, whatever else goes on', async () => {
  const before = await bank.start()
  await bank.tell(works('P-0'), works('M-0'))
  await bank.quiet()
  before.kill('SIGKILL')
  // P-1's grants stand ready, nothing of them was sent; that P-0 leaves and what M-0 loses is planned and not done.
  const planner = await bank.start({ args: ['--roles', 'ingest,evaluate'] })
  await bank.tell(works('P-1'), leaves('P-0'), moves('M-0', clerk))
  await bank.until('their plans', async () => {
    const plans = await bank.rows(
      `select 1 from muster.identity i where exists (select from muster.action a where a.identity_id = i.id and a.state = 'ready')`,
    )
    return plans.length === 3
  })
  planner.kill('SIGKILL')
  await planner.ended
  await bank.tell(leaves('P-1'), works('P-2'), leaves('P-2'), works('P-3'))
  await own.part('kafka').kill('SIGKILL')

  await bank.start()
  // What takes away is done, in both lanes; whoever might have left meanwhile waits.
  await bank.until('the known leaver', async () => (await bank.account('P-0'))?.locked)
  await bank.until('what the mover loses', async () => (await bank.groupsOf('M-0')).join() === department.join())
  expect(await given('P-1')).toEqual([])
  await own.part('kafka').restart()
  await bank.quiet()
  expect(await given('P-1')).toEqual([])
  expect(await given('P-2')).toEqual([])
  expect(await bank.account('P-1')).toBeNull()
  expect(await bank.account('P-2')).toBeNull()
  expect(await bank.groupsOf('P-3')).toEqual(lending)
  expect(await brokenLaws(bank)).toEqual([])
})

test('the broker dies in the middle of a batch: every offset once, everybody served, by the same process', async () => {
  const [engine] = bank.running()
  const people = Array.from({ length: 150 }, (_, at) => `B-${at}`)
  await bank.tell(...people.slice(0, 100).map((person) => works(person)))
  await bank.until(
    'the first of them',
    async () => (await bank.rows(`select 1 from muster.identity where person_key like 'B-%'`))[0],
  )
  await own.part('kafka').kill('SIGKILL')
  await own.part('kafka').restart()
  await bank.tell(...people.slice(100).map((person) => works(person)))
  await bank.quiet()
  const directory = await bank.everything()
  for (const person of people) expect(directory.get(person)?.groups).toEqual(lending)
  expect(await brokenLaws(bank)).toEqual([])
  expect(engine?.child.exitCode).toBeNull()
})

test('two engines side by side, one dies: the other reads its partitions and finishes its work', async () => {
  const [first] = bank.running()
  const second = await bank.start()
  const group = async (round: string) => {
    const people = Array.from({ length: 20 }, (_, at) => `${round}-${at}`)
    await bank.tell(...people.map((person) => works(person)))
    return people
  }
  const before = await group('X')
  await second.line((text) => text.includes('"msg":"reading worker events"'))
  const during = await group('Y')
  first?.kill('SIGKILL')
  const after = await group('Z')
  // What the dead one had claimed comes back when its lease and its jobs count as lost.
  await bank.until(
    'everything to be read',
    async () =>
      (await bank.rows<{ n: number }>('select sum(next_offset)::int as n from muster.stream where current'))[0]?.n ===
      bank.sent(),
  )
  await bank.shift(61_000)
  await bank.quiet()
  const directory = await bank.everything()
  for (const person of [...before, ...during, ...after]) expect(directory.get(person)?.groups).toEqual(lending)
  expect(await brokenLaws(bank)).toEqual([])
})
