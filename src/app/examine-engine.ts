import { lanes } from '../domain/action.ts'
import { type Seen, seenAtWork } from '../store/at-work.ts'
import { openDatabase } from '../store/database.ts'
import type { Answer } from './answer.ts'
import { partsOf, roles } from './roles.ts'

/** They say so every ten seconds: one that has been silent for so long, ms, is gone. */
const silentMs = 60_000

/** Whether somebody does each part of the engine's work. Before the first start nobody does, and that is no trouble. */
export const examinedEngine = (seen: readonly Seen[]): Answer => {
  if (seen.length === 0) return { problems: [], remarks: ['none has run yet: `muster serve` starts one'] }
  const last = Math.max(...seen.map(({ at }) => at))
  const alive = new Set(seen.filter(({ ago }) => ago < silentMs).map(({ part }) => part))
  if (alive.size === 0) return { problems: [`none has been seen since ${moment(last)}: is \`muster serve\` running?`] }
  const missing = partsOf(roles, lanes).filter((part) => !alive.has(part))
  const since = (part: string) => {
    const at = seen.find((one) => one.part === part)?.at
    return at === undefined ? 'never' : `not since ${moment(at)}`
  }
  return {
    problems: missing.map(
      (part) => `nobody does \`${part}\` (${since(part)}): --roles and --lanes of \`muster serve\``,
    ),
    remarks: ['every role is at work'],
  }
}

const moment = (at: number): string => new Date(at).toISOString()

export const examineEngine = async (databaseUrl: string): Promise<Answer> => {
  const db = openDatabase({ url: databaseUrl, max: 1, applicationName: 'muster-doctor' })
  try {
    return examinedEngine(await seenAtWork(db))
  } finally {
    await db.close()
  }
}
