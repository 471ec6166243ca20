/** A moto of its own behind the simulator, and a witness that asks the simulator past the connector, throttle and faults. */
import { randomUUID } from 'node:crypto'
import type { Stack } from '../../scripts/stack/stack.ts'
import { startSimulator } from '../../simulators/aws/proxy.ts'
import type { Simulator, SimulatorOptions } from '../../simulators/aws/simulator.ts'
import { type Json, record, text } from '../../simulators/aws/wire.ts'
import { type AwsSettings, awsSettingsSchema } from '../../src/connectors/aws/config.ts'
import { createAwsConnector } from '../../src/connectors/aws/connector.ts'
import type { Connector, ConnectorTools } from '../../src/connectors/connector.ts'
import { createLocalBudget, createLocalStore } from '../../src/connectors/local-budget.ts'
import type { Lane } from '../../src/domain/action.ts'
import type { NativeId, TargetId } from '../../src/domain/ids.ts'
import { exchangeProblems } from '../support/aws-model.ts'
import { privateStack } from '../support/stack.ts'
import type { Group, Person, World } from './world.ts'

export const issuer = 'https://scim.aws.com/idp'
export const target = 'aws' as TargetId

export type AwsWorld = World & {
  readonly simulator: Simulator
  readonly stack: Stack
  readonly settings: AwsSettings
  readonly configure: (changes: Readonly<Record<string, unknown>>) => AwsSettings
  /** A permission set, and the look-up and native id of an assignment of it on an AWS account. */
  readonly addPermissionSet: (name: string) => Promise<string>
  readonly setExternalIds: (kind: 'users' | 'groups', id: string, ids: readonly string[]) => void
  readonly userOf: (id: NativeId) => Promise<Json | null>
  /** User ids with a direct assignment. */
  readonly assignedTo: (account: string, permissionSetArn: string) => Promise<readonly NativeId[]>
  readonly inlinePolicy: (permissionSetArn: string) => Promise<string>
  /** Operations that the connector sent while `work` ran. */
  readonly callsOf: (work: () => Promise<unknown>) => Promise<readonly string[]>
  /** What did not fit the service models. */
  readonly modelProblems: readonly string[]
}

/** A quota that no test of behaviour meets; the tests of throttling have AWS's own. */
const plenty = 10_000

/** Users made at once: a thousand one by one take a minute. */
const crowdAtOnce = 16

