import { ListGroupsCommand, ListUsersCommand } from '@aws-sdk/client-identitystore'
import { ListInstancesCommand, ListPermissionSetsCommand } from '@aws-sdk/client-sso-admin'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { credentialProblems } from '../aws-wire/credential-problems.ts'
import { failureText, ok, type Result } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import type { CheckReport } from '../connector.ts'
import type { Aws } from './aws.ts'

/** Reads what can be known without a change. Whether the role may write shows only when it does. */
export const check = async (aws: Aws): Promise<CheckReport> => {
  const { settings, clients, transport, families } = aws
  const problems: string[] = []
  const me = await transport.read(families.ssoAdmin, (options) =>
    clients.sts.send(new GetCallerIdentityCommand({}), options),
  )
  if (!me.ok)
    return {
      ok: false,
      problems: [
        `AWS does not say who this is (sts:GetCallerIdentity): ${failureText(me.failure)}`,
        ...(await credentialProblems(settings)),
      ],
    }

  const instances = await readAllPages(async (token) => {
    const read = await transport.read(families.ssoAdmin, (options) =>
      clients.ssoAdmin.send(new ListInstancesCommand({ NextToken: token }), options),
    )
    return read.ok ? ok({ items: read.value.Instances ?? [], next: read.value.NextToken }) : read
  })
  if (!instances.ok) problems.push(`sso:ListInstances: ${failureText(instances.failure)}`)
  else {
    const ours = instances.value.find(({ InstanceArn }) => InstanceArn === settings.instanceArn)
    if (ours === undefined)
      problems.push(
        `${settings.instanceArn} is no instance that ${me.value.Arn ?? 'this role'} can see in ${settings.region}`,
      )
    else if (ours.IdentityStoreId !== settings.identityStoreId)
      problems.push(
        `the identity store of this instance is ${ours.IdentityStoreId ?? 'not shown'}, not ${settings.identityStoreId}`,
      )
  }

  const IdentityStoreId = settings.identityStoreId
  const tries: readonly (readonly [string, () => Promise<Result<unknown>>])[] = [
    [
      'identitystore:ListUsers',
      () =>
        transport.read(families.identityStore, (options) =>
          clients.identityStore.send(new ListUsersCommand({ IdentityStoreId, MaxResults: 1 }), options),
        ),
    ],
    [
      'identitystore:ListGroups',
      () =>
        transport.read(families.identityStore, (options) =>
          clients.identityStore.send(new ListGroupsCommand({ IdentityStoreId, MaxResults: 1 }), options),
        ),
    ],
    ...(settings.assignments === 'none'
      ? []
      : [
          [
            'sso:ListPermissionSets',
            () =>
              transport.read(families.ssoAdmin, (options) =>
                clients.ssoAdmin.send(
                  new ListPermissionSetsCommand({ InstanceArn: settings.instanceArn, MaxResults: 1 }),
                  options,
                ),
              ),
          ] as const,
        ]),
  ]
  for (const [action, attempt] of tries) {
    const result = await attempt()
    if (!result.ok) problems.push(`${action}: ${failureText(result.failure)}`)
  }
  // The SDK notes how far AWS's clock is from ours. AWS refuses a signature that is five minutes off.
  const skewSeconds = Math.round(clients.identityStore.config.systemClockOffset / 1_000)
  if (Math.abs(skewSeconds) > 60)
    problems.push(`the clock here is ${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? 'behind' : 'ahead of'} AWS's`)
  const facts = [
    `as ${me.value.Arn ?? 'somebody'}; credentials: ${settings.credentials.from}`,
    `identity store ${settings.identityStoreId} in ${settings.region}`,
  ]
  return { ok: problems.length === 0, problems, facts }
}
