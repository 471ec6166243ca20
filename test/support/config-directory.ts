/** A configuration directory and an environment for the house of a test: its own database, subtree, topic and queues. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import type { Environment } from '../../src/config/secret-reference.ts'
import { addresses, type FreshDatabase, type FreshTree, freshName } from './stack.ts'

export type ConfigDirectoryOptions = {
  readonly database: FreshDatabase
  readonly tree: FreshTree
  readonly policies: readonly { readonly path: string; readonly text: string }[]
  readonly targetId?: string
  readonly topics?: readonly string[]
  /** Top-level members of muster.yaml, over the defaults. */
  readonly file?: Readonly<Record<string, unknown>>
  /** Members of the target, over the defaults. */
  readonly target?: Readonly<Record<string, unknown>>
  /** Members of the target's `ldap`, over the defaults. */
  readonly ldap?: Readonly<Record<string, unknown>>
  readonly env?: Environment
  readonly prefix?: string
}

export type ConfigDirectory = { readonly directory: string; readonly env: Environment; readonly remove: () => void }

export const writeConfigDirectory = (options: ConfigDirectoryOptions): ConfigDirectory => {
  const { ldap, redisUrl, kafkaBrokers } = addresses()
  const directory = mkdtempSync(join(tmpdir(), 'muster-config-'))
  const target = {
    id: options.targetId ?? 'bank-ldap',
    type: 'ldap',
    mode: 'enforce',
    ldap: {
      url: 'env:MUSTER_LDAP_URL',
      caFile: 'env:MUSTER_LDAP_CA_FILE',
      bindDn: ldap.serviceDn,
      bindPassword: 'env:MUSTER_LDAP_PASSWORD',
      peopleBase: options.tree.people,
      groupsBase: options.tree.groups,
      account: {
        rdn: 'uid={username}',
        attributes: { cn: '{displayName}', sn: '{familyName}', givenName: '{givenName}', title: '{jobTitle}' },
      },
      ...options.ldap,
    },
    ...options.target,
  }
  const file = {
    sources: [{ id: 'hr', type: 'kafka', topics: options.topics ?? ['hr.worker.v1'], group: freshName() }],
    targets: [target],
    queue: { prefix: options.prefix ?? `{${freshName()}}` },
    log: { level: process.env.MUSTER_TEST_LOG ?? 'error' },
    ...options.file,
  }
  writeFileSync(join(directory, 'muster.yaml'), stringify(file))
  for (const { path, text } of options.policies) {
    const to = join(directory, 'policies', path.replace(/^policies\//, ''))
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, text)
  }
  return {
    directory,
    env: {
      MUSTER_DATABASE_URL: options.database.engineUrl,
      MUSTER_AUDITOR_DATABASE_URL: options.database.auditorUrl,
      MUSTER_REDIS_URL: redisUrl,
      MUSTER_KAFKA_BROKERS: kafkaBrokers.join(','),
      MUSTER_LDAP_URL: ldap.url,
      MUSTER_LDAP_CA_FILE: ldap.caFile,
      MUSTER_LDAP_PASSWORD: ldap.servicePassword,
      ...options.env,
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
