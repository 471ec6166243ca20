import type { LdapClient } from '../ldap-wire/client.ts'
import { valuesOf } from '../ldap-wire/entry.ts'
import { type Failure, failed, ok, type Result } from '../ldap-wire/errors.ts'
import type { LdapSettings } from './config.ts'
import { anyObject } from './read-back.ts'
import { isWithin } from './within.ts'

const notTold = 'search-base-not-told'
const untold: Failure = { code: '', result: null, word: notTold, sent: false }

/** RFC 4511 §4.1.9: referral, noSuchObject, invalidDNSyntax, insufficientAccessRights. */
const unseen: readonly (number | null)[] = [10, 32, 34, 50]

/** Of a read beyond `peopleBase`: Muster may not look there, today as tomorrow. */
export const isOutOfSight = ({ result, word }: Failure): boolean => unseen.includes(result) || word === notTold

/**
 * Where accounts are that somebody has moved out of `peopleBase`: `searchBase`, or the naming context that holds `peopleBase`
 * (RFC 4512 §5.1; of several the nearest, since nothing moves from one into another). Not told: then nothing is known of
 * whoever is not below `peopleBase`.
 */
export const searchedBase = async (
  client: LdapClient,
  { searchBase, peopleBase }: Pick<LdapSettings, 'searchBase' | 'peopleBase'>,
): Promise<Result<string>> => {
  if (searchBase !== undefined) return ok(searchBase)
  const root = await client.search({ base: '', scope: 'base', filter: anyObject, attributes: ['namingContexts'] })
  if (!root.ok) return root
  const contexts = root.value[0] === undefined ? [] : valuesOf(root.value[0], 'namingContexts')
  const [nearest] = contexts
    .filter((context) => isWithin(peopleBase, context))
    .sort((one, other) => other.length - one.length)
  return nearest === undefined ? failed(untold) : ok(nearest)
}
