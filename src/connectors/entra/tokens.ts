import { readFile } from 'node:fs/promises'
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity'
import type { ConnectorTools } from '../connector.ts'
import { cloudOf } from './clouds.ts'
import type { EntraSettings } from './config.ts'
import { failed, ok, type Result } from './errors.ts'
import { tokenFailure } from './token-failure.ts'

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
  let held: { readonly token: string; readonly until: number } | undefined
  let failingSince: number | undefined
  let asked: Promise<Result<string>> | undefined

  const ask = async (): Promise<Result<string>> => {
    try {
      const credential = await open(settings, secretNow)
      const given = await credential.getToken(`${cloud.graph}/.default`, {
        abortSignal: AbortSignal.timeout(settings.timeouts.requestMs),
      })
      failingSince = undefined
      held = { token: given.token, until: given.expiresOnTimestamp - spareMs }
      return ok(given.token)
    } catch (error) {
      failingSince ??= now()
      return failed(tokenFailure(error, now() - failingSince))
    }
  }
  return {
    token: async () => {
      if (held !== undefined && now() < held.until) return ok(held.token)
      asked ??= ask().finally(() => {
        asked = undefined
      })
      return asked
    },
    reject: (token) => {
      if (held?.token === token) held = undefined
    },
  }
}

const open = async (settings: EntraSettings, secretNow: NonNullable<ConnectorTools['secret']>) => {
  const { tenant, clientId, credential } = settings
  const { authority, known } = cloudOf(settings)
  const options = { authorityHost: authority, disableInstanceDiscovery: !known, retryOptions: { maxRetries: 0 } }
  switch (credential.kind) {
    case 'federated':
      return new ClientAssertionCredential(tenant, clientId, () => textOf(credential.tokenFile), options)
    case 'certificate':
      return new ClientCertificateCredential(
        tenant,
        clientId,
        { certificate: await textOf(credential.certificateFile) },
        options,
      )
    case 'secret': {
      const secret =
        credential.secretFile === undefined
          ? ((await secretNow('credential.secret')) ?? credential.secret ?? '')
          : await textOf(credential.secretFile)
      return new ClientSecretCredential(tenant, clientId, secret, options)
    }
    default:
      return credential satisfies never
  }
}

const textOf = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trim()
