import type { TargetId } from '../../domain/ids.ts'
import { attributesHash, fillName, mapAttributes } from '../attribute-mapping.ts'
import { signIn } from '../aws-wire/client-config.ts'
import { failureText } from '../aws-wire/errors.ts'
import { createTransport } from '../aws-wire/transport.ts'
import type { Connector, ConnectorTools } from '../connector.ts'
import { observeSettled } from '../settled.ts'
import { identifyAll, isTarget } from './access.ts'
import { apply } from './apply.ts'
import { type Aws, familiesOf, until } from './aws.ts'
import { check } from './check.ts'
import { createClients } from './clients.ts'
import type { AwsSettings } from './config.ts'
import { entitlementNames } from './entitlement-names.ts'
import { readHoldings } from './holdings.ts'
import { keeperOf, nativeIdOf } from './identify.ts'
import { listAccounts } from './list-accounts.ts'
import { awsManifest } from './manifest.ts'
import { membersOf, whoIs } from './members.ts'
import { observe } from './observe.ts'
import { poll } from './poll.ts'
import { createInProgress } from './requests.ts'
import { observedAccount, readUsers } from './users.ts'

/** An IAM Identity Center instance: group memberships and account assignments of its users. */
export const createAwsConnector = (target: TargetId, settings: AwsSettings, tools: ConnectorTools): Connector => {
  const signedBy = signIn(settings, tools)
  const aws: Aws = {
    settings,
    tools,
    clients: createClients(settings, signedBy),
    signedBy,
    transport: createTransport(tools, signedBy),
    families: familiesOf(settings),
    permissionSetNames: new Map(),
    beingDescribed: new Map(),
    inProgress: createInProgress(),
    longLists: new Map(),
    lastAssigned: new Map(),
  }
  const { account } = settings
  return {
    target,
    manifest: awsManifest,
    check: (signal, uses) => check(until(aws, signal), uses),
    attributesHash: (worker) => attributesHash(mapAttributes(account.attributes, worker)),
    creationHash: (worker) =>
      attributesHash(
        new Map([
          ...mapAttributes(account.attributes, worker),
          ['userName', [fillName(account.userName, worker)]],
          // Another value is another chance for whoever was not found.
          ...settings.correlation.lookups.map(
            ({ by, value }, at) => [`look-up ${at} ${by}`, [fillName(value, worker)]] as const,
          ),
        ]),
      ),
    resolveEntitlements: async (refs, signal) =>
      // What the name means now: whether that is what was pinned, whoever asks compares.
      (
        await identifyAll(
          until(aws, signal),
          refs.map((ref) => ({ ...ref, nativeId: null })),
        )
      ).map((identity) => {
        if (isTarget(identity)) return { kind: 'found', nativeId: nativeIdOf(identity), ...keeperOf(identity) }
        if (identity.kind === 'missing') return { kind: 'missing' }
        return { kind: 'failed', cause: identity.kind === 'failed' ? failureText(identity.failure) : identity.kind }
      }),
    entitlementNames: (ids, signal) => entitlementNames(until(aws, signal), ids),
    apply: (operations, context) => apply(aws, operations, context),
    observe: (operations, observing) =>
      observeSettled(awsManifest.settleMs, operations, observing, (asked) =>
        observe(until(aws, observing.signal), asked),
      ),
    poll: (pending, signal) => poll(until(aws, signal), pending),
    grantsOf: async (accounts, signal) => {
      const items = []
      for (const [at, one] of (await readHoldings(until(aws, signal), accounts)).entries()) {
        const holder = accounts[at]
        if (!one.ok) return { kind: 'partial', items: [], cause: failureText(one.failure) }
        if (holder !== undefined) items.push(...one.value.map((entitlement) => ({ account: holder, entitlement })))
      }
      return { kind: 'complete', items }
    },
    membersOf: (refs, signal) => membersOf(until(aws, signal), refs, signal),
    whoIs: (members, signal) => whoIs(aws, members, signal),
    accounts: async (ids, signal) => {
      const users = await readUsers(aws, ids, signal)
      if (!users.ok) return { kind: 'partial', items: [], cause: failureText(users.failure) }
      const items = [...users.value.values()].map((user) => ({
        ...observedAccount(aws, user),
        name: user.UserName ?? user.id,
      }))
      return { kind: 'complete', items }
    },
    listAccounts: (signal) => listAccounts(aws, signal),
    close: async () => aws.clients.close(),
  }
}
