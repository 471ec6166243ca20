import type { NativeId, TargetId } from '../../domain/ids.ts'
import { attributesHash } from '../attribute-mapping.ts'
import type { Connector, ConnectorTools } from '../connector.ts'
import { observeSettled } from '../settled.ts'
import { apply } from './apply.ts'
import { creationHash, wantedAttributes } from './attributes.ts'
import { changes } from './changes.ts'
import { check } from './check.ts'
import { createGraphClient, heeding } from './client.ts'
import type { EntraSettings } from './config.ts'
import type { Directory } from './directory.ts'
import { entitlementNames } from './entitlement-names.ts'
import { failureText } from './errors.ts'
import { createGroupMemory, lookUp } from './groups.ts'
import { indirectGrantsOf } from './indirect-grants.ts'
import { listAccounts } from './list-accounts.ts'
import { entraManifest } from './manifest.ts'
import { membersOf, whoIs } from './members.ts'
import { accounts, grantsOf, observe } from './observe.ts'
import { createPacing } from './pacing.ts'
import { poll } from './poll.ts'
import { createTokens } from './tokens.ts'
import { createTransport } from './transport.ts'

/**
 * A Microsoft Entra ID tenant, through Graph. Make one per lane and process; they share their budget and nothing else. It
 * holds a token and, for a minute, what it read of groups.
 */
export const createEntraConnector = (target: TargetId, settings: EntraSettings, tools: ConnectorTools): Connector => {
  const tokens = createTokens(settings, tools.now, tools.secret)
  const transport = createTransport(settings, tokens, tools.now)
  const pacing = createPacing(tools.budget, settings)
  const client = createGraphClient(transport, pacing, tools, settings.limits.requestsAtOnce)
  const directory: Directory = {
    client,
    settings,
    memory: createGroupMemory(tools.now),
    sizes: new Map<NativeId, number>(),
  }
  const until = (signal: AbortSignal): Directory => ({ ...directory, client: heeding(client, signal) })
  return {
    target,
    manifest: entraManifest(settings),
    check: (signal, uses) => check(directory, tokens, signal, uses),
    attributesHash: (worker) => attributesHash(wantedAttributes(settings, worker)),
    creationHash: (worker) => creationHash(settings, worker),
    resolveEntitlements: (refs, signal) =>
      Promise.all(
        refs.map(async ({ lookup }) => {
          const named = await lookUp(client, lookup, { signal })
          switch (named.kind) {
            case 'found':
            case 'missing':
              return named
            case 'ambiguous':
              return { kind: 'failed', cause: 'ambiguous-name' } as const
            case 'failed':
              return { kind: 'failed', cause: failureText(named.failure) } as const
            default:
              return named satisfies never
          }
        }),
      ),
    entitlementNames: (ids, signal) => {
      const { client: heeded, memory } = until(signal)
      return entitlementNames(heeded, memory, ids)
    },
    apply: (operations, context) => apply(directory, operations, context),
    observe: (operations, observing) =>
      observeSettled(settings.settle.ms, operations, observing, (asked) =>
        observe(until(observing.signal), asked, observing),
      ),
    poll: (asked, signal) => poll(until(signal), asked),
    grantsOf: (ids, signal) => grantsOf(directory, ids, signal),
    indirectGrantsOf: (ids, signal) => indirectGrantsOf(directory, ids, signal),
    membersOf: (refs, signal) => membersOf(directory, refs, signal),
    whoIs: (members, signal) => whoIs(directory, members, signal),
    accounts: (ids, signal) => accounts(directory, ids, signal),
    listAccounts: (signal) => listAccounts(directory, signal),
    changes: (cursor, signal) => changes(directory, cursor, signal),
    close: async () => {},
  }
}
