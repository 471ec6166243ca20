import { credentialFiles, credentialSecrets, sessionsLeft } from '../aws-wire/settings.ts'
import { connectorType } from '../connector-type.ts'
import { awsSettingsSchema } from './config.ts'
import { lookupProblem } from './entitlement.ts'
import { awsManifest } from './manifest.ts'

export const awsType = connectorType({
  type: 'aws',
  member: 'aws',
  settings: awsSettingsSchema,
  secrets: credentialSecrets,
  files: credentialFiles,
  accountIds: {
    // https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_User.html
    form: /^(?:[0-9a-f]{10}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    is: 'a UserId',
    beforehand: false,
  },
  mapsByItself: true,
  missingToCreate: () => [],
  nothingToDelete: null,
  clash: () => null,
  manifest: () => awsManifest,
  mapping: ({ account, correlation }) => ({ ...account, correlation }),
  lookupProblem,
  ownRemedy: null,
  remarks: ({ sessions }) => sessionsLeft('aws', sessions),
  create: async (id, settings, tools) => (await import('./connector.ts')).createAwsConnector(id, settings, tools),
})
