import type { CheckReport } from '../connector.ts'
import type { WireSettings } from './settings.ts'

/** What a client of the SDK signs with, once it has signed. */
type Client = {
  readonly config: {
    readonly credentials: () => Promise<{ readonly sessionToken?: string; readonly expiration?: Date }>
  }
}

/** Which kind of credentials these are, and until when they are good. */
export const credentialKind = async (
  { credentials }: Pick<WireSettings, 'credentials'>,
  client: Client,
): Promise<Pick<CheckReport, 'facts' | 'unknown'>> => {
  const { sessionToken, expiration } = await client.config.credentials()
  const name = names[credentials.from]
  if (expiration !== undefined) return { facts: [`${name}: a session until ${expiration.toISOString()}, then another`] }
  return sessionToken === undefined
    ? { facts: [`${name}: static keys, which do not end by themselves`] }
    : { facts: [`${name}: keys of a session`], unknown: ["when the keys' session ends (nothing tells it)"] }
}

const names: Readonly<Record<WireSettings['credentials']['from'], string>> = {
  default: 'by credentials that the SDK found',
  keys: 'by configured keys',
  webIdentity: 'by web identity',
}
