/** The IAM roles of the bank's own AWS account: made ready and looked at through AWS's own client. */
import { CreateRoleCommand, GetRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import type { Aws } from '../../stack/part.ts'
import type { Witness } from './witness.ts'

const account = '123456789012'
const provider = `arn:aws:iam::${account}:saml-provider/Entra`

/** The administrator's own way in, which Muster leaves as it is. */
const breakGlass = {
  Sid: 'BreakGlass',
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${account}:root` },
  Action: 'sts:AssumeRole',
}

type Several = string | readonly string[]
type Statement = {
  readonly Effect: string
  readonly Action: Several
  readonly Principal?: { readonly Federated?: Several }
  readonly Condition?: { readonly StringEquals?: Readonly<Record<string, Several>> }
}

const several = (value: Several | undefined): readonly string[] => (value === undefined ? [] : [value].flat())

/** `roles`: names by the key of the entitlement that lets somebody assume them. */
export const openIamRoles = async (aws: Aws, roles: Readonly<Record<string, string>>): Promise<Witness> => {
  const client = new IAMClient({
    endpoint: aws.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: aws.secretAccessKey },
  })
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [breakGlass] })
  for (const RoleName of Object.values(roles))
    await client.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
  const trustOf = async (RoleName: string): Promise<readonly Statement[]> => {
    const { Role } = await client.send(new GetRoleCommand({ RoleName }))
    return JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).Statement
  }
  /** As IAM judges an assertion of our provider that names the session after this person. */
  const letsIn = (person: string, { Effect, Action, Principal, Condition }: Statement): boolean =>
    Effect === 'Allow' &&
    several(Action).includes('sts:AssumeRoleWithSAML') &&
    several(Principal?.Federated).includes(provider) &&
    several(Condition?.StringEquals?.['sts:RoleSessionName']).includes(person)
  return {
    target: 'bank-iam',
    label: 'AWS IAM',
    by: "AWS's own client",
    holds: async (person) => {
      const held: string[] = []
      for (const [key, role] of Object.entries(roles))
        if ((await trustOf(role)).some((statement) => letsIn(person, statement))) held.push(key)
      return held.sort()
    },
    account: async () => 'always-open',
  }
}
