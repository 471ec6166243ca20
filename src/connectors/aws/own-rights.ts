import { IAMClient } from '@aws-sdk/client-iam'
import type { Caller } from '../aws-wire/caller.ts'
import { wholeConfig } from '../aws-wire/client-config.ts'
import { failureText } from '../aws-wire/errors.ts'
import { type Judgement, principalOf, simulatePolicy } from '../aws-wire/simulate-policy.ts'
import type { CheckReport, Uses } from '../connector.ts'
import { missedByChanges } from '../missed-by-changes.ts'
import type { Aws } from './aws.ts'
import type { AwsSettings } from './config.ts'
import { awsManifest } from './manifest.ts'

type Asking = {
  readonly me: Caller
  /** The AWS account that the instance is in. */
  readonly owner: string | undefined
  /** Actions that were seen to be allowed. */
  readonly tried: readonly string[]
}

/**
 * What IAM says that these credentials may do with the instance and with its identity store, without doing it: all that Muster
 * calls is done on one of the two, and some of it also on users, groups, permission sets and AWS accounts. Only a plain no
 * is a problem. What is allowed there and not on everything (`*`) may be missed on some of those: nothing is known.
 */
export const ownRights = async (
  aws: Aws,
  { me, owner = me.Account ?? '', tried }: Asking,
  uses: Uses,
): Promise<Omit<CheckReport, 'ok'>> => {
  const { settings } = aws
  const { Arn: arn = '' } = me
  const source = principalOf(settings, arn)
  const needed = neededFor(settings, uses)
  const untold = (why: string) => ({
    problems: [],
    unknown: [`whether it may write, and other reads than ${tried.join(', ')} (${why})`],
  })
  if (source === null) return untold(`IAM evaluates no policy of ${arn}`)
  const client = new IAMClient(wholeConfig(settings, aws.signedBy))
  const judged: Judgement[] = []
  try {
    for (const [service, place] of placesOf(settings, owner)) {
      const actions = needed.map(({ action }) => action).filter((action) => action.startsWith(`${service}:`))
      if (actions.length === 0) continue
      const asked = { source, actions, resources: [place, '*'] }
      const said = await simulatePolicy({ client, transport: aws.transport, bucket: aws.families.ssoAdmin }, asked)
      if (!said.ok)
        return untold(`iam:SimulatePrincipalPolicy on ${source} would let doctor ask: ${failureText(said.failure)}`)
      judged.push(...said.value)
    }
  } finally {
    client.destroy()
  }
  const there = new Map(judged.flatMap((one) => (one.resource === '*' ? [] : [[one.action, one] as const])))
  const everywhere = new Map(judged.flatMap((one) => (one.resource === '*' ? [[one.action, one] as const] : [])))
  const refused = needed.filter(({ action }) => isPlainNo(there.get(action)) && !spared.has(action))
  const missedLittle = needed.filter(({ action }) => isPlainNo(there.get(action)) && spared.has(action))
  const told = (some: readonly Needed[]) =>
    some.map(({ action }) => {
      const { resource, decision } = there.get(action) ?? { resource: '', decision: '' }
      return `${action} on ${resource} is not allowed (${decision})`
    })
  const rest = needed.map(({ action }) => action).filter((action) => !isPlainNo(there.get(action)))
  const unsure = rest.filter((action) => there.get(action)?.decision !== 'allowed')
  const partly = rest.filter(
    (action) => there.get(action)?.decision === 'allowed' && everywhere.get(action)?.decision !== 'allowed',
  )
  const missed = missedByChanges(uses, told(refused.filter(({ reads }) => !reads)))
  return {
    ...missed,
    problems: [...told(refused.filter(({ reads }) => reads)), ...missed.problems],
    facts: [
      `IAM was asked about ${needed.length} actions`,
      ...missedLittle.map(({ action }) => `without ${action} memberships are proven by pages`),
    ],
    unknown: [
      ...(unsure.length === 0 ? [] : [`${unsure.join(', ')} (IAM's evaluation does not decide)`]),
      ...(partly.length === 0
        ? []
        : [`on which users, groups, permission sets and AWS accounts: ${partly.join(', ')}`]),
    ],
  }
}

/** What they tell shows in ListGroupMembershipsForMember, too. */
const spared: ReadonlySet<string> = new Set(['identitystore:IsMemberInGroups', 'identitystore:GetGroupMembershipId'])

const isPlainNo = (said: Judgement | undefined): boolean => said?.isSure === true && said.decision !== 'allowed'

/** Service → what all of its actions here are done on (Service Authorization Reference); an identity store is its owner's. */
const placesOf = (
  { instanceArn, identityStoreId }: AwsSettings,
  owner: string,
): readonly (readonly [service: string, arn: string])[] => {
  const [, partition = ''] = instanceArn.split(':')
  return [
    ['identitystore', `arn:${partition}:identitystore::${owner}:identitystore/${identityStoreId}`],
    ['sso', instanceArn],
  ]
}

type Needed = { readonly action: string; readonly reads: boolean }

/** Of what is configured. Instances have been listed, which is done on none; who one is may be asked by everybody. */
const neededFor = (settings: AwsSettings, uses: Uses): readonly Needed[] =>
  Object.entries(awsManifest.permissions)
    .filter(([what]) => isUsed(what, settings, uses))
    .flatMap(([what, actions]) => actions.map((action) => ({ action, reads: what.startsWith('find ') })))
    .filter(({ action }) => action !== 'sso:ListInstances' && !action.startsWith('sts:'))

const isUsed = (what: string, { account, assignments, sessions }: AwsSettings, uses: Uses): boolean => {
  switch (what) {
    case 'create accounts':
      return uses.createAccounts
    case 'keep attributes right':
      return Object.keys(account.attributes).length > 0
    case 'delete accounts':
      return uses.deleteAccounts
    case 'find permission sets and assignments':
    case 'assign and unassign':
      return assignments === 'manage'
    case 'end sessions (deny-inline-policy)':
      return sessions === 'deny-inline-policy'
    default:
      return true
  }
}
