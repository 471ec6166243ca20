import { addPeople } from '../house/people.ts'
import type { Bench, Line, RowName } from '../row.ts'
import { assignmentsLine } from './assignments.ts'
import { auditLine } from './audit.ts'
import { awsLines } from './aws.ts'
import { everywhereLines } from './everywhere.ts'
import { exodusLines } from './exodus.ts'
import { graphLines } from './graph.ts'
import { ingestLines } from './ingest.ts'
import { floorLine, joinerRounds, naiveLines } from './joiners.ts'
import { ldapLines } from './ldap.ts'
import { leaverLines } from './leaver.ts'
import { loadLines } from './load.ts'
import { memoryLine } from './memory.ts'
import { reconcileLines } from './reconcile.ts'
import { writesLines } from './writes.ts'

export type Measured = { readonly lines: readonly Line[]; readonly failed: boolean }

/** Rows one after the other: they share processors, so never side by side. A row that fails does not end the others. */
export const measureRows = async (bench: Bench, rows: readonly RowName[]): Promise<Measured> => {
  const lines: Line[] = []
  let failed = false
  const measure = async (name: string, work: () => Promise<readonly Line[]>) => {
    const begun = performance.now()
    bench.say(name)
    try {
      lines.push(...(await work()))
    } catch (error) {
      failed = true
      bench.say(`  ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
    bench.say(`  ${((performance.now() - begun) / 1_000).toFixed(1)} s`)
  }
  const does = (row: RowName) => rows.includes(row)

  if (does('joiners') || does('naive'))
    await measure('joiners', async () => {
      const rounds = await joinerRounds(bench, {
        floor: does('joiners'),
        naive: does('naive'),
        pairs: bench.scale.pairs,
      })
      return [...(does('joiners') ? [floorLine(rounds)] : []), ...(does('naive') ? naiveLines(rounds) : [])]
    })
  if (does('writes')) await measure('writes', () => writesLines(bench))
  if (does('leaver')) await measure('leaver', () => leaverLines(bench))
  if (does('load')) await measure('load', () => loadLines(bench))
  if (does('exodus')) await measure('exodus', () => exodusLines(bench))
  if (does('ingest')) await measure('ingest', () => ingestLines(bench))
  if (does('audit')) await measure('audit', async () => [await auditLine(bench)])
  if (does('reconcile')) await measure('reconcile', () => reconcileLines(bench))
  if (does('ldap')) await measure('ldap', () => ldapLines(bench))
  if (does('graph')) await measure('graph', () => graphLines(bench))
  if (does('aws')) await measure('aws', () => awsLines(bench))
  if (does('assignments')) await measure('assignments', async () => [await assignmentsLine(bench)])
  if (does('everywhere')) await measure('everywhere', () => everywhereLines(bench))
  if (does('memory')) await measure('memory', async () => [await memoryLine(bench)])
  if (does('memberof'))
    await measure('memberof', async () => {
      const stack = await bench.stack.withDirectory('memberof', { memberof: true })
      try {
        const accounts = await addPeople(stack.ldap, bench.scale.joiners + bench.scale.warm)
        const rounds = await joinerRounds(
          { ...bench, stack, standing: async () => accounts },
          { floor: true, naive: false, pairs: 1 },
        )
        return [floorLine(rounds, ', slapd with the memberof overlay')]
      } finally {
        await stack.stop()
      }
    })
  return { lines, failed }
}
