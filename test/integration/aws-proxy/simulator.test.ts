/** The simulator, asked by AWS's own client and held against AWS's own service models; none of our connector is here. */
import { readFileSync } from 'node:fs'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateGroupCommand,
  CreateGroupMembershipCommand,
  CreateUserCommand,
  DeleteGroupMembershipCommand,
  DeleteUserCommand,
  DescribeGroupMembershipCommand,
  DescribeUserCommand,
  GetGroupMembershipIdCommand,
  GetUserIdCommand,
  IdentitystoreClient,
  IsMemberInGroupsCommand,
  ListGroupMembershipsCommand,
  UpdateGroupCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-identitystore'
import {
  CreateAccountAssignmentCommand,
  CreatePermissionSetCommand,
  DeleteAccountAssignmentCommand,
  DescribeAccountAssignmentCreationStatusCommand,
  DescribeAccountAssignmentDeletionStatusCommand,
  ListAccountAssignmentsCommand,
  PutInlinePolicyToPermissionSetCommand,
  SSOAdminClient,
} from '@aws-sdk/client-sso-admin'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { motoPackages } from '../../../scripts/stack/moto.ts'
import type { Stack } from '../../../scripts/stack/stack.ts'
import { serviceModel } from '../../../simulators/aws/model/botocore.ts'
import { extracted, extractOf } from '../../../simulators/aws/model/extract.ts'
import { startSimulator } from '../../../simulators/aws/proxy.ts'
import type { Simulator } from '../../../simulators/aws/simulator.ts'
import { exchangeProblems } from '../../support/aws-model.ts'
import { queryProblems } from '../../support/aws-query-model.ts'
import { privateStack } from '../../support/stack.ts'

let stack: Stack
let simulator: Simulator
let store: IdentitystoreClient
let admin: SSOAdminClient
const problems: string[] = []
const seen = new Set<string>()
beforeAll(async () => {
  stack = await privateStack(['moto'])
  simulator = await startSimulator({
    moto: stack.awsUrl,
    pageSize: 2,
    watch: (target, request, answer) => {
      seen.add(`${target.operation} ${answer.status === 200 ? 'ok' : String(answer.body.__type)}`)
      problems.push(...exchangeProblems(target, request, answer))
    },
  })
  const config = {
    region: 'eu-central-1',
    endpoint: simulator.url,
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
  }
  store = new IdentitystoreClient(config)
  admin = new SSOAdminClient({ ...config, maxAttempts: 1 })
})
afterAll(async () => {
  store.destroy()
  admin.destroy()
  await simulator.close()
  await stack.stop({ discard: true })
})

const IdentityStoreId = () => simulator.identityStoreId
let made = 0
const user = async () => {
  made += 1
  const { UserId } = await store.send(
    new CreateUserCommand({
      IdentityStoreId: IdentityStoreId(),
      UserName: `user-${made}`,
      DisplayName: 'A user',
      Name: { GivenName: 'A', FamilyName: 'User' },
      Emails: [{ Value: `user-${made}@bank.example`, Primary: true }],
      Extensions: { 'aws:identitystore:enterprise': { employeeNumber: String(made) } },
    }),
  )
  return { UserId: UserId ?? '', UserName: `user-${made}`, email: `user-${made}@bank.example` }
}
const group = async () => {
  made += 1
  const DisplayName = `Group ${made}`
  const { GroupId } = await store.send(new CreateGroupCommand({ IdentityStoreId: IdentityStoreId(), DisplayName }))
  return { GroupId: GroupId ?? '', DisplayName }
}

