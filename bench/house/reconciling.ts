/** Reconciles an estate as the engine does; as a process of its own: once, and tells its memory. */
import { atOnce } from '../../src/connectors/connector.ts'
import { ldapSettingsSchema } from '../../src/connectors/ldap/config.ts'
import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import { reconcile } from '../../src/engine/reconcile.ts'
import type { Reconciliation } from '../../src/engine/reconciler.ts'
import { openDatabase } from '../../src/store/database.ts'
import { target } from './estate.ts'

export type Reconciling = {
  readonly run: (full: boolean) => Promise<Reconciliation>
  readonly close: () => Promise<void>
}

export const openReconciling = (env: Readonly<Record<string, string | undefined>>): Reconciling => {
  const db = openDatabase({ url: env.ESTATE_DATABASE_URL ?? '', max: 2, applicationName: 'bench-reconcile' })
  const settings = ldapSettingsSchema.parse({
    url: env.ESTATE_LDAP_URL,
    caFile: env.ESTATE_LDAP_CA_FILE,
    bindDn: env.ESTATE_LDAP_DN,
    bindPassword: env.ESTATE_LDAP_PASSWORD,
    peopleBase: env.ESTATE_PEOPLE,
    groupsBase: env.ESTATE_GROUPS,
    account: { rdn: 'uid={username}', attributes: { cn: '{displayName}', sn: '{familyName}' } },
    timeouts: { operationMs: 120_000 },
  })
  const connector = createLdapConnector(target, settings, atOnce)
  const engine = { db, connectors: new Map([[target, connector]]), nudge: () => {}, settings: {} }
  return {
    run: (full) =>
      reconcile(engine, target, {
        actor: { type: 'engine', name: 'benchmark' },
        full,
        signal: AbortSignal.timeout(600_000),
      }),
    close: async () => {
      await connector.close()
      await db.close()
    },
  }
}

if (process.argv[1] === import.meta.filename) {
  const reconciling = openReconciling(process.env)
  const { listed, members } = await reconciling.run(true)
  await reconciling.close()
  process.stdout.write(JSON.stringify({ listed, members, highestKb: process.resourceUsage().maxRSS }))
}
