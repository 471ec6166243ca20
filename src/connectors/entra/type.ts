import { connectorType, type SettingsProblem, uuidForm } from '../connector-type.ts'
import { type EntraSettings, entraSettingsSchema } from './config.ts'
import { lookupProblem } from './lookup.ts'
import { entraManifest } from './manifest.ts'

export const entraType = connectorType({
  type: 'entra',
  member: 'entra',
  settings: entraSettingsSchema,
  secrets: [['credential', 'secret']],
  files: [
    ['credential', 'tokenFile'],
    ['credential', 'certificateFile'],
    ['credential', 'secretFile'],
  ],
  accountIds: { form: uuidForm, is: 'an object id', beforehand: false },
  mapsByItself: true,
  missingToCreate: (settings) => missingToCreate(settings),
  nothingToDelete: null,
  clash: () => null,
  manifest: entraManifest,
  mapping: ({ account, alternatives }) => ({ ...account, alternatives }),
  lookupProblem,
  ownRemedy: null,
  remarks: () => [],
  create: async (id, settings, tools) => (await import('./connector.ts')).createEntraConnector(id, settings, tools),
})

const missingToCreate = ({
  account: { userPrincipalName, attributes },
}: Pick<EntraSettings, 'account'>): readonly SettingsProblem[] => [
  ...(userPrincipalName === undefined
    ? [
        {
          path: ['account', 'userPrincipalName'],
          message: 'is missing: with accounts: create it names the user, e.g. {username}@contoso.com',
        },
      ]
    : []),
  ...(attributes.displayName === undefined
    ? [
        {
          path: ['account', 'attributes'],
          message: 'displayName is missing: with accounts: create Graph requires it',
        },
      ]
    : []),
]