test('a membership is there once; what is unknown is said to be; whoever is deleted is a member no more', async () => {
  const [{ UserId }, { GroupId }] = [await user(), await group()]
  const pair = { IdentityStoreId: IdentityStoreId(), GroupId, MemberId: { UserId } }
  const { MembershipId } = await store.send(new CreateGroupMembershipCommand(pair))
  await expect(store.send(new CreateGroupMembershipCommand(pair))).rejects.toMatchObject({
    name: 'ConflictException',
    Reason: 'UNIQUENESS_CONSTRAINT_VIOLATION',
  })
  const one = { IdentityStoreId: IdentityStoreId(), MembershipId }
  expect(await store.send(new DescribeGroupMembershipCommand(one))).toMatchObject({ GroupId, MemberId: { UserId } })
  expect(await store.send(new GetGroupMembershipIdCommand(pair))).toMatchObject({ MembershipId })
  const other = await group()
  const asked = { IdentityStoreId: IdentityStoreId(), MemberId: { UserId }, GroupIds: [GroupId, other.GroupId] }
  expect((await store.send(new IsMemberInGroupsCommand(asked))).Results).toMatchObject([
    { GroupId, MembershipExists: true },
    { GroupId: other.GroupId, MembershipExists: false },
  ])
  await store.send(new DeleteGroupMembershipCommand(one))
  await expect(store.send(new DeleteGroupMembershipCommand(one))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    ResourceType: 'GROUP_MEMBERSHIP',
  })

  await store.send(new CreateGroupMembershipCommand(pair))
  await store.send(new DeleteUserCommand({ IdentityStoreId: IdentityStoreId(), UserId }))
  await expect(store.send(new DeleteUserCommand({ IdentityStoreId: IdentityStoreId(), UserId }))).rejects.toMatchObject(
    {
      name: 'ResourceNotFoundException',
      ResourceType: 'USER',
    },
  )
  const list = await store.send(new ListGroupMembershipsCommand({ IdentityStoreId: IdentityStoreId(), GroupId }))
  expect(list.GroupMemberships).toEqual([])
  await expect(store.send(new CreateGroupMembershipCommand(pair))).rejects.toMatchObject({ ResourceType: 'USER' })
  await expect(
    store.send(new CreateGroupMembershipCommand({ ...pair, IdentityStoreId: 'd-0000000000' })),
  ).rejects.toMatchObject({ ResourceType: 'IDENTITY_STORE' })
})

test('users are updated, and names and addresses stay unique', async () => {
  const [one, other] = [await user(), await user()]
  const update = (UserId: string, AttributePath: string, AttributeValue: unknown) =>
    store.send(
      new UpdateUserCommand({
        IdentityStoreId: IdentityStoreId(),
        UserId,
        Operations: [{ AttributePath, AttributeValue: AttributeValue as string }],
      }),
    )
  await update(one.UserId, 'name.familyName', 'Other')
  await update(one.UserId, 'emails', [{ value: 'new@bank.example', type: 'work', primary: true }])
  await update(one.UserId, 'title', 'Trader')
  await update(one.UserId, 'title', null)
  const extension = { Extensions: ['aws:identitystore:enterprise'] }
  const shown = await store.send(
    new DescribeUserCommand({ IdentityStoreId: IdentityStoreId(), UserId: one.UserId, ...extension }),
  )
  expect(shown).toMatchObject({
    Name: { GivenName: 'A', FamilyName: 'Other' },
    Emails: [{ Value: 'new@bank.example', Type: 'work', Primary: true }],
    UserStatus: 'ENABLED',
    Extensions: { 'aws:identitystore:enterprise': { employeeNumber: expect.any(String) } },
  })
  expect(shown.Title).toBeUndefined()
  const find = (AttributeValue: string) =>
    store.send(
      new GetUserIdCommand({
        IdentityStoreId: IdentityStoreId(),
        AlternateIdentifier: { UniqueAttribute: { AttributePath: 'emails.value', AttributeValue } },
      }),
    )
  expect((await find('new@bank.example')).UserId).toBe(one.UserId)
  await expect(find(one.email)).rejects.toMatchObject({ name: 'ResourceNotFoundException', ResourceType: 'USER' })
  await expect(
    update(other.UserId, 'emails', [{ value: 'new@bank.example', type: 'work', primary: true }]),
  ).rejects.toMatchObject({ name: 'ConflictException' })

  const [first, second] = [await group(), await group()]
  const rename = (GroupId: string, AttributeValue: string) =>
    store.send(
      new UpdateGroupCommand({
        IdentityStoreId: IdentityStoreId(),
        GroupId,
        Operations: [{ AttributePath: 'displayName', AttributeValue }],
      }),
    )
  await expect(rename(first.GroupId, second.DisplayName)).rejects.toMatchObject({ name: 'ConflictException' })
  await rename(first.GroupId, 'Renamed')
})

test('SCIM is played by the inspector: external ids and the status, which no operation sets', async () => {
  const { UserId } = await user()
  const set = await fetch(`${simulator.url}/_simulator/users/${UserId}`, {
    method: 'POST',
    body: JSON.stringify({ ExternalIds: [{ Issuer: 'https://idp', Id: 'x-1' }], UserStatus: 'DISABLED' }),
  })
  expect(set.status).toBe(200)
  const found = await store.send(
    new GetUserIdCommand({
      IdentityStoreId: IdentityStoreId(),
      AlternateIdentifier: { ExternalId: { Issuer: 'https://idp', Id: 'x-1' } },
    }),
  )
  expect(found.UserId).toBe(UserId)
  expect(await store.send(new DescribeUserCommand({ IdentityStoreId: IdentityStoreId(), UserId }))).toMatchObject({
    UserStatus: 'DISABLED',
    ExternalIds: [{ Issuer: 'https://idp', Id: 'x-1' }],
  })
})

