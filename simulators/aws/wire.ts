/** AWS's JSON protocol 1.1, as far as the two services need it. */
import type { IncomingMessage } from 'node:http'

export type Json = Readonly<Record<string, unknown>>
export type Service = 'identitystore' | 'sso-admin'
export type Target = { readonly service: Service; readonly operation: string }
export type Answer = { readonly status: number; readonly body: Json }

/** botocore: metadata.targetPrefix. */
const prefixes: Readonly<Record<string, Service>> = {
  AWSIdentityStore: 'identitystore',
  SWBExternalService: 'sso-admin',
}

export const targetOf = (header: string | undefined): Target | null => {
  const [prefix = '', operation = ''] = (header ?? '').split('.')
  const service = prefixes[prefix]
  return service === undefined || operation === '' ? null : { service, operation }
}

/** What a rule answers instead of a result. */
export class AwsError extends Error {
  override readonly name = 'AwsError'
  readonly answer: Answer
  constructor(type: string, message: string, more: Json = {}, status = 400) {
    super(message)
    this.answer = { status, body: { __type: type, Message: message, ...more } }
  }
}

export const notFound = (resource: string): AwsError =>
  new AwsError('ResourceNotFoundException', `${resource} not found.`, { ResourceType: resource })

export const readBody = async (message: AsyncIterable<unknown> | IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString('utf8')
}

export const text = (body: Json, name: string): string => {
  const value = body[name]
  return typeof value === 'string' ? value : ''
}

export const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

/** moto answers null where AWS leaves the member out. */
export const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([name, inner]) => [name, withoutNulls(inner)]),
  )
}
