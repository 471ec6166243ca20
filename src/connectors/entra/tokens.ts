import { readFile } from 'node:fs/promises'
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity'
import type { ConnectorTools } from '../connector.ts'
import { cloudOf } from './clouds.ts'
import type { EntraSettings } from './config.ts'
import { failed, ok, type Result } from './errors.ts'
import { secretUnreadable, tokenFailure } from './token-failure.ts'

export type Tokens = {
  /** The token in hand, or a new one. */
  readonly token: () => Promise<Result<string>>
  /** Graph did not take it: the next call gets another, with whatever credential the file holds by then. */
  readonly reject: (token: string) => void
}

/** A token that ends so soon is not begun with. */
const spareMs = 120_000

/** Tokens of the application. Nothing of a credential is kept: each new token reads its file again. */
export const createTokens = (
  settings: EntraSettings,
  now: () => number,
  secretNow: ConnectorTools['secret'] = async () => null,
): Tokens => {
  const cloud = cloudOf(settings)
  let inHand: { readonly token: string; readonly until: number } | undefined
  let failingSince: number | undefined
  let asked: Promise<Result<string>> | undefined

  const ask = async (): Promise<Result<string>> => {
    const held = await textOf(settings, secretNow).catch((error: unknown) => secretUnreadable(error))
    if (typeof held !== 'string') return failed(held)
    try {
      const credential = open(settings, held)
      const given = await credential.getToken(`${cloud.graph}/.default`, {
        abortSignal: AbortSignal.timeout(settings.timeouts.requestMs),
      })
      failingSince = undefined
      inHand = { token: given.token, until: given.expiresOnTimestamp - spareMs }
      return ok(given.token)
    } catch (error) {
      failingSince ??= now()
      return failed(tokenFailure(error, now() - failingSince))
    }
  }
  return {
    token: async () => {
      if (inHand !== undefined && now() < inHand.until) return ok(inHand.token)
      asked ??= ask().finally(() => {
        asked = undefined
      })
      return asked
    },
    reject: (token) => {
      if (inHand?.token === token) inHand = undefined
    },
  }
}

const open = ({ tenant, clientId, credential, ...settings }: EntraSettings, held: string) => {
  const { authority, known } = cloudOf(settings)
  const options = { authorityHost: authority, disableInstanceDiscovery: !known, retryOptions: { maxRetries: 0 } }
  switch (credential.kind) {
    case 'federated':
      return new ClientAssertionCredential(tenant, clientId, async () => held, options)
    case 'certificate':
      return new ClientCertificateCredential(tenant, clientId, { certificate: held }, options)
    case 'secret':
      return new ClientSecretCredential(tenant, clientId, held, options)
    default:
      return credential satisfies never
  }
}

/** What the credential is made of, as its file holds it now. Rejects where there is nothing to be had. */
const textOf = async (
  { credential }: EntraSettings,
  secretNow: NonNullable<ConnectorTools['secret']>,
): Promise<string> => {
  switch (credential.kind) {
    case 'federated':
      return inFile(credential.tokenFile)
    case 'certificate':
      return inFile(credential.certificateFile)
    case 'secret':
      return credential.secretFile === undefined
        ? ((await secretNow('credential.secret')) ?? credential.secret ?? '')
        : inFile(credential.secretFile)
    default:
      return credential satisfies never
  }
}

const inFile = async (file: string): Promise<string> => {
  const text = (await readFile(file, 'utf8')).trim()
  if (text === '') throw Object.assign(new Error('the file is empty'), { code: 'EMPTY' })
  return text
}
