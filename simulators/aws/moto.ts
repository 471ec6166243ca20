/** The server behind: keeps users, groups, memberships, permission sets and assignments. */
import { createHash } from 'node:crypto'
import { type Answer, AwsError, type Json, record, type Service, withoutNulls } from './wire.ts'

export type Moto = {
  readonly url: string
  /** What it answers to this operation; throws AwsError when that is an error. */
  readonly ask: (service: Service, operation: string, body: Json) => Promise<Json>
}

const scopes: Readonly<Record<Service, { readonly prefix: string; readonly signing: string }>> = {
  identitystore: { prefix: 'AWSIdentityStore', signing: 'identitystore' },
  'sso-admin': { prefix: 'SWBExternalService', signing: 'sso' },
}

/**
 * moto 5.2.5 makes ids that the service models do not allow: permission set ARNs such as `:instance/ssoins-…/ps-…`, and
 * identity store ids that are not hexadecimal. Outside they have the form that AWS gives them.
 */
const idNames = () => {
  const inside = new Map<string, string>()
  const alias = (id: string): string => {
    const outside = `d-${createHash('sha256').update(id).digest('hex').slice(0, 10)}`
    inside.set(outside, id)
    return outside
  }
  const storeId = /("IdentityStoreId":\s*")(d-[0-9a-z]{10})(")/g
  return {
    outward: (json: string): string =>
      json
        .replace(/:instance\/(ssoins-[\w-]+)\/ps-([\w-]+)/g, ':permissionSet/$1/ps-$2')
        .replace(storeId, (_, before: string, id: string, after: string) => `${before}${alias(id)}${after}`),
    inward: (json: string): string =>
      json
        .replace(/:permissionSet\/(ssoins-[\w-]+)\/ps-([\w-]+)/g, ':instance/$1/ps-$2')
        .replace(storeId, (_, before: string, id: string, after: string) => `${before}${inside.get(id) ?? id}${after}`),
  }
}

export const moto = (url: string, region: string): Moto => {
  const { inward, outward } = idNames()
  return {
    url,
    ask: async (service, operation, body) => {
      const { prefix, signing } = scopes[service]
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `${prefix}.${operation}`,
          // It looks at the scope only, to know which service and region is meant.
          authorization: `AWS4-HMAC-SHA256 Credential=simulator/20200101/${region}/${signing}/aws4_request, SignedHeaders=host, Signature=none`,
        },
        body: inward(JSON.stringify(body)),
      })
      const said = outward(await answer.text())
      const parsed = record(withoutNulls(parse(said)))
      if (answer.ok) return parsed
      throw fromMoto({ status: answer.status, body: parsed }, operation)
    },
  }
}

const fromMoto = ({ status, body }: Answer, operation: string): AwsError => {
  const { __type, message, Message, ...more } = body
  if (typeof __type !== 'string')
    return new AwsError('InternalServerException', `moto cannot do ${operation} (${status})`, {}, 500)
  return new AwsError(__type, String(Message ?? message ?? ''), more, status)
}

const parse = (json: string): unknown => {
  try {
    return json === '' ? {} : JSON.parse(json)
  } catch {
    return {}
  }
}
