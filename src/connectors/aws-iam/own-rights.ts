import { failureText } from '../aws-wire/errors.ts'
import { type Judgement, principalOf, simulatePolicy } from '../aws-wire/simulate-policy.ts'
import type { CheckReport, Uses } from '../connector.ts'
import { missedByChanges } from '../missed-by-changes.ts'
import type { Iam } from './iam.ts'
import { awsIamManifest, readPermissions } from './manifest.ts'
import type { Role } from './roles.ts'

/** So many roles are asked about: each is evaluated for each action. */
const rolesAsked = 20

/**
 * What IAM says that these credentials may do with the roles, without doing it. Only a plain no is a problem: where a
 * condition lacks what a real request would carry, nothing is known.
 */
export const ownRights = async (
  iam: Iam,
  arn: string,
  roles: readonly Pick<Role, 'arn'>[],
  uses: Uses,
  signal?: AbortSignal,
): Promise<Omit<CheckReport, 'ok'>> => {
  const source = principalOf(iam.settings, arn)
  if (source === null) return { problems: [], unknown: [`whether it may write (IAM evaluates no policy of ${arn})`] }
  const actions = actionsOf(iam)
  const asked = roles.slice(0, rolesAsked)
  const judged = await simulatePolicy(iam, { source, actions, resources: asked.map((role) => role.arn) }, signal)
  if (!judged.ok)
    return {
      problems: [],
      unknown: [
        `whether it may write (iam:SimulatePrincipalPolicy on ${source} would let doctor ask: ${failureText(judged.failure)})`,
      ],
    }
  const answered = new Set(judged.value.map(({ action }) => action))
  const unsure = [
    ...judged.value.filter(({ isSure }) => !isSure).map(({ action }) => action),
    ...actions.filter((action) => !answered.has(action)),
  ]
  const refused = judged.value.filter(({ isSure, decision }) => isSure && decision !== 'allowed')
  const told = (some: readonly Judgement[]) =>
    some.map(({ action, resource, decision }) => `${action} on ${resource} is not allowed (${decision})`)
  const missed = missedByChanges(uses, told(refused.filter(({ action }) => !toRead.has(action))))
  return {
    ...missed,
    problems: [...told(refused.filter(({ action }) => toRead.has(action))), ...missed.problems],
    facts: [`IAM was asked about ${actions.length} actions on ${asked.length} of ${roles.length} roles`],
    unknown: unsure.length === 0 ? [] : [`${[...new Set(unsure)].join(', ')} (IAM's evaluation does not decide)`],
  }
}

/** All that is needed as long as nothing is changed. */
const toRead: ReadonlySet<string> = new Set(readPermissions)

/** Listing has been tried; who one is may be asked by everybody. */
const actionsOf = ({ settings }: Iam): readonly string[] =>
  Object.entries(awsIamManifest(settings).permissions)
    .filter(([what]) => settings.sessions !== 'none' || !what.startsWith('end sessions'))
    .flatMap(([, actions]) => actions)
    .filter((action) => action.startsWith('iam:') && action !== 'iam:ListRoles')
