import { buildPolicySet } from './build-policy-set.ts'
import { checkDuties } from './check-duties.ts'
import { checkEntries } from './check-entries.ts'
import { checkImplications } from './check-implications.ts'
import { checkLookups } from './check-lookups.ts'
import { checkReferences } from './check-references.ts'
import { checkRules } from './check-rules.ts'
import { readEntries } from './entries.ts'
import type { PolicySet } from './policy-set.ts'
import type { Problem } from './problem.ts'
import type { PolicyFile } from './yaml-file.ts'

export type KnownNames = {
  /** Attributes that rules may read; `custom.*` stands for every `custom.<name>`. See domain/attributes. */
  readonly attributes: readonly string[]
  /** Targets that muster.yaml configures. */
  readonly targets: readonly string[]
  /**
   * Why a look-up can name nothing on its target, as far as its form tells. An active version goes without: what a connector comes to
   * refuse must not stop who works by it.
   */
  readonly lookupProblem?: (target: string, lookup: string) => string | null
}

export type ParsedPolicies =
  | { readonly kind: 'ok'; readonly set: PolicySet }
  /** Every mistake at once, by file and line. */
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** All files of a policy directory as one set: how they are split, ordered or commented makes no difference. */
export const parsePolicies = (files: readonly PolicyFile[], known: KnownNames): ParsedPolicies => {
  const { entries, problems: malformed, complete } = readEntries(files)
  const problems = [
    ...malformed,
    // While a file is unreadable its keys are unknown, and every mention of them would be one more false alarm.
    ...(complete ? checkReferences(entries, known.targets) : []),
    ...checkEntries(entries),
    ...(known.lookupProblem === undefined ? [] : checkLookups(entries, known.lookupProblem)),
    ...checkRules(entries.birthright.values(), known.attributes),
    ...checkImplications(entries, known.targets, complete),
    ...checkDuties(entries),
  ]
  return problems.length === 0
    ? { kind: 'ok', set: buildPolicySet(entries) }
    : { kind: 'invalid', problems: problems.sort(byPlace) }
}

const byPlace = (a: Problem, b: Problem): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line || a.column - b.column
