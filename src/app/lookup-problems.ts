import type { TargetConfig } from '../config/muster-file.ts'
import { lookupProblem as ofAd } from '../connectors/ad/lookup.ts'
import { lookupProblem as ofAws } from '../connectors/aws/entitlement.ts'
import { lookupProblem as ofAwsIam } from '../connectors/aws-iam/lookup.ts'
import { lookupProblem as ofEntra } from '../connectors/entra/lookup.ts'
import { lookupProblem as ofLdap } from '../connectors/ldap/lookup.ts'

/** A line for each connector, which knows how its target names things. */
const byType: Readonly<Record<TargetConfig['type'], (lookup: string) => string | null>> = {
  ldap: ofLdap,
  ad: ofAd,
  entra: ofEntra,
  aws: ofAws,
  'aws-iam': ofAwsIam,
}

/** Why a look-up can name nothing on its target; null where it may, and where the target or its type is a mistake itself. */
export const lookupProblemOn = (targets: readonly { readonly id: string; readonly type: string }[]) => {
  const types = new Map(targets.map(({ id, type }) => [id, type]))
  return (target: string, lookup: string): string | null => {
    const [, problemOf] = Object.entries(byType).find(([type]) => type === types.get(target)) ?? []
    return problemOf?.(lookup) ?? null
  }
}
