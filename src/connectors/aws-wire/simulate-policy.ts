import { type EvaluationResult, type IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam'
import type { Bucket } from '../budget.ts'
import { ok, type Result } from './errors.ts'
import { readAllPages } from './pages.ts'
import type { WireSettings } from './settings.ts'
import type { Transport } from './transport.ts'

/** What IAM says of one action on one resource. */
export type Judgement = {
  readonly action: string
  readonly resource: string
  readonly decision: string
  /** false: a condition lacks what a real request would carry, so that nothing is known. */
  readonly isSure: boolean
}

/** What IAM says that a principal may do with each of the resources, without doing it. */
export const simulatePolicy = async (
  { client, transport, bucket }: { readonly client: IAMClient; readonly transport: Transport; readonly bucket: Bucket },
  asked: { readonly source: string; readonly actions: readonly string[]; readonly resources: readonly string[] },
  signal?: AbortSignal,
): Promise<Result<readonly Judgement[]>> => {
  const read = await readAllPages(async (token) => {
    const page = await transport.read(
      bucket,
      (options) =>
        client.send(
          new SimulatePrincipalPolicyCommand({
            PolicySourceArn: asked.source,
            ActionNames: [...asked.actions],
            ResourceArns: [...asked.resources],
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
  return read.ok ? ok(read.value.flatMap(judgements)) : read
}

/** The user or role whose policies count; the ARN of a session does not show its role's path. */
export const principalOf = ({ credentials }: Pick<WireSettings, 'credentials'>, arn: string): string | null => {
  if (credentials.from === 'webIdentity') return credentials.roleArn
  const session = /^(arn:[\w-]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn)
  if (session !== null) return `${session[1]}:iam::${session[2]}:role/${session[3]}`
  return /^arn:[\w-]+:iam::\d{12}:user\//.test(arn) ? arn : null
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
