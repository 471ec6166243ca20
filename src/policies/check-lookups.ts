import type { Entries } from './entries.ts'
import type { Problem } from './problem.ts'

/** What no target could ever find: a grant of it would wait for nothing. */
export const checkLookups = (
  entries: Entries,
  problemOf: (target: string, lookup: string) => string | null,
): readonly Problem[] =>
  [...entries.entitlements.values()].flatMap(({ value, problem }) => {
    if (value === null) return []
    const wrong = problemOf(value.target, value.lookup)
    return wrong === null ? [] : [problem(['lookup'], `lookup ${JSON.stringify(value.lookup)} ${wrong}`)]
  })
