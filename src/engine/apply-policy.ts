import { createHash } from 'node:crypto'
import { auditEntry } from '../audit/entry.ts'
import type { Actor } from '../domain/actor.ts'
import { knownAttributes } from '../domain/attributes.ts'
import type { PolicyVersion, TargetId } from '../domain/ids.ts'
import { errorFields } from '../log.ts'
import { canonicalPolicy } from '../policies/canonical.ts'
import { withImplied } from '../policies/implied-pairs.ts'
import { type KnownNames, parsePolicies } from '../policies/parse.ts'
import type { PolicySet } from '../policies/policy-set.ts'
import type { Problem } from '../policies/problem.ts'
import type { PolicyFile } from '../policies/yaml-file.ts'
import { appendAudit } from '../store/audit-log.ts'
import { saveCatalogue } from '../store/catalogue.ts'
import type { Database } from '../store/database.ts'
import { type Duties, releaseContested, saveDuties } from '../store/entitlement-questions.ts'
import { guardByRisk } from '../store/guard.ts'
import { activeHash, insertVersion, lockPolicies } from '../store/policy-versions.ts'
import { makeAllDue } from '../store/work-queue-all.ts'
import type { Engine } from './engine.ts'
import { resolveEntitlements } from './resolve-entitlements.ts'

export type AppliedPolicy =
  | { readonly kind: 'applied'; readonly version: PolicyVersion; readonly hash: string; readonly identities: number }
  /** The active version means the same already. */
  | { readonly kind: 'unchanged'; readonly version: PolicyVersion; readonly hash: string }
  /** Another version is active and `onlyWhenNone` was asked for. */
  | { readonly kind: 'other-active'; readonly version: PolicyVersion; readonly hash: string }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

export type ApplyContext = {
  readonly db: Database
  readonly targets: readonly { readonly id: TargetId | string }[]
  readonly nudge: Engine['nudge']
  /** Asked of a version that a human applies; a start takes what is there. */
  readonly lookupProblem?: KnownNames['lookupProblem']
  /** Who has none leaves it to the sweep to ask targets what the entitlements are; grants wait for it. */
  readonly connectors?: Engine['connectors']
  readonly log?: Engine['log']
}

/** SHA-256 of what the policy means, hex. */
export const policyHash = (set: PolicySet): string =>
  createHash('sha256').update(canonicalPolicy(set), 'utf8').digest('hex')

/**
 * Makes the files the active policy version, in one transaction with the catalogue, the audit entry and the wish to
 * evaluate everybody again. No grant of an identity goes out before it was evaluated under the new version (the claim
 * compares them). `onlyWhenNone`: the first start of an empty database.
 */
export const applyPolicy = async (
  { db, targets, nudge, lookupProblem, connectors, log }: ApplyContext,
  files: readonly PolicyFile[],
  actor: Actor,
  { onlyWhenNone = false }: { readonly onlyWhenNone?: boolean } = {},
): Promise<AppliedPolicy> => {
  const parsed = parsePolicies(files, {
    attributes: knownAttributes,
    targets: targets.map(({ id }) => id),
    ...(lookupProblem === undefined ? {} : { lookupProblem }),
  })
  if (parsed.kind === 'invalid') return parsed
  const hash = policyHash(parsed.set)
  const result = await db.transaction(async (tx): Promise<AppliedPolicy> => {
    await lockPolicies(tx)
    const before = await activeHash(tx)
    if (before !== null && before.hash === hash)
      return { kind: 'unchanged', version: before.version as PolicyVersion, hash }
    if (before !== null && onlyWhenNone)
      return { kind: 'other-active', version: before.version as PolicyVersion, hash: before.hash }
    await releaseContested(tx, parsed.set.entitlements)
    const entitlementIds = await saveCatalogue(tx, parsed.set.entitlements)
    await guardByRisk(tx)
    await saveDuties(tx, dutiesOf(parsed.set, entitlementIds))
    const { version, at } = await insertVersion(tx, {
      hash,
      files: files.map(({ path, text }) => ({ path, text })),
      entitlementIds,
      appliedBy: actor.name,
    })
    await appendAudit(tx, at, [
      auditEntry(
        'policy-applied',
        at,
        {},
        { actor, policy: { version, hash, files: files.length }, before: before ?? null },
      ),
    ])
    const identities = await makeAllDue(tx, 'policy')
    return { kind: 'applied', version: version as PolicyVersion, hash, identities }
  })
  if (result.kind !== 'applied') return result
  for (const lane of ['leaver', 'bulk'] as const) nudge('evaluate', lane)
  if (connectors !== undefined && log !== undefined)
    // The policy stands, whatever becomes of this: the sweep asks again, and the grants concerned wait.
    await resolveEntitlements({ db, connectors, log, nudge }).catch((error: unknown) =>
      log.warn(errorFields(error), 'the entitlements of the new policy are resolved later'),
    )
  return result
}

/** By row: the SoD policies that name the entitlement, and those that name what it follows from by however many steps. */
const dutiesOf = (set: PolicySet, ids: ReadonlyMap<string, number>): ReadonlyMap<number, Duties> => {
  const own = new Map<string, Set<string>>()
  for (const { key, sides } of set.sod)
    for (const name of sides.flatMap(({ entitlements }) => entitlements))
      own.set(name, (own.get(name) ?? new Set()).add(key))
  const next = new Map<string, string[]>()
  for (const { holds, gives } of set.implications.flatMap(({ pairs }) => pairs))
    next.set(holds, [...(next.get(holds) ?? []), gives])
  const implied = new Map<string, Set<string>>()
  for (const [name, duties] of own)
    for (const follows of withImplied(next, [name]))
      if (follows !== name) implied.set(follows, new Set([...(implied.get(follows) ?? []), ...duties]))
  return new Map(
    [...new Set([...own.keys(), ...implied.keys()])].flatMap((name) => {
      const id = ids.get(name)
      return id === undefined
        ? []
        : [[id, { own: [...(own.get(name) ?? [])], implied: [...(implied.get(name) ?? [])] }]]
    }),
  )
}
