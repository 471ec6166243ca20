import type { Outcome } from '../../domain/outcome.ts'
import { propertiesOf } from '../alternatives.ts'
import type { EnsureOperation, Observing } from '../connector.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Correlated, correlate, correlateOthers, keysOf } from '../ldap-wire/correlate.ts'
import { ok } from '../ldap-wire/errors.ts'
import { anyOf, findByKeys } from '../ldap-wire/resolve.ts'
import { accountAttributes, nativeIdOf } from './account.ts'
import type { LdapSettings } from './config.ts'
import { outcomeOfAbsent, readAccounts } from './items.ts'

/** Looks every account up: known ones by their native id, the others by the correlation attribute, then by the alternatives. */
export const find = async (
  client: LdapClient,
  settings: LdapSettings,
  operations: readonly EnsureOperation[],
  outcomes: (Outcome | undefined)[],
  linkRefusals?: Observing['linkRefusals'],
): Promise<Correlated> => {
  const attributes = [...accountAttributes(settings), settings.correlation]
  const [known, correlated] = await Promise.all([
    readAccounts(
      client,
      settings,
      operations.flatMap(({ account }) => (account === null ? [] : [account])),
      attributes,
    ),
    findByKeys(client, {
      base: settings.peopleBase,
      attribute: settings.correlation,
      keys: keysOf(operations),
      attributes,
    }),
  ])
  const found = known.ok ? ok(known.value.found) : known
  const told = correlate(operations, found, correlated, settings.correlation, nativeIdOf, outcomes)
  if (known.ok)
    for (const [index, { account }] of operations.entries())
      if (account !== null && !known.value.found.has(account)) outcomes[index] = outcomeOfAbsent(known.value)
  return correlateOthers(
    {
      ...settings,
      linkRefusals,
      idOf: nativeIdOf,
      find: (alternative, keys) =>
        findByKeys(client, {
          base: settings.peopleBase,
          attribute: alternative.property,
          keys,
          attributes: [...attributes, ...propertiesOf(alternative)],
          // Lists and rooms have mail addresses, too.
          only: anyOf('objectClass', settings.account.objectClasses),
        }),
    },
    told,
    outcomes,
  )
}
