import { readFile } from 'node:fs/promises'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { ConnectorTools } from '../connector.ts'
import { credentialTrouble, secretUnreadable } from './credential-trouble.ts'
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

/** So soon does what came from a file end for the SDK, ms: it asks again, and nobody else decides when a file has changed. */
const readAgainMs = 60_000

/** undefined: the SDK searches by itself. A function is asked again when what it gave is about to expire. */
export const credentialsOf = (
  settings: WireSettings,
  secret: ConnectorTools['secret'],
): Identity | (() => Promise<Identity>) | undefined => {
  const { credentials } = settings
  switch (credentials.from) {
    case 'default':
      return undefined
    case 'keys': {
      const { from: _, sessionToken, ...keys } = credentials
      const given = { ...keys, ...(sessionToken === undefined ? {} : { sessionToken }) }
      return secret === undefined ? given : () => keysNow(given, secret)
    }
    case 'webIdentity':
      return () => exchangeToken(settings, credentials)
    default:
      return credentials satisfies never
  }
}

/** The parts may stand in files that are changed one after the other: a pair that does not fit is refused, and read again. */
const keysNow = async (given: Identity, secret: NonNullable<ConnectorTools['secret']>): Promise<Identity> => {
  const names = ['accessKeyId', 'secretAccessKey', 'sessionToken'] as const
  const read = await Promise.all(names.map(async (name) => [name, await secret(`credentials.${name}`)] as const)).catch(
    () => Promise.reject(secretUnreadable()),
  )
  const now = read.filter(([, value]) => value !== null)
  if (now.length === 0) return given
  return { ...given, ...Object.fromEntries(now), expiration: new Date(Date.now() + readAgainMs) }
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
  } catch (error) {
    throw credentialTrouble(error)
  } finally {
    sts.destroy()
  }
}

/** For any client of the SDK. */
export const wholeConfig = (settings: WireSettings, secret: ConnectorTools['secret']) => {
  const credentials = credentialsOf(settings, secret)
  return { ...clientConfig(settings), ...(credentials === undefined ? {} : { credentials }) }
}
