import { fileProblem } from '../named-file.ts'
import { cloudOf } from './clouds.ts'
import type { EntraSettings } from './config.ts'
import { systemCode } from './token-failure.ts'

/**
 * What the token library does not tell of its own failure: that the authority cannot be reached, or that its certificate is
 * not trusted here.
 */
export const tokenTrouble = async (settings: EntraSettings, signal: AbortSignal): Promise<readonly string[]> => {
  const { authority } = cloudOf(settings)
  try {
    await fetch(authority, { method: 'HEAD', redirect: 'manual', signal })
    return []
  } catch (error) {
    const code = systemCode(error)
    return [
      isCertificate.test(code)
        ? `the certificate of ${authority} is not trusted here (${code}): NODE_EXTRA_CA_CERTS names a PEM file of authorities to trust besides`
        : `${authority} does not answer (${code})`,
    ]
  }
}

/** How Node names what it does not take of a certificate (OpenSSL's X509_V_ERR_…). */
const isCertificate = /CERT|UNABLE_TO_|ERR_TLS_|CRL/

/** The credential's file that cannot be read: the token library would not name it. */
export const credentialProblem = ({ credential }: EntraSettings): Promise<string | null> => {
  switch (credential.kind) {
    case 'federated':
      return fileProblem('credential.tokenFile', credential.tokenFile)
    case 'certificate':
      return fileProblem('credential.certificateFile', credential.certificateFile)
    case 'secret':
      return credential.secretFile === undefined
        ? Promise.resolve(null)
        : fileProblem('credential.secretFile', credential.secretFile)
    default:
      return credential satisfies never
  }
}
