/** The part of the Microsoft identity platform that client credentials need: discovery and the v2.0 token endpoint. */
import { randomUUID } from 'node:crypto'
import type { App } from './apps.ts'
import { checkAssertion } from './assertion.ts'
import type { Clock } from './clock.ts'
import type { Tenant } from './context.ts'
import type { Tokens } from './tokens.ts'

export type IdentityAnswer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }
export type IdentityRequest = {
  readonly method: string
  readonly segments: readonly string[]
  /** Of the form body. */
  readonly form: URLSearchParams
  readonly authorization: string | undefined
  readonly origin: string
}
export type Identity = (request: IdentityRequest) => IdentityAnswer | undefined

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export const identityPlatform = (tenant: Tenant, apps: readonly App[], tokens: Tokens, clock: Clock): Identity => {
  const fail = (error: string, code: number, text: string): IdentityAnswer => {
    const [trace, correlation] = [randomUUID(), randomUUID()]
    const timestamp = `${new Date(clock.epochMs()).toISOString().slice(0, 19).replace('T', ' ')}Z`
    return {
      status: error === 'invalid_client' ? 401 : 400,
      body: {
        error,
        error_description: `AADSTS${code}: ${text} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
        error_codes: [code],
        timestamp,
        trace_id: trace,
        correlation_id: correlation,
        error_uri: `https://login.microsoftonline.com/error?code=${code}`,
      },
    }
  }

  const token = ({ form, origin, authorization }: IdentityRequest, authority: string): IdentityAnswer => {
    const grant = form.get('grant_type')
    if (grant === null)
      return fail('invalid_request', 900144, "The request body must contain the following parameter: 'grant_type'.")
    if (grant !== 'client_credentials')
      return fail('unsupported_grant_type', 70003, `The app requested an unsupported grant type '${grant}'.`)
    const basic = /^Basic (.+)$/i.exec(authorization ?? '')?.[1]
    const [basicId, basicSecret] = basic === undefined ? [] : Buffer.from(basic, 'base64').toString().split(':')
    const clientId = form.get('client_id') ?? basicId ?? null
    if (clientId === null)
      return fail('invalid_request', 900144, "The request body must contain the following parameter: 'client_id'.")
    const app = apps.find((registered) => registered.clientId === clientId)
    if (app === undefined)
      return fail(
        'unauthorized_client',
        700016,
        `Application with identifier '${clientId}' was not found in the directory '${tenant.displayName}'.`,
      )
    // Of Graph, whichever address it has for this client: client credentials take nothing but `.default`.
    if (!/\/\.default$/.test(form.get('scope') ?? ''))
      return fail(
        'invalid_scope',
        1002012,
        'The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
      )
    const secret = form.get('client_secret') ?? basicSecret ?? null
    const assertion = form.get('client_assertion')
    if (assertion !== null && form.get('client_assertion_type') === assertionType) {
      const audiences = [
        `${authority}/oauth2/v2.0/token`,
        `${authority}/v2.0`,
        `${origin}/${tenant.id}/oauth2/v2.0/token`,
      ]
      const checked = checkAssertion(app, assertion, { audiences, nowS: clock.epochMs() / 1000 })
      if (!checked.ok) return fail('invalid_client', checked.code, checked.text)
    } else if (secret === null)
      return fail(
        'invalid_client',
        7000216,
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
      )
    else if (!(app.secrets ?? []).includes(secret))
      return fail(
        'invalid_client',
        7000215,
        `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
      )
    const issued = tokens.issue(app)
    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        expires_in: issued.expiresInS,
        ext_expires_in: issued.expiresInS,
        access_token: issued.token,
      },
    }
  }

  return (request) => {
    const { method, segments, origin } = request
    const [name = '', ...rest] = segments
    const path = rest.join('/')
    const authority = `${origin}/${name}`
    const isToken = method === 'POST' && path === 'oauth2/v2.0/token'
    const isDiscovery = method === 'GET' && path === 'v2.0/.well-known/openid-configuration'
    if (!isToken && !isDiscovery) return undefined
    const isOurs = name === tenant.id || tenant.domains.some((domain) => domain.name === name)
    if (!isOurs)
      return fail(
        'invalid_request',
        90002,
        `Tenant '${name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
      )
    if (isToken) return token(request, authority)
    return {
      status: 200,
      body: {
        token_endpoint: `${authority}/oauth2/v2.0/token`,
        token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
        jwks_uri: `${authority}/discovery/v2.0/keys`,
        response_modes_supported: ['query', 'fragment', 'form_post'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
        response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
        scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
        issuer: `${origin}/${tenant.id}/v2.0`,
        authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
        tenant_region_scope: 'EU',
        cloud_instance_name: 'microsoftonline.com',
        msgraph_host: 'graph.microsoft.com',
      },
    }
  }
}
