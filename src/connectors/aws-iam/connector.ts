import { IAMClient } from '@aws-sdk/client-iam'
import { STSClient } from '@aws-sdk/client-sts'
import type { TargetId } from '../../domain/ids.ts'
import { signIn, wholeConfig } from '../aws-wire/client-config.ts'
import { failureText } from '../aws-wire/errors.ts'
import { createTransport } from '../aws-wire/transport.ts'
import type { Connector, ConnectorTools } from '../connector.ts'
import { observeSettled } from '../settled.ts'
import { apply } from './apply.ts'
import { check } from './check.ts'
import type { AwsIamSettings } from './config.ts'
import { observedAccount } from './ensure-accounts.ts'
import { readHoldings } from './holdings.ts'
import { bucketOf, type Iam } from './iam.ts'
import { identifyAll } from './identify.ts'
import { listAccounts } from './list-accounts.ts'
import { awsIamManifest } from './manifest.ts'
import { membersOf, whoIs } from './members.ts'
import { observe } from './observe.ts'
import { own } from './own.ts'
import { poll } from './poll.ts'
import { hashOfName, isSessionName, sessionNameOf } from './session-name.ts'

/** IAM roles of one AWS account: who may assume them by federation, named in statements of ours. */
export const createAwsIamConnector = (target: TargetId, settings: AwsIamSettings, tools: ConnectorTools): Connector => {
  const signedBy = signIn(settings, tools)
  const config = wholeConfig(settings, signedBy)
  const iam: Iam = {
    settings,
    client: new IAMClient(config),
    sts: new STSClient(config),
    transport: createTransport(tools, signedBy),
    tools,
    bucket: bucketOf(settings),
  }
  const hash: Connector['attributesHash'] = (worker) => hashOfName(sessionNameOf(settings, worker) ?? '')
  return {
    target,
    manifest: awsIamManifest(settings),
    check: (signal, uses) => check(iam, signal, uses),
    attributesHash: hash,
    creationHash: hash,
    resolveEntitlements: async (refs, signal) =>
      // What the name means now: whether that is what was pinned, whoever asks compares.
      (
        await identifyAll(
          iam,
          refs.map((ref) => ({ ...ref, nativeId: null })),
          signal,
        )
      ).map((identity) => {
        if (identity.kind === 'role' || identity.kind === 'protected')
          return { kind: 'found', nativeId: identity.role.id }
        if (identity.kind === 'missing') return { kind: 'missing' }
        return { kind: 'failed', cause: identity.kind === 'failed' ? failureText(identity.failure) : identity.kind }
      }),
    own: (signal) => own(iam, signal),
    apply: (operations, context) => apply(iam, operations, context),
    observe: (operations, observing) =>
      observeSettled(settings.settle.ms, operations, observing, (asked) => observe(iam, asked)),
    poll: (pending) => poll(iam, pending),
    grantsOf: async (accounts, signal) => {
      const holdings = await readHoldings(iam, accounts, signal)
      if (!holdings.ok) return { kind: 'partial', items: [], cause: failureText(holdings.failure) }
      return {
        kind: 'complete',
        items: holdings.value.map(({ account, entitlement }) => ({ account, entitlement })),
      }
    },
    membersOf: (refs, signal) => membersOf(iam, refs, signal),
    whoIs: async (members) => whoIs(members),
    accounts: async (ids) => ({ kind: 'complete', items: ids.filter(isSessionName).map(observedAccount) }),
    listAccounts: (signal) => listAccounts(iam, signal),
    close: async () => {
      iam.client.destroy()
      iam.sts.destroy()
    },
  }
}
