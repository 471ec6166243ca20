import type { CheckReport } from '../connector.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue } from '../ldap-wire/entry.ts'
import type { AdSettings } from './config.ts'
import { anyObject } from './filters.ts'
import { own } from './own.ts'

const attribute = 'msDS-UserPasswordExpiryTimeComputed'
/** [MS-ADTS], `msDS-UserPasswordExpiryTimeComputed`: this for never; 0: to be changed at the next sign-in. */
const never = 0x7fffffffffffffffn
/** From 1601, in units of 100 ns, to 1970, in ms. */
const epochMs = 11_644_473_600_000n
/** So long before the password ends somebody should know. */
const soonMs = 14 * 24 * 3_600_000

/** When the password that Muster signs in with ends, where AD lets the account read that of itself. */
export const ownPassword = async (
  client: LdapClient,
  settings: AdSettings,
  now: number,
): Promise<Omit<CheckReport, 'ok'>> => {
  const me = await own(client, settings)
  const guid = me.items[0]?.nativeId
  const read =
    guid === undefined
      ? undefined
      : await client.search({ base: `<GUID=${guid}>`, scope: 'base', filter: anyObject, attributes: [attribute] })
  const told = read?.ok && read.value[0] !== undefined ? firstValue(read.value[0], attribute) : undefined
  return judged(told, now)
}

/** The value as AD writes it; undefined: it may not be read, or the account is of another domain. */
export const judged = (told: string | undefined, now: number): Omit<CheckReport, 'ok'> => {
  if (told === undefined || !/^\d+$/.test(told))
    return { problems: [], unknown: [`when the password ends (${attribute} cannot be read)`] }
  const ends = BigInt(told)
  if (ends === never) return { problems: [], facts: ['its password does not end'] }
  if (ends === 0n) return { problems: ['the password must be changed before the next sign-in'] }
  const endsMs = Number(ends / 10_000n - epochMs)
  const day = new Date(endsMs).toISOString().slice(0, 10)
  if (endsMs <= now) return { problems: [`the password ended on ${day}`] }
  return endsMs - now < soonMs
    ? { problems: [`the password ends on ${day}`] }
    : { problems: [], facts: [`its password until ${day}`] }
}
