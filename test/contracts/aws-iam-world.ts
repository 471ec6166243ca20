/** A moto of its own behind a proxy for faults, IAM's sizes and its service model (closing fails where that was not met), and a witness with a client of its own that asks moto itself. */
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import type { Stack } from '../../scripts/stack/stack.ts'
import { type AwsIamSettings, awsIamSettingsSchema } from '../../src/connectors/aws-iam/config.ts'
import { createAwsIamConnector } from '../../src/connectors/aws-iam/connector.ts'
import type { Connector, ConnectorTools } from '../../src/connectors/connector.ts'
import { createLocalBudget, createLocalStore, type LocalStore } from '../../src/connectors/local-budget.ts'
import type { Lane } from '../../src/domain/action.ts'
import type { NativeId, TargetId } from '../../src/domain/ids.ts'
import { privateStack } from '../support/stack.ts'
import { type FaultProxy, startProxy } from './aws-iam-proxy.ts'
import type { Group, Person, World } from './world.ts'

export const target = 'aws-prod' as TargetId
export const accountId = '123456789012'
export const samlProvider = `arn:aws:iam::${accountId}:saml-provider/Entra`
const samlAudience = 'https://signin.aws.amazon.com/saml'

/** Somebody else's statement in every role here. */
export const foreign = `{ "Sid":"BreakGlass", "Effect":"Allow","Principal":{"AWS":"arn:aws:iam::${accountId}:root"},\n "Action" : "sts:AssumeRole" }`

export type AwsIamWorld = World & {
  readonly proxy: FaultProxy
  readonly configure: (changes: Readonly<Record<string, unknown>>) => AwsIamSettings
  /** A role with this trust policy, as it stands there. */
  readonly addRole: (name: string, trust: string, path?: string) => Promise<Group>
  readonly trustOf: (group: Group) => Promise<string>
  readonly setTrust: (group: Group, trust: string) => Promise<void>
  /** An inline policy, '' when there is none. */
  readonly inlinePolicy: (group: Group, name: string) => Promise<string>
  readonly setInlinePolicy: (group: Group, name: string, policy: string) => Promise<void>
  readonly callsOf: (work: () => Promise<unknown>) => Promise<readonly string[]>
}

/** Our statement as ADR 0018 writes it down, by somebody who is not the connector. */
export const statementOf = (people: readonly string[], principals: readonly string[] = []): string =>
  JSON.stringify({
    Sid: 'MusterPeople',
    Effect: 'Allow',
    Principal: { Federated: samlProvider, ...(principals.length === 0 ? {} : { AWS: principals }) },
    Action: 'sts:AssumeRoleWithSAML',
    Condition: { StringEquals: { 'SAML:aud': samlAudience, 'sts:RoleSessionName': [...people].sort() } },
  })
export const policyOf = (...statements: readonly string[]): string =>
  `{"Version":"2012-10-17","Statement":[${statements.join(',')}]}`

/** Session names that may come in by our provider, read by the rules of IAM and not by ours. */
const letIn = (trust: string): readonly string[] => {
  const { Statement } = JSON.parse(trust)
  return [Statement].flat().flatMap((one) => {
    const isFederated =
      one.Effect === 'Allow' &&
      [one.Action].flat().includes('sts:AssumeRoleWithSAML') &&
      [one.Principal?.Federated].flat().includes(samlProvider)
    const tests = one.Condition?.StringEquals ?? {}
    return isFederated && [tests['SAML:aud']].flat().includes(samlAudience)
      ? [tests['sts:RoleSessionName'] ?? []].flat()
      : []
  })
}

