import { connectorType, uuidForm } from '../connector-type.ts'
import { ldapSettingsSchema } from './config.ts'
import { lookupProblem } from './lookup.ts'
import { ldapManifest } from './manifest.ts'

export const ldapType = connectorType({
  type: 'ldap',
  member: 'ldap',
  settings: ldapSettingsSchema,
  secrets: [['bindPassword']],
  files: [['caFile']],
  accountIds: { form: uuidForm, is: 'an entryUUID', beforehand: false },
  mapsByItself: false,
  missingToCreate: ({ account }) =>
    account.rdn === undefined
      ? [
          {
            path: ['account', 'rdn'],
            message: 'is missing: with accounts: create it names the entry, e.g. uid={username}',
          },
        ]
      : [],
  nothingToDelete: null,
  clash: () => null,
  manifest: () => ldapManifest,
  mapping: ({ account, alternatives }) => ({ ...account, alternatives }),
  lookupProblem,
  ownRemedy: 'let ldap.bindDn read its own entry',
  remarks: () => [],
  create: async (id, settings, { giveWay, now, secret }) =>
    (await import('./connector.ts')).createLdapConnector(id, settings, giveWay, now, secret),
})
