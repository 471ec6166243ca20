import { createHash } from 'node:crypto'
import { canonicalText } from '../audit/canonical.ts'
import type { Config } from '../config.ts'
import { settingsOf, typeOf } from '../connectors/registry.ts'
import type { TargetRules } from '../domain/target.ts'

type Target = Config['targets'][number]

/**
 * SHA-256, hex, of all that muster.yaml says of a target and plans depend on: its rules, and what an account is called and has.
 * Not of addresses, credentials, limits and times: these may change, and everybody's plan stays as it is.
 */
export const planningHash = (target: Target, rules: Omit<TargetRules, 'mode'>): string => {
  const { accounts, entitlements } = rules.protect
  const protect = { accounts: [...accounts].sort(), entitlements: [...entitlements].sort() }
  const mapping = typeOf(target).mapping(settingsOf(target))
  const text = canonicalText({ type: target.type, rules: { ...rules, protect }, mapping })
  if (text === undefined) throw new Error(`target ${target.id} has no canonical form`)
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
