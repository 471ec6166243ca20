import type { NativeId } from '../../domain/ids.ts'
import type { ObservedAccount } from '../../domain/outcome.ts'
import { attributesHash, type MappedAttributes } from '../attribute-mapping.ts'
import type { AttributeChange } from '../ldap-wire/client.ts'
import { type Entry, firstValue, valuesOf } from '../ldap-wire/entry.ts'
import type { LdapSettings } from './config.ts'

export const entryUuid = 'entryUUID'

/** ppolicy's lock (draft-behera-ldap-password-policy §5.3.3); this value is for good, any other is a lockout that passes. */
export const lockAttribute = 'pwdAccountLockedTime'
export const lockedForGood = '000001010000Z'

/** What is read of an account wherever its state is observed. */
export const accountAttributes = (settings: LdapSettings): readonly string[] => [
  entryUuid,
  lockAttribute,
  ...Object.keys(settings.account.attributes),
]

export const isEnabled = (entry: Entry): boolean => firstValue(entry, lockAttribute) !== lockedForGood

/** A replace, so that both directions can be repeated, and a passing lockout becomes one for good. */
export const lockChange = (enabled: boolean): AttributeChange => ({
  operation: 'replace',
  attribute: lockAttribute,
  values: enabled ? [] : [lockedForGood],
})

export const mappedOf = (settings: LdapSettings, entry: Entry): MappedAttributes =>
  new Map(Object.keys(settings.account.attributes).map((name) => [name, valuesOf(entry, name)]))

export const nativeIdOf = (entry: Entry): NativeId => (firstValue(entry, entryUuid) ?? '') as NativeId

/** `entry` must have been read with `accountAttributes`. */
export const observedAccount = (settings: LdapSettings, entry: Entry): ObservedAccount => ({
  nativeId: nativeIdOf(entry),
  enabled: isEnabled(entry),
  attributesHash: attributesHash(mappedOf(settings, entry)),
})
