/** Access tokens: made by the token endpoint, checked on every request. */
import { createHmac, randomUUID } from 'node:crypto'
import type { App } from './apps.ts'
import type { Clock } from './clock.ts'

export type Issued = { readonly token: string; readonly expiresInS: number }
export type Checked =
  | { readonly ok: true; readonly appId: string; readonly roles: ReadonlySet<string> }
  | { readonly ok: false; readonly message: string }

export type Tokens = {
  readonly issue: (app: App) => Issued
  /** `authorization` header → whose it is, or what the service says. */
  readonly check: (authorization: string | undefined) => Checked
  /** All tokens given out so far are refused from now on. */
  readonly revokeAll: () => void
  readonly setLifeMs: (ms: number) => void
}

type Known = { readonly appId: string; readonly roles: ReadonlySet<string>; readonly expiresMs: number }

export const openTokens = (
  key: Buffer,
  tenantId: string,
  issuer: string,
  clock: Clock,
  firstLifeMs: number,
): Tokens => {
  let lifeMs = firstLifeMs
  // By its whole text: whoever changes a character has another token, which nobody issued.
  const known = new Map<string, Known>()
  const revoked = new Set<string>()
  return {
    issue: (app) => {
      const now = clock.epochMs()
      for (const [token, { expiresMs }] of known) {
        if (expiresMs > now - 600_000) break // in the order of issue
        known.delete(token)
      }
      const claims = {
        aud: 'https://graph.microsoft.com',
        iss: `${issuer}/${tenantId}/v2.0`,
        iat: Math.floor(now / 1000),
        nbf: Math.floor(now / 1000),
        exp: Math.floor((now + lifeMs) / 1000),
        appid: app.clientId,
        idtyp: 'app',
        jti: randomUUID(),
        roles: app.roles,
        tid: tenantId,
        ver: '1.0',
      }
      const text = [{ typ: 'JWT', alg: 'HS256' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.')
      const token = `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
      known.set(token, { appId: app.clientId, roles: new Set(app.roles), expiresMs: now + lifeMs })
      return { token, expiresInS: Math.max(1, Math.floor(lifeMs / 1000)) }
    },
    check: (authorization) => {
      const [scheme, token, ...more] = (authorization ?? '').trim().split(/\s+/)
      if (token === undefined || scheme?.toLowerCase() !== 'bearer' || more.length > 0)
        return { ok: false, message: 'Access token is empty.' }
      const found = known.get(token)
      if (found === undefined)
        return {
          ok: false,
          message: revoked.has(token)
            ? 'Access token validation failure.'
            : token.split('.').length === 3
              ? 'Access token validation failure. Invalid signature.'
              : 'CompactToken parsing failed with error code: 80049217',
        }
      if (found.expiresMs <= clock.epochMs())
        return { ok: false, message: 'Lifetime validation failed, the token is expired.' }
      return { ok: true, appId: found.appId, roles: found.roles }
    },
    revokeAll: () => {
      for (const token of known.keys()) revoked.add(token)
      known.clear()
    },
    setLifeMs: (ms) => {
      lifeMs = ms
    },
  }
}
