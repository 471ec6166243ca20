import type { Outcome } from '../../domain/outcome.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { correlate, type EnsureOperation, keysOf, type Matched, type Missing } from '../ldap-wire/correlate.ts'
import { findPeople, readEntries } from './account.ts'
import type { AdSettings } from './config.ts'

/** Looks every account up, in the whole domain: known ones by their native id, the others by the correlation attribute. */
export const find = async (
  client: LdapClient,
  settings: AdSettings,
  operations: readonly EnsureOperation[],
  outcomes: (Outcome | undefined)[],
): Promise<{ readonly matched: readonly Matched[]; readonly missing: readonly Missing[] }> => {
  const [known, correlated] = await Promise.all([
    readEntries(
      client,
      settings,
      operations.flatMap(({ account }) => (account === null ? [] : [account])),
    ),
    findPeople(client, settings, settings.correlation, keysOf(operations)),
  ])
  return correlate(operations, known, correlated, settings.correlation, outcomes)
}