/** On a moto that somebody else stops, or one of its own. */
export const openAwsIamWorld = async (shared?: Stack): Promise<AwsIamWorld> => {
  const stack = shared ?? (await privateStack(['moto']))
  const proxy = await startProxy(stack.awsUrl)
  const witness = new IAMClient({
    region: 'us-east-1',
    endpoint: stack.awsUrl,
    credentials: { accessKeyId: 'AKIAWITNESS', secretAccessKey: 'witness' },
  })
  const configure = (changes: Readonly<Record<string, unknown>>): AwsIamSettings =>
    awsIamSettingsSchema.parse({
      accountId,
      endpoint: proxy.url,
      credentials: { from: 'keys', accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
      federation: { kind: 'saml', providerArn: samlProvider },
      roles: [{ name: 'm-*' }],
      trustPolicyLimit: 4_096,
      // moto shows at once what it was told.
      settle: { ms: 300, confirmations: 2 },
      callsPerSecond: 10_000,
      timeouts: { connectMs: 30_000, requestMs: 30_000 },
      ...changes,
    })
  const nameOf = ({ lookup }: Group): string => lookup.slice('role/'.length)
  const addRole: AwsIamWorld['addRole'] = async (name, trust, Path = '/') => {
    const { Role } = await witness.send(
      new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust, Path }),
    )
    return { lookup: `role/${name}`, nativeId: Role?.RoleId as NativeId }
  }
  const trustOf = async (group: Group): Promise<string> => {
    const { Role } = await witness.send(new GetRoleCommand({ RoleName: nameOf(group) }))
    return decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')
  }
  await addRole('m-standing', policyOf(foreign))
  const world: AwsIamWorld = {
    proxy,
    impatient: () => makeAwsIam(world, { timeouts: { connectMs: 30_000, requestMs: 1_000 } }),
    configure,
    addRole,
    trustOf,
    setTrust: async (group, trust) => {
      await witness.send(new UpdateAssumeRolePolicyCommand({ RoleName: nameOf(group), PolicyDocument: trust }))
    },
    inlinePolicy: async (group, PolicyName) => {
      const read = await witness
        .send(new GetRolePolicyCommand({ RoleName: nameOf(group), PolicyName }))
        .catch(() => ({ PolicyDocument: '' }))
      return decodeURIComponent(read.PolicyDocument ?? '')
    },
    setInlinePolicy: async (group, PolicyName, PolicyDocument) => {
      await witness.send(new PutRolePolicyCommand({ RoleName: nameOf(group), PolicyName, PolicyDocument }))
    },
    callsOf: async (work) => {
      proxy.forgetCalls()
      await work()
      return [...proxy.calls()]
    },
    person: (key, name): Person => ({
      key,
      worker: { personKey: key, username: key.toLowerCase(), displayName: name ?? key, department: null },
    }),
    // Nobody keeps them: the person key is the name of their sessions.
    addAccounts: async (people) => people.map(({ key }) => key as NativeId),
    addTwin: async () => {
      throw new Error('a name has no twin')
    },
    addGroup: (name, members = [], strangers = 0) => {
      const principals = Array.from({ length: strangers }, (_, at) => `AROA${String(at).padStart(17, '0')}`)
      const ours = members.length + strangers === 0 ? [] : [statementOf(members, principals)]
      return addRole(`m-${name}`, policyOf(foreign, ...ours))
    },
    membersOf: async (group) => letIn(await trustOf(group)) as readonly NativeId[],
    accountsOf: async ({ key }) => [key as NativeId],
    canSignIn: async () => true,
    rename: async () => {},
    removeGroup: async (group) => {
      const RoleName = nameOf(group)
      const { PolicyNames } = await witness.send(new ListRolePoliciesCommand({ RoleName }))
      for (const PolicyName of PolicyNames ?? [])
        await witness.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }))
      await witness.send(new DeleteRoleCommand({ RoleName }))
    },
    faults: {
      atNextWrite: (phase, act) => proxy.arm({ action: '*write', phase, act }),
      none: () => proxy.disarm(),
      dropAll: () => proxy.dropAll(),
      down: () => proxy.down(),
      up: () => proxy.up(),
    },
    close: async () => {
      await proxy.down()
      witness.destroy()
      if (shared === undefined) await stack.stop({ discard: true })
      if (proxy.modelProblems.length > 0)
        throw new Error(`against IAM's service model: ${[...new Set(proxy.modelProblems)].join('; ')}`)
    },
  }
  return world
}

export const makeAwsIam = (
  world: AwsIamWorld,
  changes: Readonly<Record<string, unknown>> = {},
  {
    lane = 'bulk',
    now = Date.now,
    store = createLocalStore(),
    secret,
  }: { lane?: Lane; now?: () => number; store?: LocalStore; secret?: ConnectorTools['secret'] } = {},
): Connector =>
  createAwsIamConnector(target, world.configure(changes), {
    ...(secret === undefined ? {} : { secret }),
    lane,
    giveWay: async () => {},
    budget: createLocalBudget(store, lane, () => performance.now()),
    now,
  })
