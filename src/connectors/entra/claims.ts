import { z } from 'zod'

const payload = z.object({
  appid: z.string().optional(),
  azp: z.string().optional(),
  tid: z.string().optional(),
  roles: z.array(z.string()).optional().catch(undefined),
})

export type Claims = {
  readonly appId: string | null
  readonly tenant: string | null
  readonly roles: readonly string[]
}

/** What our own token says of us, for the doctor alone: nothing is decided by it. null: not a JWT. */
export const claimsOf = (token: string): Claims | null => {
  const middle = token.split('.')[1]
  if (middle === undefined) return null
  try {
    const claims = payload.parse(JSON.parse(Buffer.from(middle, 'base64url').toString('utf8')))
    return { appId: claims.appid ?? claims.azp ?? null, tenant: claims.tid ?? null, roles: claims.roles ?? [] }
  } catch {
    return null
  }
}
