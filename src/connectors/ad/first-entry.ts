import type { Filter } from 'ldapts'
import type { LdapClient } from '../ldap-wire/client.ts'
import type { Entry } from '../ldap-wire/entry.ts'
import { ok, type Result } from '../ldap-wire/errors.ts'

/** One entry that stands for all of its kind; null: there is none. A page may be empty and not the last (RFC 2696 §3). */
export const firstEntry = async (
  client: LdapClient,
  base: string,
  filter: Filter,
  attribute: string,
): Promise<Result<Entry | null>> => {
  let first: Entry | null = null
  const read = await client.searchPages({ base, scope: 'sub', filter, attributes: [attribute] }, 1, ([entry]) => {
    first ??= entry ?? null
    return first === null ? undefined : 'enough'
  })
  return read.ok ? ok(first) : read
}
