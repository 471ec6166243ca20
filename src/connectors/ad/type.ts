import { connectorType, uuidForm } from '../connector-type.ts'
import { adSettingsSchema } from './config.ts'
import { lookupProblem } from './lookup.ts'
import { adManifest } from './manifest.ts'

export const adType = connectorType({
  type: 'ad',
  member: 'ad',
  settings: adSettingsSchema,
  secrets: [['bindPassword']],
  files: [['caFile']],
  accountIds: { form: uuidForm, is: 'an objectGUID, without braces', beforehand: false },
  mapsByItself: false,
  missingToCreate: () => [],
  nothingToDelete: null,
  clash: () => null,
  manifest: adManifest,
  mapping: ({ account, alternatives }) => ({ ...account, alternatives }),
  lookupProblem,
  ownRemedy: 'set ad.bindName to the DN, the UPN or DOMAIN\\name of the service account',
  remarks: () => [],
  create: async (id, settings, tools) => (await import('./connector.ts')).createAdConnector(id, settings, tools),
})
