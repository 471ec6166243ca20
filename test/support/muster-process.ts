/**
 * A whole Muster of a test's own: `muster serve` as real processes on a database, topic, queue prefix and subtree that
 * nobody else uses. The test publishes what HR says, looks at the directory and the audit, and kills what it likes.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'ldapts'
import type { Ldap } from '../../scripts/stack/part.ts'
import type { Stack } from '../../scripts/stack/stack.ts'
import { plainConnection } from '../../src/consumers/kafka-client.ts'
import { type OutgoingMessage, publish } from '../../src/consumers/publish.ts'
import { createLog } from '../../src/log.ts'
import { type Database, isUnavailable, openDatabase } from '../../src/store/database.ts'
import { type ConfigDirectory, writeConfigDirectory } from './config-directory.ts'
import { directoryWitness } from './directory-witness.ts'
import { bankPolicies } from './house.ts'
import { type HrEvent, hrMessage } from './hr-event.ts'
import { type ServeOptions, type ServeProcess, spawnServe } from './serve-process.ts'
import { addresses, asDirectoryRoot, databaseIn, freshDatabase, freshName, freshTopic, freshTree } from './stack.ts'

export type InstallationOptions = {
  /** Parts of the test's own, for those that it stops or kills; the others are the run's. */
  readonly own?: Stack
  readonly ownParts?: readonly ('kafka' | 'postgres' | 'redis' | 'slapd')[]
  readonly partitions?: number
  /** Members of muster.yaml and of its target, over the defaults. */
  readonly file?: Readonly<Record<string, unknown>>
  readonly target?: Readonly<Record<string, unknown>>
  /** Members of the target's `ldap`, over the defaults. */
  readonly ldapSettings?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  /** Changes the bank's policy files. */
  readonly policies?: (text: string) => string
}

export type Installation = Awaited<ReturnType<typeof openInstallation>>

/** Ends what hangs, with the explanation, before the test's own limit does; judges no speed. */
const patienceMs = 120_000

