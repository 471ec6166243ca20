/** Which connectors there are: a line for each. The order is that of every list of them. */
import type { z } from 'zod'
import { adType } from './ad/type.ts'
import { awsType } from './aws/type.ts'
import { awsIamType } from './aws-iam/type.ts'
import type { ConnectorType } from './connector-type.ts'
import { entraType } from './entra/type.ts'
import { ldapType } from './ldap/type.ts'

export const connectorTypes = [ldapType, adType, entraType, awsType, awsIamType] as const

export type TypeName = (typeof connectorTypes)[number]['type']

/** A target's own settings, as the schema of its type has read them. Which members they have is between them and that type. */
export type OwnSettings = { readonly __brand: 'OwnSettings' }
type KnownType = ConnectorType<TypeName, string, z.ZodType<OwnSettings>>

/** Each reads its own settings only: `settingsOf` hands no other ones to it. */
const known: readonly KnownType[] = connectorTypes as readonly unknown[] as readonly KnownType[]

/** null: muster.yaml names no such type. */
export const typeNamed = (type: string): KnownType | null => known.find((one) => one.type === type) ?? null

export const typeOf = ({ type }: { readonly type: TypeName }): KnownType => {
  const one = typeNamed(type)
  if (one === null) throw new Error(`no connector is called ${type}`)
  return one
}

export const settingsOf = (target: { readonly type: TypeName }): OwnSettings =>
  (target as Readonly<Record<string, unknown>>)[typeOf(target).member] as OwnSettings
