import { readFile } from 'node:fs/promises'
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity'
import { cloudOf } from './clouds.ts'
import type { EntraSettings } from './config.ts'
import { type Failure, failed, ok, type Result } from './errors.ts'

export type Tokens = {
  /** The token in hand, or a new one. */
  readonly token: () => Promise<Result<string>>
  /** Graph did not take it: the next call gets another, with whatever credential the file holds by then. */
  readonly reject: (token: string) => void
}

/** A token that ends so soon is not begun with. */
const spareMs = 120_000

/** Tokens of the application. Nothing of a credential is kept: each new token reads its file again. */
export const createTokens = (settings: EntraSettings, now: () => number): Tokens => {
  const cloud = cloudOf(settings)
  let held: { readonly token: string; readonly until: number } | undefined
  let asked: Promise<Result<string>> | undefined

  const ask = async (): Promise<Result<string>> => {
    try {
      const credential = await open(settings)
      const given = await credential.getToken(`${cloud.graph}/.default`, {
        abortSignal: AbortSignal.timeout(settings.timeouts.requestMs),
      })
      held = { token: given.token, until: given.expiresOnTimestamp - spareMs }
      return ok(given.token)
    } catch (error) {
      return failed(tokenFailure(error))
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

const open = async (settings: EntraSettings) => {
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
        credential.secretFile === undefined ? (credential.secret ?? '') : await textOf(credential.secretFile)
      return new ClientSecretCredential(tenant, clientId, secret, options)
    }
    default:
      return credential satisfies never
  }
}

const textOf = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trim()

/** AADSTS codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const words: Readonly<Record<string, string>> = {
  AADSTS700016: 'app-unknown',
  AADSTS7000215: 'secret-wrong',
  AADSTS7000222: 'credential-expired',
  AADSTS700027: 'certificate-unknown',
  AADSTS700024: 'assertion-expired',
  AADSTS700213: 'assertion-not-federated',
  AADSTS90002: 'tenant-unknown',
}

/** A token that could not be had: nothing was sent to Graph. The library's text may quote the request, so only codes are kept. */
const tokenFailure = (error: unknown): Failure => {
  const text = error instanceof Error ? error.message : ''
  const sts = /AADSTS\d+/.exec(text)?.[0]
  const code = sts ?? systemCode(error)
  const isRefusal = sts !== undefined || code === 'invalid_client' || code === 'unauthorized_client'
  return {
    status: isRefusal ? 401 : null,
    code,
    word: sts === undefined ? (isRefusal ? 'credential-refused' : 'no-token') : (words[sts] ?? 'credential-refused'),
    sent: false,
  }
}

/** The innermost code that an error carries. */
export const systemCode = (error: unknown): string => {
  let code = ''
  for (let at = error; at instanceof Error; at = at.cause) {
    const own = (at as NodeJS.ErrnoException).code ?? (at as { errorCode?: unknown }).errorCode
    if (typeof own === 'string' && own !== '') code = own
    else if (code === '') code = at.name
  }
  return code
}
