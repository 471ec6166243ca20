import type { TargetId } from '../../domain/ids.ts'
import { lookUps } from '../alternatives.ts'
import { attributesHash, mapAttributes } from '../attribute-mapping.ts'
import { atOnce, type Connector, type ConnectorTools, type GiveWay } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import { creationHash } from '../ldap-wire/attributes.ts'
import { createLdapClient } from '../ldap-wire/client.ts'
import { createPace } from '../ldap-wire/pace.ts'
import { observeSettled } from '../settled.ts'
import { apply } from './apply.ts'
import { changes } from './changes.ts'
import { check } from './check.ts'
import type { LdapSettings } from './config.ts'
import { entitlementNames, groupIdentities } from './groups.ts'
import { listAccounts } from './list-accounts.ts'
import { ldapManifest } from './manifest.ts'
import { membersOf, whoIs } from './members.ts'
import { accounts, grantsOf, observe } from './observe.ts'
import { own } from './own.ts'

/**
 * An OpenLDAP directory. Make one per lane and process: it holds one connection to read, one to write and those that create
 * accounts, opened when first needed and again after they break. `close` ends them; operations in flight answer.
 */
export const createLdapConnector = (
  target: TargetId,
  settings: LdapSettings,
  giveWay: GiveWay = atOnce,
  now: () => number = Date.now,
  secret?: ConnectorTools['secret'],
): Connector => {
  const client = createLdapClient(
    { ...settings, currentPassword: async () => (await secret?.('bindPassword')) ?? null },
    giveWay,
  )
  const pace = createPace()
  return {
    target,
    manifest: ldapManifest,
    check: (_, uses) => check(client, settings, uses),
    attributesHash: (worker) => attributesHash(mapAttributes(settings.account.attributes, worker)),
    creationHash: (worker) => creationHash(settings.account, worker, lookUps(settings.alternatives, worker)),
    resolveEntitlements: async (refs) => {
      const identities = await groupIdentities(
        client,
        settings,
        refs.map(({ lookup }) => lookup),
      )
      return refs.map(({ lookup }) => {
        const identity = identities.get(lookup)
        if (identity?.kind === 'found') return identity
        if (identity?.kind === 'failed') return { kind: 'failed', cause: failureText(identity.failure) }
        return identity?.kind === 'outside' ? { kind: 'failed', cause: 'outside-groups-base' } : { kind: 'missing' }
      })
    },
    entitlementNames: (ids) => entitlementNames(client, settings, ids),
    apply: (operations, context) => apply(client, settings, pace, operations, context),
    observe: (operations, observing) =>
      observeSettled(ldapManifest.settleMs, operations, observing, (asked) =>
        observe(client, settings, pace, asked, observing),
      ),
    grantsOf: (ids) => grantsOf(client, settings, ids),
    membersOf: (refs) => membersOf(client, settings, refs),
    whoIs: (members) => whoIs(client, settings, members),
    accounts: (ids) => accounts(client, settings, ids),
    listAccounts: () => listAccounts(client, settings),
    changes: (cursor) => changes(client, settings, cursor, now()),
    own: () => own(client, settings),
    close: async () => client.close(),
  }
}
