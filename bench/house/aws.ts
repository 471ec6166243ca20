/** The AWS simulator with AWS's own limits before a moto of its own, and the engine's connector before it. */
import { startSimulator } from '../../simulators/aws/proxy.ts'
import type { Simulator } from '../../simulators/aws/simulator.ts'
import { type Json, record, text } from '../../simulators/aws/wire.ts'
import { awsSettingsSchema } from '../../src/connectors/aws/config.ts'
import { createAwsConnector } from '../../src/connectors/aws/connector.ts'
import type { Connector } from '../../src/connectors/connector.ts'
import { createLocalBudget, createLocalStore } from '../../src/connectors/local-budget.ts'
import type { Lane } from '../../src/domain/action.ts'
import type { NativeId, TargetId } from '../../src/domain/ids.ts'
import type { BenchStack } from './bench-stack.ts'

/** Quotas of each family (user guide, limits). */
export const callsPerSecond = 20
/** Outstanding assignment requests, of an instance (the same). */
export const slots = 15

export type AwsHouse = {
  readonly simulator: Simulator
  readonly connector: Connector
  readonly addUsers: (count: number) => Promise<readonly NativeId[]>
  readonly addGroup: (name: string) => Promise<NativeId>
  /** Its ARN. */
  readonly addPermissionSet: (name: string) => Promise<string>
  /** Gives it, past the simulator's rules. */
  readonly assign: (user: NativeId, permissionSetArn: string, account: string) => Promise<void>
  /** User ids as moto itself keeps them: what the simulator believes proves nothing. */
  readonly membersOf: (group: NativeId) => Promise<readonly NativeId[]>
  readonly assignedTo: (permissionSetArn: string, account: string) => Promise<readonly NativeId[]>
  readonly close: () => Promise<void>
}

const usersAtOnce = 8

export const openAwsHouse = async (bench: BenchStack, lane: Lane): Promise<AwsHouse> => {
  const stack = await bench.withParts('moto', ['moto'])
  const simulator = await startSimulator({ moto: stack.awsUrl, callsPerSecond })
  const { identityStoreId: IdentityStoreId, instanceArn: InstanceArn } = simulator
  const connector = createAwsConnector(
    'bank-aws' as TargetId,
    awsSettingsSchema.parse({
      region: 'eu-central-1',
      instanceArn: InstanceArn,
      identityStoreId: IdentityStoreId,
      endpoint: simulator.url,
      credentials: { from: 'keys', accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not-a-secret' },
    }),
    {
      lane,
      giveWay: async () => {},
      budget: createLocalBudget(createLocalStore(), lane, () => performance.now()),
      now: Date.now,
    },
  )
  const inMoto = async (service: 'identitystore' | 'sso-admin', operation: string, member: string, body: Json) => {
    const items: Json[] = []
    for (let more: Json = {}; ; ) {
      const list = await simulator.moto.ask(service, operation, { ...body, ...more })
      items.push(...(Array.isArray(list[member]) ? list[member].map(record) : []))
      if (list.NextToken === undefined) return items
      more = { NextToken: list.NextToken }
    }
  }
  const addUser = async (number: number): Promise<NativeId> => {
    const made = await simulator.ask('identitystore', 'CreateUser', {
      IdentityStoreId,
      UserName: `P-${number}`,
      DisplayName: `Name ${number}`,
      Name: { GivenName: 'Given', FamilyName: `Family ${number}` },
    })
    return text(made, 'UserId') as NativeId
  }
  return {
    simulator,
    connector,
    addUsers: async (count) => {
      const ids: NativeId[] = []
      const numbers = Array.from({ length: count }, (_, i) => i).values()
      const work = async () => {
        for (const number of numbers) ids.push(await addUser(number))
      }
      await Promise.all(Array.from({ length: usersAtOnce }, work))
      return ids
    },
    addGroup: async (DisplayName) =>
      text(
        await simulator.ask('identitystore', 'CreateGroup', { IdentityStoreId, DisplayName }),
        'GroupId',
      ) as NativeId,
    addPermissionSet: async (Name) => {
      const made = await simulator.ask('sso-admin', 'CreatePermissionSet', { InstanceArn, Name })
      return text(record(made.PermissionSet), 'PermissionSetArn')
    },
    assign: async (PrincipalId, PermissionSetArn, TargetId) => {
      await simulator.moto.ask('sso-admin', 'CreateAccountAssignment', {
        InstanceArn,
        TargetId,
        TargetType: 'AWS_ACCOUNT',
        PermissionSetArn,
        PrincipalType: 'USER',
        PrincipalId,
      })
    },
    membersOf: async (GroupId) =>
      (await inMoto('identitystore', 'ListGroupMemberships', 'GroupMemberships', { IdentityStoreId, GroupId })).map(
        ({ MemberId }) => text(record(MemberId), 'UserId') as NativeId,
      ),
    assignedTo: async (PermissionSetArn, AccountId) =>
      (
        await inMoto('sso-admin', 'ListAccountAssignments', 'AccountAssignments', {
          InstanceArn,
          PermissionSetArn,
          AccountId,
        })
      ).map((one) => text(one, 'PrincipalId') as NativeId),
    close: async () => {
      await connector.close()
      await simulator.close()
      await stack.stop({ discard: true })
    },
  }
}
