/** Row writes and statements that one grant costs: counted, on a run that is not timed. */
import { joinerWave, warmMuster } from '../house/joined.ts'
import { groupsEach, persons } from '../house/people.ts'
import {
  endedBackendsTellAfterMs,
  idleBackendsTellAfterMs,
  type Writes,
  writesBetween,
  writesSoFar,
} from '../house/writes.ts'
import type { Probed } from '../measure/probe.ts'
import type { Bench, Line } from '../row.ts'

const ofTransactions = ['begin', 'commit', 'rollback']

export const writesLines = async (bench: Bench): Promise<readonly Line[]> => {
  const { joiners, countedAfter: warm } = bench.scale
  const standing = await bench.standing(joiners + warm)
  const joined = await warmMuster(bench.stack, standing, joiners, warm, { probe: true })
  try {
    const before =
      warm === 0 ? new Map<string, Writes>() : await writesSoFar(joined.ground.admin, idleBackendsTellAfterMs)
    await joined.serve.probe()
    await joinerWave(joined, persons(0, joiners))
    const probed = (await joined.serve.probe()) as Probed
    await joined.serve.stop()
    const writes = writesBetween(before, await writesSoFar(joined.ground.admin, endedBackendsTellAfterMs))
    return linesOf(joiners, warm > 0, writes, probed)
  } finally {
    await joined.leave()
  }
}

const linesOf = (
  joiners: number,
  isWarm: boolean,
  writes: ReadonlyMap<string, Writes>,
  { statements }: Probed,
): readonly Line[] => {
  const grants = joiners * groupsEach
  const once = (value: number) => ({ median: value, min: value, max: value, n: 1 })
  const rows = [...writes].map(([name, { inserted, updated, deleted }]) => ({
    name,
    n: inserted + updated + deleted,
    inserted,
    updated,
  }))
  const counted = Object.entries(statements).map(([name, { n, ms }]) => ({
    name,
    n,
    ms,
    control: ofTransactions.includes(name),
  }))
  const all = counted.reduce((sum, { n }) => sum + n, 0)
  const control = counted.reduce((sum, one) => sum + (one.control ? one.n : 0), 0)
  const transactions = counted.find(({ name }) => name === 'begin')?.n ?? 0
  const what = `of the ${joiners.toLocaleString('en')} joiners × ${groupsEach}, ${isWarm ? 'engine warm' : "from the engine's start"}`
  return [
    {
      what: `row writes that one grant costs, ${what}`,
      against: 'inserts, updates and deletes counted by PostgreSQL, the audit log among them',
      value: once(rows.reduce((sum, { n }) => sum + n, 0) / grants),
      unit: 'writes',
      goal: { reach: 9, aim: 6, better: 'less' },
      details: [
        rows
          .filter(({ n }) => n > 0)
          .sort((a, b) => b.n - a.n)
          .map(
            ({ name, inserted, updated }) =>
              `${name} ${(inserted / grants).toFixed(2)} + ${(updated / grants).toFixed(2)}`,
          )
          .join(', ')
          .concat(' (inserts + updates a grant)'),
      ],
      samples: Object.fromEntries(writes),
    },
    {
      what: `statements that one grant costs, ${what}`,
      against: 'sent by all threads of the engine, begin and commit among them, polls and ingest too',
      value: once(all / grants),
      unit: 'statements',
      goal: { reach: 0.2, aim: 0.1, better: 'less' },
      details: [
        `${all} statements, ${control} of them begin, commit and rollback, in ${transactions} transactions and single statements; without those ${((all - control) / grants).toFixed(3)} a grant`,
        `most often: ${[...counted]
          .sort((a, b) => b.n - a.n)
          .slice(0, 8)
          .map(({ name, n }) => `${name} ${n}`)
          .join(', ')}`,
        `longest waited for: ${[...counted]
          .sort((a, b) => b.ms - a.ms)
          .slice(0, 8)
          .map(({ name, ms }) => `${name} ${ms.toFixed(0)} ms`)
          .join(', ')}`,
      ],
      samples: statements,
    },
  ]
}
