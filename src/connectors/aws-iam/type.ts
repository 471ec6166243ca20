import { credentialFiles, credentialSecrets, sessionsLeft } from '../aws-wire/settings.ts'
import { connectorType } from '../connector-type.ts'
import { awsIamSettingsSchema, mayMeetInARole, sessionNamePattern } from './config.ts'
import { lookupProblem } from './lookup.ts'
import { awsIamManifest } from './manifest.ts'

export const awsIamType = connectorType({
  type: 'aws-iam',
  member: 'iam',
  settings: awsIamSettingsSchema,
  secrets: credentialSecrets,
  files: credentialFiles,
  accountIds: { form: sessionNamePattern, is: 'the name of a session', beforehand: true },
  mapsByItself: false,
  missingToCreate: () => [],
  nothingToDelete: 'IAM roles have no accounts that could be deleted, only the names of sessions',
  // IAM has no version to compare, so a role is read and written in a place, and places are a target's own: of two targets each would
  // send back what the other has just taken out, by whatever name. Statements of one name would even be each other's.
  clash: (mine, { id, settings }) =>
    mayMeetInARole(settings, mine)
      ? {
          path: ['roles'],
          message: `may be roles of ${id}, too: of two targets that write one role, each undoes what the other writes at that moment`,
        }
      : null,
  manifest: awsIamManifest,
  mapping: ({ session }) => session,
  lookupProblem,
  ownRemedy: 'sts:GetCallerIdentity must answer',
  remarks: ({ sessions }) => sessionsLeft('aws-iam', sessions),
  create: async (id, settings, tools) => (await import('./connector.ts')).createAwsIamConnector(id, settings, tools),
})