test('assignments take their time, once each; one for an AWS account, fifteen in all', async () => {
  const { PermissionSet } = await admin.send(
    new CreatePermissionSetCommand({ InstanceArn: simulator.instanceArn, Name: 'Trader' }),
  )
  const { UserId } = await user()
  const of = (TargetId: string) =>
    ({
      InstanceArn: simulator.instanceArn,
      TargetId,
      TargetType: 'AWS_ACCOUNT',
      PermissionSetArn: PermissionSet?.PermissionSetArn,
      PrincipalType: 'USER',
      PrincipalId: UserId,
    }) as const
  const status = async (id: string | undefined) =>
    (
      await admin.send(
        new DescribeAccountAssignmentCreationStatusCommand({
          InstanceArn: simulator.instanceArn,
          AccountAssignmentCreationRequestId: id,
        }),
      )
    ).AccountAssignmentCreationStatus
  simulator.assignments.settling = { ms: 0, polls: 2 }
  const first = await admin.send(new CreateAccountAssignmentCommand(of('100000000001')))
  expect(first.AccountAssignmentCreationStatus?.Status).toBe('IN_PROGRESS')
  await expect(admin.send(new CreateAccountAssignmentCommand(of('100000000001')))).rejects.toMatchObject({
    name: 'ConflictException',
  })
  const id = first.AccountAssignmentCreationStatus?.RequestId
  expect((await status(id))?.Status).toBe('IN_PROGRESS')
  expect((await status(id))?.Status).toBe('SUCCEEDED')

  simulator.assignments.settling = { ms: 0, polls: 0 }
  await admin.send(new CreateAccountAssignmentCommand(of('100000000001')))
  const list = async () =>
    (
      await admin.send(
        new ListAccountAssignmentsCommand({
          InstanceArn: simulator.instanceArn,
          AccountId: '100000000001',
          PermissionSetArn: PermissionSet?.PermissionSetArn,
        }),
      )
    ).AccountAssignments
  expect(await list()).toHaveLength(1)
  simulator.assignments.failNext('The role is gone')
  const gone = await admin.send(new DeleteAccountAssignmentCommand(of('100000000001')))
  const failed = await admin.send(
    new DescribeAccountAssignmentDeletionStatusCommand({
      InstanceArn: simulator.instanceArn,
      AccountAssignmentDeletionRequestId: gone.AccountAssignmentDeletionStatus?.RequestId,
    }),
  )
  expect(failed.AccountAssignmentDeletionStatus).toMatchObject({ Status: 'FAILED', FailureReason: 'The role is gone' })
  expect(await list()).toHaveLength(1)
})

test('more calls than AWS allows: told when to come back, and the answer is the model’s', async () => {
  const { GroupId } = await group()
  const impatient = new IdentitystoreClient({
    region: 'eu-central-1',
    endpoint: simulator.url,
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
  })
  const asked = Array.from({ length: 60 }, () =>
    impatient.send(new ListGroupMembershipsCommand({ IdentityStoreId: IdentityStoreId(), GroupId })).then(
      () => 'ok',
      (error: { name: string; RetryAfterSeconds?: number }) => `${error.name} ${error.RetryAfterSeconds}`,
    ),
  )
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['ok', 'ThrottlingException 1']))
  impatient.destroy()
})

test('policies have the sizes that AWS takes, white space counted where AWS counts it', async () => {
  const iam = new IAMClient({
    region: 'us-east-1',
    endpoint: simulator.url,
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
  })
  const sized = (json: string, length: number, space = '') =>
    json.replace('~', `${'x'.repeat(length - json.length + 1)}`) + space
  const trust = (length: number) =>
    sized(
      '{"Version":"2012-10-17","Statement":[{"Sid":"~","Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}',
      length,
      ' '.repeat(50),
    )
  const policy = (length: number) =>
    sized(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::~"}]}',
      length,
      ' '.repeat(50),
    )
  const tooLong = { name: 'LimitExceededException', $metadata: { httpStatusCode: 409 } }
  const role = (RoleName: string, length: number) =>
    iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(length) }))
  await role('sized', 2_048)
  await expect(role('too-long', 2_049)).rejects.toMatchObject(tooLong)
  await expect(
    iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'sized', PolicyDocument: trust(2_049) })),
  ).rejects.toMatchObject({ ...tooLong, message: 'Cannot exceed quota for ACLSizePerRole: 2048' })
  const put = (PolicyName: string, length: number) =>
    iam.send(new PutRolePolicyCommand({ RoleName: 'sized', PolicyName, PolicyDocument: policy(length) }))
  await put('one', 6_000)
  await put('other', 4_240)
  await expect(put('third', 100)).rejects.toMatchObject(tooLong)
  // What it replaces no longer counts.
  await put('one', 5_000)
  await expect(put('one', 6_001)).rejects.toMatchObject({
    ...tooLong,
    message: 'Maximum policy size of 10240 bytes exceeded for role sized',
  })
  iam.destroy()

  const { InstanceArn, PermissionSetArn } = {
    InstanceArn: simulator.instanceArn,
    ...(await admin.send(new CreatePermissionSetCommand({ InstanceArn: simulator.instanceArn, Name: 'Sized' })))
      .PermissionSet,
  }
  const inline = (length: number) =>
    admin.send(
      new PutInlinePolicyToPermissionSetCommand({
        InstanceArn,
        PermissionSetArn,
        InlinePolicy: policy(length - 50),
      }),
    )
  await inline(32_768)
  await expect(inline(32_769)).rejects.toMatchObject({ name: 'ValidationException' })
})

