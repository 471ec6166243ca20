import { type EvaluationResult, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam'
import { failureText, ok } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
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
  const source = principalOf(iam, arn)
  if (source === null) return { problems: [], unknown: [`whether it may write (IAM evaluates no policy of ${arn})`] }
  const ActionNames = actionsOf(iam)
  const asked = roles.slice(0, rolesAsked)
  const read = await readAllPages(async (token) => {
    const page = await iam.transport.read(
      iam.bucket,
      (options) =>
        iam.client.send(
          new SimulatePrincipalPolicyCommand({
            PolicySourceArn: source,
            ActionNames: [...ActionNames],
            ResourceArns: asked.map((role) => role.arn),
            Marker: token,
          }),
          options,
        ),
      signal,
    )
    if (!page.ok) return page
    const { EvaluationResults, IsTruncated, Marker } = page.value
    return ok({ items: EvaluationResults ?? [], next: IsTruncated ? (Marker ?? '') : undefined })
  })
  if (!read.ok)
    return {
      problems: [],
      unknown: [
        `whether it may write (iam:SimulatePrincipalPolicy on ${source} would let doctor ask: ${failureText(read.failure)})`,
      ],
    }
  const judged = read.value.flatMap(judgements)
  const answered = new Set(judged.map(({ action }) => action))
  const unsure = [
    ...judged.filter(({ isSure }) => !isSure).map(({ action }) => action),
    ...ActionNames.filter((action) => !answered.has(action)),
  ]
  const refused = judged.filter(({ isSure, decision }) => isSure && decision !== 'allowed')
  const told = (some: readonly Judgement[]) =>
    some.map(({ action, resource, decision }) => `${action} on ${resource} is not allowed (${decision})`)
  const missed = missedByChanges(uses, told(refused.filter(({ action }) => !toRead.has(action))))
  return {
    ...missed,
    problems: [...told(refused.filter(({ action }) => toRead.has(action))), ...missed.problems],
    facts: [`IAM was asked about ${ActionNames.length} actions on ${asked.length} of ${roles.length} roles`],
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

/** The user or role whose policies count; the ARN of a session does not show its role's path. */
const principalOf = ({ settings: { credentials } }: Iam, arn: string): string | null => {
  if (credentials.from === 'webIdentity') return credentials.roleArn
  const session = /^(arn:[\w-]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn)
  if (session !== null) return `${session[1]}:iam::${session[2]}:role/${session[3]}`
  return /^arn:[\w-]+:iam::\d{12}:user\//.test(arn) ? arn : null
}

type Judgement = {
  readonly action: string
  readonly resource: string
  readonly decision: string
  readonly isSure: boolean
}

const judgements = ({
  EvalActionName: action = '',
  EvalResourceName,
  EvalDecision,
  MissingContextValues,
  ResourceSpecificResults: each = [],
}: EvaluationResult): readonly Judgement[] => {
  const judged = (resource = '*', decision = '', missing: readonly string[] = []): Judgement => ({
    action,
    resource,
    decision,
    isSure: decision === 'allowed' || missing.length === 0,
  })
  return each.length === 0
    ? [judged(EvalResourceName, EvalDecision, MissingContextValues)]
    : each.map((one) => judged(one.EvalResourceName, one.EvalResourceDecision, one.MissingContextValues))
}
