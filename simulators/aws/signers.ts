/** Who signs. Signatures are not checked; whose access key id AWS does not take (any more) is refused, as each protocol says it. */
import type { IncomingHttpHeaders } from 'node:http'
import type { IamError } from './iam.ts'
import type { Answer } from './wire.ts'

/** A session that has ended; a key that is not there (any more). */
export type Refusal = 'expired' | 'unknown'

export type Signers = {
  /** From now on; `*`: whoever signs. */
  readonly refuse: (accessKeyId: string, why: Refusal) => void
  readonly takeAll: () => void
  /** Whoever signed a call, in the order of the calls. */
  readonly signed: () => readonly string[]
  /** How many sessions STS was asked for by web identities: these calls are not signed. */
  readonly signIns: () => number
  readonly forget: () => void
  /** Of this call: why it is refused; null: it is not. */
  readonly admit: (headers: IncomingHttpHeaders, body: string) => Refusal | null
}

export const signers = (): Signers => {
  const refused = new Map<string, Refusal>()
  let signed: string[] = []
  let signIns = 0
  return {
    refuse: (accessKeyId, why) => void refused.set(accessKeyId, why),
    takeAll: () => refused.clear(),
    signed: () => signed,
    signIns: () => signIns,
    forget: () => {
      signed = []
      signIns = 0
    },
    admit: ({ authorization = '' }, body) => {
      const [, accessKeyId] = /\bCredential=([^/,\s]+)\//.exec(authorization) ?? []
      if (accessKeyId === undefined) {
        if (new URLSearchParams(body).get('Action') === 'AssumeRoleWithWebIdentity') signIns += 1
        return null
      }
      signed.push(accessKeyId)
      return refused.get(accessKeyId) ?? refused.get('*') ?? null
    },
  }
}

/** Common errors of the API references; no service model lists them. */
const texts: Readonly<Record<Refusal, { readonly json: string; readonly query: string; readonly message: string }>> = {
  expired: {
    json: 'ExpiredTokenException',
    query: 'ExpiredToken',
    message: 'The security token included in the request is expired',
  },
  unknown: {
    json: 'UnrecognizedClientException',
    query: 'InvalidClientTokenId',
    message: 'The security token included in the request is invalid.',
  },
}

export const refusedAsJson = (why: Refusal): Answer => ({
  status: 400,
  body: { __type: texts[why].json, message: texts[why].message },
})
export const refusedAsQuery = (why: Refusal): IamError => ({
  status: 403,
  code: texts[why].query,
  message: texts[why].message,
})
