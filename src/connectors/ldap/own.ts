import type { OwnThing, Snapshot } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue } from '../ldap-wire/entry.ts'
import { entryUuid, nativeIdOf } from './account.ts'
import type { LdapSettings } from './config.ts'
import { anyObject } from './read-back.ts'

/** RFC 4511 §4.1.9: noSuchObject (a rootdn has no entry), insufficientAccessRights. Who cannot be read is nobody's account either. */
const nobodyThere: readonly (number | null)[] = [32, 50]

/** The entry that Muster is bound as. */
export const own = async (client: LdapClient, settings: LdapSettings): Promise<Snapshot<OwnThing>> => {
  const read = await client.search({ base: settings.bindDn, scope: 'base', filter: anyObject, attributes: [entryUuid] })
  if (!read.ok)
    return nobodyThere.includes(read.failure.result)
      ? { kind: 'complete', items: [] }
      : { kind: 'partial', items: [], cause: failureText(read.failure) }
  const items = read.value
    .filter((entry) => firstValue(entry, entryUuid) !== undefined)
    .map((entry) => ({ kind: 'account' as const, nativeId: nativeIdOf(entry) }))
  return { kind: 'complete', items }
}