export const openAwsWorld = async (options: Partial<SimulatorOptions> = {}): Promise<AwsWorld> => {
  const stack = await privateStack(['moto'])
  const modelProblems: string[] = []
  const simulator = await startSimulator({
    moto: stack.awsUrl,
    callsPerSecond: plenty,
    watch: (called, request, answer) => modelProblems.push(...exchangeProblems(called, request, answer)),
    ...options,
  })
  const { identityStoreId: IdentityStoreId, instanceArn: InstanceArn } = simulator
  const configure = (changes: Readonly<Record<string, unknown>>): AwsSettings =>
    awsSettingsSchema.parse({
      region: 'eu-central-1',
      instanceArn: InstanceArn,
      identityStoreId: IdentityStoreId,
      endpoint: simulator.url,
      credentials: { from: 'keys', accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
      correlation: {
        lookups: [
          { by: 'externalId', issuer, value: '{personKey}' },
          { by: 'userName', value: '{personKey}' },
        ],
      },
      callsPerSecond: { identityStore: plenty, ssoAdmin: plenty },
      timeouts: { connectMs: 30_000, requestMs: 30_000 },
      ...changes,
    })
  const store = (operation: string, body: Json): Promise<Json> =>
    simulator.ask('identitystore', operation, { IdentityStoreId, ...body })
  const admin = (operation: string, body: Json): Promise<Json> =>
    simulator.ask('sso-admin', operation, { InstanceArn, ...body })
  const everyPage = async (ask: (more: Json) => Promise<Json>, member: string): Promise<readonly Json[]> => {
    const items: Json[] = []
    for (let more: Json = {}; ; ) {
      const list = await ask(more)
      items.push(...(Array.isArray(list[member]) ? (list[member] as unknown[]).map(record) : []))
      if (list.NextToken === undefined) return items
      more = { NextToken: list.NextToken }
    }
  }

  const person = (key: string, name?: string): Person => ({
    key,
    worker: {
      personKey: key,
      username: key.toLowerCase(),
      displayName: name === undefined ? key : `${name}${key}`,
      familyName: name ?? key,
      givenName: 'Given',
      workEmail: `${key.toLowerCase()}@bank.example`,
      department: null,
    },
  })
  const addUser = async ({ worker }: Person, userName: string, email: string | null): Promise<NativeId> => {
    const made = await store('CreateUser', {
      UserName: userName,
      DisplayName: String(worker.displayName).trim(),
      Name: { GivenName: String(worker.givenName), FamilyName: String(worker.familyName).trim() },
      ...(email === null ? {} : { Emails: [{ Value: email, Type: 'work', Primary: true }] }),
    })
    return text(made, 'UserId') as NativeId
  }
  const setExternalIds: AwsWorld['setExternalIds'] = (kind, id, ids) => {
    const one = simulator.state[kind].get(id)
    if (one !== undefined) one.externalIds = ids.map((Id) => ({ Issuer: issuer, Id }))
  }
  const users = () => everyPage((more) => store('ListUsers', more), 'Users')

  const world: AwsWorld = {
    simulator,
    impatient: () => makeAws(world, { timeouts: { connectMs: 30_000, requestMs: 1_000 } }),
    stack,
    configure,
    settings: configure({}),
    modelProblems,
    person,
    setExternalIds,
    addPermissionSet: async (name) => {
      const made = await admin('CreatePermissionSet', { Name: name })
      return text(record(made.PermissionSet), 'PermissionSetArn')
    },
    userOf: async (id) =>
      store('DescribeUser', { UserId: id, Extensions: ['aws:identitystore:enterprise'] }).catch(() => null),
    assignedTo: async (AccountId, PermissionSetArn) => {
      const list = await everyPage(
        (more) => admin('ListAccountAssignments', { AccountId, PermissionSetArn, ...more }),
        'AccountAssignments',
      )
      return list.filter((one) => one.PrincipalType === 'USER').map((one) => text(one, 'PrincipalId') as NativeId)
    },
    inlinePolicy: async (PermissionSetArn) =>
      text(await admin('GetInlinePolicyForPermissionSet', { PermissionSetArn }), 'InlinePolicy'),
    callsOf: async (work) => {
      simulator.forgetCalls()
      await work()
      return simulator.calls().map(({ operation }) => operation)
    },
    addAccounts: async (crowd) => {
      const ids: NativeId[] = []
      for (let at = 0; at < crowd.length; at += crowdAtOnce)
        ids.push(
          ...(await Promise.all(
            crowd
              .slice(at, at + crowdAtOnce)
              .map((somebody) => addUser(somebody, somebody.key, String(somebody.worker.workEmail))),
          )),
        )
      return ids
    },
    addTwin: async (somebody) => {
      const id = await addUser(somebody, `twin-of-${somebody.key}`, null)
      setExternalIds('users', id, [somebody.key])
    },
    addGroup: async (name, members = [], strangers = 0) => {
      const made = await store('CreateGroup', { DisplayName: name })
      const GroupId = text(made, 'GroupId')
      for (const UserId of members) await store('CreateGroupMembership', { GroupId, MemberId: { UserId } })
      // Members whose user is gone: only the simulator lists them.
      for (let at = 0; at < strangers; at += 1)
        simulator.state.memberships.add({ id: randomUUID(), group: GroupId, user: randomUUID() })
      return { lookup: `group/${name}`, nativeId: GroupId as NativeId }
    },
    // moto itself is asked: what the simulator believes is not what proves it.
    membersOf: async (group: Group) => {
      const list = await everyPage(
        (more) =>
          simulator.moto.ask('identitystore', 'ListGroupMemberships', {
            IdentityStoreId,
            GroupId: group.nativeId,
            ...more,
          }),
        'GroupMemberships',
      )
      return list.map((one) => text(record(one.MemberId), 'UserId') as NativeId)
    },
    accountsOf: async ({ key }) =>
      (await users())
        .filter(
          ({ UserName, ExternalIds }) =>
            UserName === key || (Array.isArray(ExternalIds) && ExternalIds.some((one) => record(one).Id === key)),
        )
        .map((one) => text(one, 'UserId') as NativeId),
    canSignIn: async (id) => simulator.state.users.get(id)?.status === 'ENABLED',
    rename: async (id) => {
      await store('UpdateUser', {
        UserId: id,
        Operations: [{ AttributePath: 'userName', AttributeValue: `renamed-${id}` }],
      })
    },
    removeGroup: async ({ nativeId }) => {
      await store('DeleteGroup', { GroupId: nativeId })
    },
    faults: {
      atNextWrite: (phase, act) =>
        simulator.faults.arm({
          operation: '*write',
          nth: 1,
          phase: phase === 'before-commit' ? 'before' : 'after',
          act: typeof act === 'function' ? { kind: 'meanwhile', work: act } : { kind: act },
        }),
      none: () => simulator.faults.disarm(),
      dropAll: () => simulator.dropAll(),
      down: () => simulator.down(),
      up: () => simulator.up(),
    },
    close: async () => {
      await simulator.close()
      await stack.stop({ discard: true })
    },
  }
  return world
}

export const makeAws = (
  world: AwsWorld,
  changes: Readonly<Record<string, unknown>> = {},
  lane: Lane = 'bulk',
  now: () => number = Date.now,
  secret?: ConnectorTools['secret'],
): Connector =>
  createAwsConnector(target, world.configure(changes), {
    ...(secret === undefined ? {} : { secret }),
    lane,
    giveWay: async () => {},
    budget: createLocalBudget(createLocalStore(), lane, () => performance.now()),
    now,
  })
