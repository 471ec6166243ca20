/** What IAM's SimulatePrincipalPolicy answers, as it was said beforehand: no policy is evaluated here. */
import type { IamError } from './iam.ts'

/** `missing`: context keys that a real request would carry. */
export type Said = {
  readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny'
  readonly missing?: readonly string[]
}
export type Rights = (action: string, resource: string) => Said

const mayNotAsk: IamError = {
  status: 403,
  code: 'AccessDenied',
  message: 'not authorized to perform: iam:SimulatePrincipalPolicy',
}
const noActions: IamError = { status: 400, code: 'ValidationError', message: 'ActionNames is required' }

/** One page of XML, each resource by itself. `rights` null: nobody may ask. */
export const simulated = (form: URLSearchParams, rights: Rights | null): string | IamError => {
  const [actions, resources] = [listed(form, 'ActionNames'), listed(form, 'ResourceArns')]
  if (rights === null) return mayNotAsk
  if (actions.length === 0) return noActions
  const results = actions.map((action) => {
    const each = resources.map((resource) => ({ resource, said: rights(action, resource) }))
    const all = each.find(({ said }) => said.decision !== 'allowed')?.said.decision ?? 'allowed'
    const parts = each.map(
      ({ resource, said: { decision, missing = [] } }) =>
        `<member><EvalResourceName>${resource}</EvalResourceName><EvalResourceDecision>${decision}</EvalResourceDecision><MissingContextValues>${missing.map((key) => `<member>${key}</member>`).join('')}</MissingContextValues></member>`,
    )
    return `<member><EvalActionName>${action}</EvalActionName><EvalResourceName>${resources[0] ?? '*'}</EvalResourceName><EvalDecision>${all}</EvalDecision><MatchedStatements/><MissingContextValues/><ResourceSpecificResults>${parts.join('')}</ResourceSpecificResults></member>`
  })
  return `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>${results.join('')}</EvaluationResults></SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>`
}

const listed = (form: URLSearchParams, name: string): readonly string[] =>
  [...form].flatMap(([key, value]) => (key.startsWith(`${name}.member.`) ? [value] : []))