/** Polls until `look` answers something; a failing test says what it waited for and what stood there last. */
export const eventually = async <T>(
  what: string,
  look: () => Promise<T | undefined | null | false>,
  withinMs = patienceMs,
  explain: () => Promise<string> = async () => '',
): Promise<T> => {
  for (const end = performance.now() + withinMs; ; ) {
    const seen = await look()
    if (seen !== undefined && seen !== null && seen !== false) return seen
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms for: ${what}\n${await explain()}`)
    await wait(25)
  }
}

export const openInstallation = async (options: InstallationOptions = {}) => {
  const has = (part: 'kafka' | 'postgres' | 'redis' | 'slapd') => options.ownParts?.includes(part) ?? false
  const shared = addresses()
  const own = options.own
  const ldap: Ldap = own !== undefined && has('slapd') ? own.ldap : shared.ldap
  const brokers = own !== undefined && has('kafka') ? own.kafkaBrokers : shared.kafkaBrokers
  const redisUrl = own !== undefined && has('redis') ? own.redisUrl : shared.redisUrl
  const [database, tree, { topic }] = await Promise.all([
    own !== undefined && has('postgres') ? databaseIn(own) : freshDatabase(),
    freshTree(ldap),
    freshTopic(options.partitions ?? 2, brokers),
  ])
  const prefix = `{${freshName()}}`
  const policies = bankPolicies(tree.groups).map(({ path, text }) => ({ path, text: options.policies?.(text) ?? text }))
  // A dead engine's partitions are read by the next one soon; in earnest that takes ten seconds.
  const source = { id: 'hr', type: 'kafka', topics: [topic], group: topic, sessionTimeout: '2s' }
  const configure = (
    more: Pick<InstallationOptions, 'file' | 'target' | 'env' | 'ldapSettings'> & { policies?: typeof policies } = {},
  ) =>
    writeConfigDirectory({
      database,
      tree,
      policies: more.policies ?? policies,
      topics: [topic],
      prefix,
      file: { sources: [source], log: { level: 'debug' }, ...options.file, ...more.file },
      target: { ...options.target, ...more.target },
      ldap: { ...options.ldapSettings, ...more.ldapSettings },
      env: {
        MUSTER_REDIS_URL: redisUrl,
        MUSTER_KAFKA_BROKERS: brokers.join(','),
        MUSTER_LDAP_URL: ldap.url,
        MUSTER_LDAP_CA_FILE: ldap.caFile,
        MUSTER_LDAP_PASSWORD: ldap.servicePassword,
        ...options.env,
        ...more.env,
      },
    })
  const files = configure()
  const directory = directoryWitness(ldap, tree)
  await directory.addGroups(
    policies.flatMap(({ text }) => [...text.matchAll(/lookup: (cn=\S+)/g)].map(([, dn]) => dn ?? '')),
  )
  const admin = openDatabase({ url: database.adminUrl, max: 2, applicationName: 'test-admin' })
  const auditor = openDatabase({ url: database.auditorUrl, max: 1, applicationName: 'test-auditor' })
  const log = createLog('silent', 'test')
  const processes: ServeProcess[] = []
  let sent = 0

  const reading =
    (db: Database) =>
    <R>(text: string, ...values: unknown[]): Promise<readonly R[]> =>
      db.query<R>({ text, values })
  const rows = reading(admin)

  const spawn = (how: ServeOptions & { readonly files?: ConfigDirectory } = {}): ServeProcess => {
    const serve = spawnServe(how.files ?? files, how)
    processes.push(serve)
    return serve
  }
  /** Everything that the engines said, oldest engine first. */
  const said = () => processes.flatMap(({ lines }) => lines)
  const explain = async () => {
    const left = await rows(
      `select (select jsonb_agg(to_jsonb(s)) from (select topic, partition, next_offset, required_offset from muster.stream where current) s) as streams,
        (select jsonb_agg(to_jsonb(a)) from (select id, identity_id, kind, state, lane, unknown, attempts, outcome, next_at from muster.action
          where state not in ('done', 'superseded') order by id limit 20) a) as open,
        (select jsonb_agg(to_jsonb(i)) from (select person_key, lane, work_due_at, parked_at from muster.identity
          where work_due_at <= muster.now() limit 20) i) as due,
        (select jsonb_agg(to_jsonb(f)) from (select kind, key, times from muster.finding limit 20) f) as findings`,
    ).catch((error: unknown) => [{ error: String(error) }])
    return `${JSON.stringify(left, null, 1)}\n${said().slice(-40).join('\n')}`
  }
  const until = <T>(what: string, look: () => Promise<T | undefined | null | false>, withinMs?: number) =>
    eventually(what, look, withinMs, explain)

  const tellRaw = async (...messages: readonly OutgoingMessage[]) => {
    await publish({ connection: plainConnection(brokers), log }, topic, messages)
    sent += messages.length
  }

  /** Everything that was published is in, evaluated, done and known; only what is parked, or waits for such an account, is open. */
  const isQuiet = async () => {
    const [row] = await rows<{ read: number; due: number; open: number }>(
      `select (select coalesce(sum(next_offset), 0)::int from muster.stream where current) as read,
        (select count(*) from muster.identity where parked_at is null and (work_due_at <= muster.now() or events_seen <> events_folded)) as due,
        (select count(*) from muster.action a where state in ('waiting', 'ready', 'dispatched') and not exists (
          select from muster.action w where w.identity_id = a.identity_id and w.target = a.target and w.kind = 'ensureAccount' and w.state = 'parked'
        )) as open`,
    ).catch((error: unknown) => {
      if (isUnavailable(error)) return []
      throw error
    })
    return row !== undefined && row.read >= sent && row.due === 0 && row.open === 0
  }

  return {
    ...directory,
    configure,
    policies,
    files,
    database,
    tree,
    topic,
    brokers,
    redisUrl,
    prefix,
    ldap,
    rows,
    said,
    spawn,
    running: () => processes.filter(({ child }) => child.exitCode === null && child.signalCode === null),
    until,
    audit: reading(auditor),
    /** Started, every lane at work. */
    start: async (how: Parameters<typeof spawn>[0] = {}): Promise<ServeProcess> => {
      const serve = spawn(how)
      await serve.line((text) => text.includes('"msg":"ready"'))
      return serve
    },
    tell: (...events: readonly HrEvent[]) => tellRaw(...events.map(hrMessage)),
    tellRaw,
    sent: () => sent,
    quiet: (withinMs?: number) => until('everything to be done', isQuiet, withinMs),
    /** The one clock goes on by so much, ms. */
    shift: (ms: number) => rows(`update muster.clock set shift = shift + make_interval(secs => $1::float8 / 1000)`, ms),
    now: async () =>
      (await rows<{ at: number }>('select (extract(epoch from muster.now()) * 1000)::bigint as at'))[0]?.at ?? 0,
    /** Gives the person's account a password behind Muster's back. */
    setPassword: (person: string, password: string) =>
      asDirectoryRoot(ldap, async (client) => {
        const { Attribute, Change } = await import('ldapts')
        const found = await directory.account(person)
        if (found === null) throw new Error('no such account')
        const modification = new Attribute({ type: 'userPassword', values: [password] })
        await client.modify(found.dn, new Change({ operation: 'replace', modification }))
      }),
    /** Whether the person can sign in to the directory. */
    signsIn: async (person: string, password: string): Promise<boolean> => {
      const found = await directory.account(person)
      if (found === null) return false
      const client = new Client({ url: ldap.plainUrl, timeout: 10_000 })
      try {
        await client.bind(found.dn, password)
        return true
      } catch {
        return false
      } finally {
        await client.unbind()
      }
    },
    close: async () => {
      for (const one of processes) one.kill('SIGKILL')
      await Promise.all(processes.map(({ ended }) => ended))
      files.remove()
      await Promise.all([admin.close(), auditor.close()])
      await database.drop().catch(() => {})
    },
  }
}
