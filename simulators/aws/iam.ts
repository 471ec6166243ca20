/** IAM's query protocol: the sizes of policies that AWS enforces and moto does not. */

export type IamError = { readonly status: number; readonly code: string; readonly message: string }
/** Asks what stands behind, without any rule; the XML of its answer. */
export type AskIam = (form: Readonly<Record<string, string>>) => Promise<string>

export const iamVersion = '2010-05-08'
/** «Role trust policy length»: 2,048 characters, which Service Quotas raises to 4,096 at most. */
export const trustPolicyLength = 2_048
/** All inline policies of a role together; nothing raises it. */
const inlinePoliciesLength = 10_240

/** IAM and AWS STS quotas, user guide: «IAM doesn't count white space when calculating the size of a policy». */
const lengthOf = (document: string): number => document.replace(/\s/g, '').length

const tooLong = (message: string): IamError => ({ status: 409, code: 'LimitExceeded', message })

/** Why AWS would not do it, where moto would; null: moto's answer is right. */
export const refusedByIam = async (
  form: URLSearchParams,
  ask: AskIam,
  trustQuota: number = trustPolicyLength,
): Promise<IamError | null> => {
  const said = (name: string): string => form.get(name) ?? ''
  switch (said('Action')) {
    case 'CreateRole':
    case 'UpdateAssumeRolePolicy': {
      const length = lengthOf(said('AssumeRolePolicyDocument') || said('PolicyDocument'))
      return length > trustQuota ? tooLong(`Cannot exceed quota for ACLSizePerRole: ${trustQuota}`) : null
    }
    case 'PutRolePolicy': {
      const RoleName = said('RoleName')
      let length = lengthOf(said('PolicyDocument'))
      const list = await ask({ Action: 'ListRolePolicies', Version: iamVersion, RoleName })
      for (const PolicyName of between(list, 'member')) {
        if (PolicyName === said('PolicyName')) continue
        const shown = await ask({ Action: 'GetRolePolicy', Version: iamVersion, RoleName, PolicyName })
        length += lengthOf(decodeURIComponent(between(shown, 'PolicyDocument')[0] ?? ''))
      }
      return length > inlinePoliciesLength
        ? tooLong(`Maximum policy size of ${inlinePoliciesLength} bytes exceeded for role ${RoleName}`)
        : null
    }
    default:
      return null
  }
}

export const iamErrorXml = ({ code, message }: Pick<IamError, 'code' | 'message'>): string =>
  `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`

/** Texts of the elements of this name; IAM writes documents percent-encoded, so that nothing is escaped in them. */
const between = (xml: string, name: string): readonly string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => text)
