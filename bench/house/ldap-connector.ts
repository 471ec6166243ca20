/** The engine's own LDAP connector without an engine: the same settings as `muster serve` has in these runs. */
import type { Connector } from '../../src/connectors/connector.ts'
import { ldapSettingsSchema } from '../../src/connectors/ldap/config.ts'
import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import type { NativeId, TargetId } from '../../src/domain/ids.ts'
import { asDirectoryRoot, type BenchStack } from './bench-stack.ts'
import type { People } from './people.ts'

export const openLdapConnector = ({ ldap }: BenchStack, people: People, groups: string): Connector =>
  createLdapConnector(
    'bank-ldap' as TargetId,
    ldapSettingsSchema.parse({
      url: ldap.url,
      caFile: ldap.caFile,
      bindDn: ldap.serviceDn,
      bindPassword: ldap.servicePassword,
      peopleBase: people.base,
      groupsBase: groups,
      account: { rdn: 'uid={username}', attributes: { cn: '{displayName}' } },
    }),
  )

/** Native id of each entry directly below, by its value of `attribute`. */
export const nativeIdsBelow = (
  { ldap }: BenchStack,
  base: string,
  attribute: string,
): Promise<ReadonlyMap<string, NativeId>> =>
  asDirectoryRoot(ldap, async (client) => {
    const { searchEntries } = await client.search(base, {
      scope: 'one',
      attributes: [attribute, 'entryUUID'],
      paged: { pageSize: 1_000 },
    })
    return new Map(searchEntries.map((entry) => [String(entry[attribute]), String(entry.entryUUID) as NativeId]))
  })
