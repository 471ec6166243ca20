import { z } from 'zod'
import type { NativeId } from '../../domain/ids.ts'
import type { ObservedAccount } from '../../domain/outcome.ts'
import { attributesHash, type MappedAttributes } from '../attribute-mapping.ts'
import type { EntraSettings } from './config.ts'
import { rootOf, shapeOf } from './properties.ts'

/** A user as Graph tells it. Personal data. */
const userBody = z.looseObject({
  id: z.string().min(1),
  userType: z.string().nullish(),
  accountEnabled: z.boolean().nullish(),
  onPremisesSyncEnabled: z.boolean().nullish(),
  userPrincipalName: z.string().nullish(),
  mailNickname: z.string().nullish(),
  signInSessionsValidFromDateTime: z.string().nullish(),
})
export type User = z.output<typeof userBody>

/** null: not legible, which tells nothing. */
export const readUser = (body: unknown): User | null => {
  const parsed = userBody.safeParse(body)
  return parsed.success ? parsed.data : null
}

export const idOf = (user: User): NativeId => user.id as NativeId
export const isEnabled = (user: User): boolean => user.accountEnabled === true
/** Mastered by an Active Directory: Graph refuses changes of what comes from there. */
export const isSynced = (user: User): boolean => user.onPremisesSyncEnabled === true
/** Somebody of another directory: never created, never taken for an employee. */
export const isGuest = (user: User): boolean => user.userType?.toLowerCase() === 'guest'

/** What is read of an account wherever its state is observed. */
export const accountProperties = (settings: EntraSettings): readonly string[] => [
  ...new Set([
    'id',
    'userType',
    'accountEnabled',
    'onPremisesSyncEnabled',
    ...Object.keys(settings.account.attributes).map(rootOf),
  ]),
]

/** Values of a property such as `department` or `employeeOrgData.division`; none where it is empty. */
export const valuesOf = (user: User, property: string): readonly string[] => {
  let value: unknown = user
  for (const name of property.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  }
  const values = (Array.isArray(value) ? value : [value]).filter(
    (one) => one !== null && one !== undefined && one !== '',
  )
  return values.map((one) => spelled(property, String(one)))
}

/** One spelling of a moment, so that `2026-12-01` and what Graph makes of it are equal. Illegible ones stay as they are. */
export const spelled = (property: string, value: string): string => {
  if (shapeOf(property) !== 'moment') return value
  const at = Date.parse(value)
  return Number.isNaN(at) ? value : `${new Date(at).toISOString().slice(0, 19)}Z`
}

export const mappedOf = (settings: EntraSettings, user: User): MappedAttributes =>
  new Map(Object.keys(settings.account.attributes).map((name) => [name, valuesOf(user, name)]))

/** `user` must have been read with `accountProperties`. */
export const observedAccount = (settings: EntraSettings, user: User): ObservedAccount => ({
  nativeId: idOf(user),
  enabled: isEnabled(user),
  attributesHash: attributesHash(mappedOf(settings, user)),
})
