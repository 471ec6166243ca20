import type { TargetId } from '../../domain/ids.ts'
import { lookUps } from '../alternatives.ts'
import { attributesHash, fill, mapAttributes, type Worker } from '../attribute-mapping.ts'
import type { Connector, ConnectorTools } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import { mapRdn } from '../ldap-wire/attributes.ts'
import { createPace } from '../ldap-wire/pace.ts'
import { observeSettled } from '../settled.ts'
import { isBelow } from './account.ts'
import { apply } from './apply.ts'
import { changes } from './changes.ts'
import { check } from './check.ts'
import type { AdSettings } from './config.ts'
import { createDomainControllers } from './domain-controllers.ts'
import { entitlementNames, readGroupByName } from './groups.ts'
import { indirectGrantsOf } from './indirect-grants.ts'
import { listAccounts } from './list-accounts.ts'
import { adManifest } from './manifest.ts'
import { membersOf, whoIs } from './members.ts'
import { accounts, grantsOf, observe } from './observe.ts'
import { own } from './own.ts'
import { untilAborted } from './until-aborted.ts'

/**
 * One Active Directory domain. Make one per lane and process: it holds, to the controller in use, a connection to read, one
 * to write memberships and those that write accounts. `close` ends them; operations in flight answer.
 */
export const createAdConnector = (
  target: TargetId,
  settings: AdSettings,
  tools: Pick<ConnectorTools, 'giveWay' | 'now' | 'secret'>,
): Connector => {
  const controllers = createDomainControllers(
    { ...settings, currentPassword: async () => (await tools.secret?.('bindPassword')) ?? null },
    tools.giveWay,
    tools.now,
  )
  const pinned = async () => (await controllers.pin()).client
  const reading = async (signal: AbortSignal) => untilAborted(await pinned(), signal)
  const pace = createPace()
  const manifest = adManifest(settings)
  return {
    target,
    manifest,
    check: async (_, uses) => check(await pinned(), settings, tools.now, uses),
    attributesHash: (worker) => attributesHash(mapAttributes(settings.account.attributes, worker)),
    creationHash: (worker) => creationHash(settings, worker),
    resolveEntitlements: async (refs) => {
      const client = await pinned()
      const groups = await Promise.all(refs.map(({ lookup }) => readGroupByName(client, lookup)))
      return groups.map((group) => {
        if (!group.ok) return { kind: 'failed', cause: failureText(group.failure) }
        if (group.value === null) return { kind: 'missing' }
        return isBelow(group.value.dn, settings.groupsBase)
          ? { kind: 'found', nativeId: group.value.guid }
          : { kind: 'failed', cause: 'outside-groups-base' }
      })
    },
    entitlementNames: async (ids, signal) => entitlementNames(await reading(signal), ids),
    apply: async (operations, context) => apply(await controllers.pin(), settings, pace, operations, context),
    observe: (operations, observing) =>
      observeSettled(manifest.settleMs, operations, observing, async (asked) =>
        observe(await controllers.pin(), settings, asked, observing),
      ),
    grantsOf: async (ids, signal) => grantsOf(await reading(signal), settings, ids),
    indirectGrantsOf: async (ids, signal) => indirectGrantsOf(await reading(signal), settings, ids),
    membersOf: async function* (refs, signal) {
      yield* membersOf(await reading(signal), settings, refs)
    },
    whoIs: async (members, signal) => whoIs(await reading(signal), settings, members),
    changes: async (cursor, signal) => changes(await reading(signal), settings, cursor),
    accounts: async (ids, signal) => accounts(await reading(signal), settings, ids),
    listAccounts: async (signal) => listAccounts(await reading(signal), settings),
    own: async (signal) => own(await reading(signal), settings),
    close: async () => controllers.close(),
  }
}

/** Of all that a new account would be called and have, and of what else it is looked for by. */
const creationHash = ({ account, alternatives }: AdSettings, worker: Worker): string => {
  const names = [
    ['rdn', mapRdn(account, worker)?.rdn ?? ''],
    ['sam', fill(account.sAMAccountName, worker)],
    ['upn', fill(account.userPrincipalName ?? '', worker)],
  ] as const
  return attributesHash(
    new Map([
      ...mapAttributes(account.attributes, worker),
      ...names.map(([name, value]) => [`new ${name}`, [value]] as const),
      ...lookUps(alternatives, worker),
    ]),
  )
}
