import { ListGroupsCommand, ListUsersCommand } from '@aws-sdk/client-identitystore'
import { ListInstancesCommand, ListPermissionSetsCommand } from '@aws-sdk/client-sso-admin'
import { askCaller } from '../aws-wire/caller.ts'
import { checkClock } from '../aws-wire/check-clock.ts'
import { credentialKind } from '../aws-wire/credential-kind.ts'
import { credentialProblems } from '../aws-wire/credential-problems.ts'
import { failureText, ok, type Result } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import { allUses, type CheckReport, type Uses } from '../connector.ts'
import type { Aws } from './aws.ts'

/** Reads what can be known without a change; IAM itself is asked what else the role may. */
export const check = async (aws: Aws, uses: Uses = allUses): Promise<CheckReport> => {
  const { settings, clients, transport, families, tools } = aws
  const problems: string[] = []
  const me = await transport.read(families.ssoAdmin, askCaller(clients.sts))
  if (!me.ok)
    return {
      ok: false,
      problems: [
        `AWS does not say who this is (sts:GetCallerIdentity): ${failureText(me.failure)}`,
        ...(await credentialProblems(settings)),
      ],
    }
  // At once: every other read makes them differ more.
  const clock = checkClock(me.value.date, tools.now())

  const instances = await readAllPages(async (token) => {
    const read = await transport.read(families.ssoAdmin, (options) =>
      clients.ssoAdmin.send(new ListInstancesCommand({ NextToken: token }), options),
    )
    return read.ok ? ok({ items: read.value.Instances ?? [], next: read.value.NextToken }) : read
  })
  const ours = instances.ok
    ? instances.value.find(({ InstanceArn }) => InstanceArn === settings.instanceArn)
    : undefined
  if (!instances.ok) problems.push(`sso:ListInstances: ${failureText(instances.failure)}`)
  else {
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
  const tried = ['sso:ListInstances', ...tries.map(([action]) => action)]
  // Nothing else needs IAM's client, which is the largest of all.
  const { ownRights } = await import('./own-rights.ts')
  const rights = await ownRights(aws, { me: me.value, owner: ours?.OwnerAccountId, tried }, uses)
  problems.push(...rights.problems)
  const kind = await credentialKind(settings, clients.sts)
  problems.push(...clock.problems)
  const facts = [
    `as ${me.value.Arn ?? 'somebody'}`,
    ...(kind.facts ?? []),
    `identity store ${settings.identityStoreId} in ${settings.region}`,
    ...(clock.facts ?? []),
    ...(rights.facts ?? []),
  ]
  const unknown = [...(rights.unknown ?? []), ...(kind.unknown ?? []), ...(clock.unknown ?? [])]
  return { ok: problems.length === 0, problems, facts, unknown, beforeEnforce: rights.beforeEnforce ?? [] }
}
