import { createHash } from 'node:crypto'
import { canonicalText } from '../audit/canonical.ts'
import type { Config } from '../config.ts'
import { assertNever } from '../domain/never.ts'
import type { TargetRules } from '../domain/target.ts'

type Target = Config['targets'][number]

/**
 * SHA-256, hex, of all that muster.yaml says of a target and plans depend on: its rules, and what an account is called and has.
 * Not of addresses, credentials, limits and times: these may change, and everybody's plan stays as it is.
 */
export const planningHash = (target: Target, rules: Omit<TargetRules, 'mode'>): string => {
  const { accounts, entitlements } = rules.protect
  const protect = { accounts: [...accounts].sort(), entitlements: [...entitlements].sort() }
  const text = canonicalText({ type: target.type, rules: { ...rules, protect }, mapping: mappingOf(target) })
  if (text === undefined) throw new Error(`target ${target.id} has no canonical form`)
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** What the connector's `attributesHash` and `creationHash` read; plain text, no secrets. */
const mappingOf = (target: Target): object => {
  switch (target.type) {
    case 'ldap':
      return { ...target.ldap.account, alternatives: target.ldap.alternatives }
    case 'ad':
      return { ...target.ad.account, alternatives: target.ad.alternatives }
    case 'entra':
      return { ...target.entra.account, alternatives: target.entra.alternatives }
    case 'aws':
      return { ...target.aws.account, correlation: target.aws.correlation }
    case 'aws-iam':
      return target.iam.session
    default:
      return assertNever(target)
  }
}
