import { knownAttributes } from '../../../src/domain/attributes.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import { fold } from '../../../src/domain/fold.ts'
import type { EntitlementId, PersonKey, TargetId } from '../../../src/domain/ids.ts'
import type { WorkerEvent } from '../../../src/domain/worker-event.ts'
import { type CompiledPolicy, compilePolicy } from '../../../src/policies/compile.ts'
import { evaluate } from '../../../src/policies/evaluate.ts'
import { parsePolicies } from '../../../src/policies/parse.ts'
import type { PolicySet } from '../../../src/policies/policy-set.ts'
import type { Problem } from '../../../src/policies/problem.ts'
import type { Present } from '../../../src/policies/separation-of-duties.ts'
import { at } from '../domain/events.ts'

const known = { attributes: knownAttributes, targets: ['ldap'] }

export const problemsIn = (...texts: readonly string[]): readonly Problem[] => {
  const parsed = parsePolicies(
    texts.map((text, i) => ({ path: `${i + 1}.yaml`, text })),
    known,
  )
  return parsed.kind === 'ok' ? [] : parsed.problems
}

export const policySet = (...texts: readonly string[]): PolicySet => {
  const parsed = parsePolicies(
    texts.map((text, i) => ({ path: `${i + 1}.yaml`, text })),
    known,
  )
  if (parsed.kind === 'invalid')
    throw new Error(parsed.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'))
  return parsed.set
}

/** A catalogue of the keys given, in that order of ids from 1. */
export const catalogue = (...keys: readonly string[]): string =>
  `entitlements:\n${keys.map((key) => `  ${key}: { target: ldap, lookup: 'cn=${key}', risk: low, owner: o, description: d }\n`).join('')}`

export const idOf = (policy: CompiledPolicy, key: string): EntitlementId => {
  for (const [id, known] of policy.keyOf) if (known === key) return id
  throw new Error(`no entitlement ${key}`)
}

export const compiled = (...texts: readonly string[]): CompiledPolicy => compileSet(policySet(...texts))

export const compileSet = (set: PolicySet): CompiledPolicy =>
  compilePolicy(
    set,
    new Map(set.entitlements.map(({ key }, i) => [key, { id: (i + 1) as EntitlementId, target: 'ldap' as TargetId }])),
  )

export const person = 'P' as PersonKey

/** `ENTITLEMENT state[!]`: a `!` means that this plan will not revoke it. */
export const presentFrom = (policy: CompiledPolicy, ...words: readonly string[]): readonly Present[] =>
  words.map((word) => {
    const [key = '', state = 'held'] = word.replace('!', '').split(' ')
    return { entitlement: idOf(policy, key), state: state as Present['state'], revocable: !word.endsWith('!') }
  })

export const decide = (
  policy: CompiledPolicy,
  events: readonly WorkerEvent[],
  now: number,
  ...present: readonly string[]
): Decision =>
  evaluate({
    history: fold(events),
    personKey: person,
    policies: [{ activeFrom: null, policy }],
    now: at(now),
    present: presentFrom(policy, ...present),
  })

/** A decision in words: entitlement keys instead of ids. */
export const told = (policy: CompiledPolicy, { wanted, verdicts, violations, nextChangeAt }: Decision) => {
  const key = (id: EntitlementId) => policy.keyOf.get(id) ?? String(id)
  return {
    wanted: wanted.map(({ entitlement }) => key(entitlement)),
    verdicts: Object.fromEntries(
      [...verdicts].map(([id, verdict]) => [
        key(id),
        verdict.kind === 'go'
          ? ['go', ...(verdict.exceptions ?? [])].join(' ')
          : verdict.kind === 'wait'
            ? `wait ${verdict.policies.join(' ')} after ${verdict.after.map(key).join(' ')}`
            : `held ${verdict.policies.join(' ')} against ${verdict.conflictsWith.map(key).join(' ')}`,
      ]),
    ),
    violations: violations.map(
      ({ policy: broken, sides, exception }) =>
        `${broken}: ${sides.map(({ side, entitlements }) => `${side}=${entitlements.map(key).join('+')}`).join(' ')}${exception === null ? '' : ` accepted by ${exception}`}`,
    ),
    nextChangeAt,
  }
}
