import { askCaller } from '../aws-wire/caller.ts'
import { checkClock } from '../aws-wire/check-clock.ts'
import { credentialKind } from '../aws-wire/credential-kind.ts'
import { credentialProblems } from '../aws-wire/credential-problems.ts'
import { failureText } from '../aws-wire/errors.ts'
import { allUses, type CheckReport, type Uses } from '../connector.ts'
import { sizeOf } from './document.ts'
import type { Iam } from './iam.ts'
import { ownRights } from './own-rights.ts'
import { listRoles } from './roles.ts'
import { readTrust } from './trust.ts'

/** Reads what can be known without a change; IAM itself is asked what the role may write. */
export const check = async (iam: Iam, signal?: AbortSignal, uses: Uses = allUses): Promise<CheckReport> => {
  const { settings, transport, bucket, sts, tools } = iam
  const problems: string[] = []
  const facts: string[] = []
  const beforeEnforce: string[] = []
  const me = await transport.read(bucket, askCaller(sts), signal)
  if (!me.ok)
    return {
      ok: false,
      problems: [
        `AWS does not say who this is (sts:GetCallerIdentity): ${failureText(me.failure)}`,
        ...(await credentialProblems(settings)),
      ],
    }
  const arn = me.value.Arn ?? 'nobody that AWS names'
  const clock = checkClock(me.value.date, tools.now())
  const kind = await credentialKind(settings, sts)
  facts.push(`signs as ${arn}`, ...(kind.facts ?? []), ...(clock.facts ?? []))
  problems.push(...clock.problems)
  const unknown = [...(kind.unknown ?? []), ...(clock.unknown ?? [])]
  if (me.value.Account !== settings.accountId)
    problems.push(`these credentials are of the account ${me.value.Account ?? 'unknown'}, not ${settings.accountId}`)
  const roles = await listRoles(iam, signal)
  if (!roles.ok)
    return { ok: false, problems: [...problems, `iam:ListRoles: ${failureText(roles.failure)}`], facts, unknown }
  facts.push(`${roles.value.length} roles match the configuration`)
  if (roles.value.length === 0) problems.push('no role matches the configured names and paths')
  for (const role of roles.value) {
    const trust = readTrust(settings, role.trust)
    if (trust === null) problems.push(`${role.name}: its trust policy cannot be read`)
    else if (!trust.isAsWritten) {
      const shown = [...new Set(trust.strangers.map(withoutNames))].join(', ')
      problems.push(`${role.name}: statements of ours (${settings.sidPrefix}…) are not as we write them: ${shown}`)
    }
    if (sizeOf(role.trust) > settings.trustPolicyLimit * 0.9)
      facts.push(`${role.name}: ${sizeOf(role.trust)} of ${settings.trustPolicyLimit} characters of its trust policy`)
  }
  if (roles.value.length > 0) {
    const rights = await ownRights(iam, arn, roles.value, uses, signal)
    problems.push(...rights.problems)
    facts.push(...(rights.facts ?? []))
    beforeEnforce.push(...(rights.beforeEnforce ?? []))
    unknown.unshift(...(rights.unknown ?? []))
  }
  return { ok: problems.length === 0, problems, facts, unknown, beforeEnforce }
}

/** Ids of deleted principals (`AROA…`, `AIDA…`) and Sids may be shown; an ARN may hold a person's name. */
const withoutNames = (stranger: string): string =>
  /^(statement:|principal:A[A-Z]{3}[A-Z0-9]+$)/.test(stranger) ? stranger : 'another principal'
