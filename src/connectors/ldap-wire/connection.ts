import { z } from 'zod'
import { parseDn } from '../../domain/dn.ts'
import { checkTemplate } from '../template.ts'
import { splitRdn } from './attributes.ts'

/** What it takes to hold bound connections to one server. */
export type ConnectionSettings = {
  /** ldaps://host[:port] or ldap://host[:port] */
  readonly url: string
  /** undefined: as the URL says. `plain` is never a default. */
  readonly security?: 'tls' | 'startTls' | 'plain' | undefined
  /** PEM file of the authorities to trust instead of the system's. */
  readonly caFile?: string | undefined
  readonly bindDn: string
  readonly bindPassword: string
  /** What it is now, if that may be another one; null: it is not. */
  readonly currentPassword?: (() => Promise<string | null>) | undefined
  readonly timeouts: { readonly connectMs: number; readonly operationMs: number }
  /** Connections that write; the first is for memberships. */
  readonly createConnections: number
}

export const dn = z
  .string()
  .min(1)
  .refine((text) => parseDn(text) !== null, 'not a distinguished name (RFC 4514)')

export const attributeName = z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'not an LDAP attribute name')

/** Naming attribute and its template, e.g. `uid={username}`. */
export const rdnTemplate = (example: string) =>
  z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]*=.+$/, `must read attribute=template, e.g. ${example}`)
    .superRefine(checkTemplate((rdn) => splitRdn(rdn)[1]))

export const timeouts = z
  .strictObject({
    connectMs: z.number().int().min(10).max(120_000).default(5_000),
    operationMs: z.number().int().min(10).max(600_000).default(15_000),
  })
  .prefault({})
