import { readFile } from 'node:fs/promises'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { ConnectorTools } from '../connector.ts'
import { credentialTrouble, secretUnreadable } from './credential-trouble.ts'
import type { WireSettings } from './settings.ts'
import { type Credentials, createSignIn, type SignIn, type Source } from './sign-in.ts'

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

/** One for all clients of a connector. */
export const signIn = (settings: WireSettings, { secret, now }: Pick<ConnectorTools, 'secret' | 'now'>): SignIn =>
  createSignIn(sourceOf(settings, secret), now)

const sourceOf = (settings: WireSettings, secret: ConnectorTools['secret']): Source => {
  const { credentials } = settings
  switch (credentials.from) {
    case 'default':
      return foundBySdk(settings)
    case 'keys': {
      const { from: _, sessionToken, ...keys } = credentials
      const given = { ...keys, ...(sessionToken === undefined ? {} : { sessionToken }) }
      return secret === undefined
        ? { obtain: async () => given, isReadEachTime: false }
        : { obtain: () => keysNow(given, secret), isReadEachTime: true }
    }
    case 'webIdentity':
      return { obtain: () => exchangeToken(settings, credentials), isReadEachTime: false }
    default:
      return credentials satisfies never
  }
}

/** The search is a client's: this one makes no call. Shared files are read again by it, not taken from what was read first. */
const foundBySdk = (settings: WireSettings): Source => {
  const searching = { ...clientConfig(settings), ignoreCache: true }
  const { config } = new STSClient(searching)
  return {
    obtain: (isRefused) =>
      config
        .credentials({ forceRefresh: isRefused })
        .catch((error: unknown) => Promise.reject(credentialTrouble(error))),
    isReadEachTime: false,
  }
}

/** The parts may stand in files that are changed one after the other: a pair that does not fit is refused, and read again. */
const keysNow = async (given: Credentials, secret: NonNullable<ConnectorTools['secret']>): Promise<Credentials> => {
  const names = ['accessKeyId', 'secretAccessKey', 'sessionToken'] as const
  const read = await Promise.all(names.map(async (name) => [name, await secret(`credentials.${name}`)] as const)).catch(
    () => Promise.reject(secretUnreadable()),
  )
  return { ...given, ...Object.fromEntries(read.filter(([, value]) => value !== null)) }
}

const exchangeToken = async (
  settings: WireSettings,
  from: Extract<WireSettings['credentials'], { from: 'webIdentity' }>,
): Promise<Credentials> => {
  // The call carries no signature: the token is what identifies us.
  const sts = new STSClient({ ...clientConfig(settings), credentials: { accessKeyId: '', secretAccessKey: '' } })
  try {
    const answer = await sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: from.roleArn,
        RoleSessionName: from.sessionName,
        WebIdentityToken: (await readFile(from.tokenFile, 'utf8')).trim(),
      }),
    )
    const given = answer.Credentials
    return {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      ...(given?.SessionToken === undefined ? {} : { sessionToken: given.SessionToken }),
      ...(given?.Expiration === undefined ? {} : { expiration: given.Expiration }),
    }
  } catch (error) {
    throw credentialTrouble(error)
  } finally {
    sts.destroy()
  }
}

/** For any client of the SDK. */
export const wholeConfig = (settings: WireSettings, { credentials }: Pick<SignIn, 'credentials'>) => ({
  ...clientConfig(settings),
  credentials,
})
