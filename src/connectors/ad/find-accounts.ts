import type { Outcome } from '../../domain/outcome.ts'
import { propertiesOf } from '../alternatives.ts'
import type { EnsureOperation, Observing } from '../connector.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Correlated, correlate, correlateOthers, keysOf } from '../ldap-wire/correlate.ts'
import { findPeople, readEntries } from './account.ts'
import type { AdSettings } from './config.ts'
import { guidOf } from './extended-dn.ts'
import { anyOrdinaryPerson } from './filters.ts'

/**
 * Looks every account up, in the whole domain: known ones by their native id, the others by the correlation attribute, then by
 * the alternatives.
 */
export const find = async (
  client: LdapClient,
  settings: AdSettings,
  operations: readonly EnsureOperation[],
  outcomes: (Outcome | undefined)[],
  linkRefusals?: Observing['linkRefusals'],
): Promise<Correlated> => {
  const [known, correlated] = await Promise.all([
    readEntries(
      client,
      settings,
      operations.flatMap(({ account }) => (account === null ? [] : [account])),
    ),
    findPeople(client, settings, settings.correlation, keysOf(operations)),
  ])
  return correlateOthers(
    {
      ...settings,
      linkRefusals,
      idOf: guidOf,
      find: (alternative, values) =>
        findPeople(client, settings, alternative.property, values, {
          also: propertiesOf(alternative),
          only: anyOrdinaryPerson,
        }),
    },
    correlate(operations, known, correlated, settings.correlation, guidOf, outcomes),
    outcomes,
  )
}
