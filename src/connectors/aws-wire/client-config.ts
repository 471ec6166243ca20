import { readFile } from 'node:fs/promises'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { WireSettings } from './settings.ts'

/** What every AWS client here is made with: its own retries off, both timeouts on. */
export const clientConfig = ({
  region,
  endpoint,
  timeouts,
}: Pick<WireSettings, 'region' | 'endpoint' | 'timeouts'>) => ({
  region,
  maxAttempts: 1,
  requestHandler: {
    connectionTimeout: timeouts.connectMs,
    requestTimeout: timeouts.requestMs,
    throwOnRequestTimeout: true,
  },
  ...(endpoint === undefined ? {} : { endpoint }),
})

type Identity = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/** undefined: the SDK searches by itself. A function is asked again when what it gave is about to expire. */
export const credentialsOf = (settings: WireSettings): Identity | (() => Promise<Identity>) | undefined => {
  const { credentials } = settings
  switch (credentials.from) {
    case 'default':
      return undefined
    case 'keys': {
      const { accessKeyId, secretAccessKey, sessionToken } = credentials
      return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
    }
    case 'webIdentity':
      return () => exchangeToken(settings, credentials)
    default:
      return credentials satisfies never
  }
}

const exchangeToken = async (
  settings: WireSettings,
  from: Extract<WireSettings['credentials'], { from: 'webIdentity' }>,
): Promise<Identity> => {
  // The call carries no signature: the token is what identifies us.
  const sts = new STSClient({ ...clientConfig(settings), credentials: { accessKeyId: '', secretAccessKey: '' } })
  try {
    const { Credentials } = await sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: from.roleArn,
        RoleSessionName: from.sessionName,
        WebIdentityToken: (await readFile(from.tokenFile, 'utf8')).trim(),
      }),
    )
    return {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      ...(Credentials?.SessionToken === undefined ? {} : { sessionToken: Credentials.SessionToken }),
      ...(Credentials?.Expiration === undefined ? {} : { expiration: Credentials.Expiration }),
    }
  } finally {
    sts.destroy()
  }
}

/** For any client of the SDK. */
export const wholeConfig = (settings: WireSettings) => {
  const credentials = credentialsOf(settings)
  return { ...clientConfig(settings), ...(credentials === undefined ? {} : { credentials }) }
}