test.each(extracted)(
  '$service: what is carried here is what botocore says',
  async ({ service, version, operations }) => {
    const here = readFileSync(new URL(`../../../simulators/aws/model/${service}.json`, import.meta.url), 'utf8')
    expect(JSON.parse(here), 'made again by: sh scripts/run.sh simulators/aws/model/generate.ts').toEqual(
      extractOf(serviceModel(await motoPackages(), service, version), operations),
    )
  },
)

test('everything above fitted the service models, and the models would have noticed', () => {
  expect(problems).toEqual([])
  expect(seen.size).toBeGreaterThan(20)
  const target = { service: 'identitystore', operation: 'GetUserId' } as const
  expect(
    exchangeProblems(target, { IdentityStoreId: IdentityStoreId() }, { status: 200, body: { UserId: 'x' } }),
  ).toEqual([
    'GetUserId request: AlternateIdentifier is missing',
    'GetUserId answer: IdentityStoreId is missing',
    'GetUserId answer: UserArn is missing',
    'GetUserId answer.UserId: not of the pattern',
  ])
  expect(exchangeProblems(target, {}, { status: 400, body: { __type: 'ConflictException' } })).toContain(
    'GetUserId: ConflictException is not an error of it',
  )
  const asked = new URLSearchParams({ Action: 'GetRolePolicy', Version: '2010-05-08', RoleName: 'a b', Other: 'x' })
  const policy = '<PolicyName>p</PolicyName><PolicyDocument>%7B%7D</PolicyDocument><Extra/>'
  const xml = `<GetRolePolicyResponse><GetRolePolicyResult>${policy}</GetRolePolicyResult></GetRolePolicyResponse>`
  expect(queryProblems(asked, 200, xml)).toEqual([
    'GetRolePolicy request: PolicyName is missing',
    'GetRolePolicy request.RoleName: not of the pattern',
    'GetRolePolicy request: Other is no member',
    'GetRolePolicy answer: RoleName is missing',
    'GetRolePolicy answer: Extra is no member',
  ])
  const error = '<ErrorResponse><Error><Code>LimitExceeded</Code></Error></ErrorResponse>'
  expect(queryProblems(asked, 409, error)).toContain('GetRolePolicy: LimitExceeded is not an error of it')
  const lists = new URLSearchParams({
    Action: 'SimulatePrincipalPolicy',
    Version: '2010-05-08',
    PolicySourceArn: 'arn:aws:iam::123456789012:role/muster',
    'ActionNames.member.1': 'iam:GetRole',
    'ActionNames.member.2': 'x',
    'ResourceArns.member.2': 'arn:aws:iam::123456789012:role/first-is-missing',
    'ContextEntries.member.1.ContextKeyName': 'aws:SourceIp',
    'ContextEntries.member.1.ContextKeyType': 'number',
    PolicyInputList: '',
  })
  const told = (value: string) =>
    `<EvalActionName>iam:GetRole</EvalActionName><EvalDecision>allowed</EvalDecision><EvalDecisionDetails><entry><key>IAM Policy</key><value>${value}</value></entry></EvalDecisionDetails>`
  const results = `<member>${told('allowed')}</member><member>${told('perhaps')}</member>`
  const simulated = `<R><SimulatePrincipalPolicyResult><EvaluationResults>${results}</EvaluationResults></SimulatePrincipalPolicyResult></R>`
  expect(queryProblems(lists, 200, simulated)).toEqual([
    'SimulatePrincipalPolicy request.ActionNames[]: 1 is not within 3 and 128',
    'SimulatePrincipalPolicy request.ResourceArns: no list',
    'SimulatePrincipalPolicy request.ContextEntries[].ContextKeyType: not in the list of values',
    'SimulatePrincipalPolicy answer.EvaluationResults[].EvalDecisionDetails value: not in the list of values',
  ])
})
