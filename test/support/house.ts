/**
 * The engine's verbs on a real PostgreSQL and a real slapd, called by hand: no Kafka, no Redis, no loops. A test decides
 * which stage runs when, pauses a stage between its read and its commit, and shifts the one clock.
 */

import { readdirSync, readFileSync } from 'node:fs'
import type { Connector } from '../../src/connectors/connector.ts'
import { ldapSettingsSchema } from '../../src/connectors/ldap/config.ts'
import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import { protecting } from '../../src/connectors/protecting.ts'
import type { Lane } from '../../src/domain/action.ts'
import type { TargetId } from '../../src/domain/ids.ts'
import { nothingProtected } from '../../src/domain/protection.ts'
import type { TargetMode } from '../../src/domain/target.ts'
import { applyPolicy } from '../../src/engine/apply-policy.ts'
import { dispatch } from '../../src/engine/dispatch.ts'
import type { Engine, EngineSettings, TargetSettings } from '../../src/engine/engine.ts'
import { evaluate } from '../../src/engine/evaluate.ts'
import { guardMembers } from '../../src/engine/guard-members.ts'
import { createPolicyBook } from '../../src/engine/policy-book.ts'
import { provision } from '../../src/engine/provision.ts'
import { readsIndirect } from '../../src/engine/read-indirect.ts'
import { sweep } from '../../src/engine/sweep.ts'
import { createLog } from '../../src/log.ts'
import { defaultGuardLimits } from '../../src/planning/guard.ts'
import { openDatabase } from '../../src/store/database.ts'
import { idBlock } from '../../src/store/id-block.ts'
import { registerTarget } from '../../src/store/targets.ts'
import { databaseWitness } from './database-witness.ts'
import { directoryWitness } from './directory-witness.ts'
import { addresses, type FreshTree, freshDatabase, freshTree } from './stack.ts'
import { openEar } from './tell.ts'

export const target = 'bank-ldap' as TargetId

export type HouseOptions = {
  readonly mode?: TargetMode
  readonly settings?: Partial<EngineSettings>
  readonly target?: Partial<TargetSettings>
  /** The first target is reached through this port of a proxy, unencrypted. */
  readonly proxyPort?: number
  /** What else the first target's configuration says. */
  readonly ldap?: Readonly<Record<string, unknown>>
  /** Wraps the connector: faults on the wire's near side. */
  readonly connector?: (real: Connector) => Connector
  /** Another target beside it, a subtree of its own in the same directory, wrapped so: everybody gets `Second_Staff` there. */
  readonly second?: (real: Connector) => Connector
  /** Entitlement keys to make groups for; default: every entitlement of the bank. */
  readonly policies?: readonly { readonly path: string; readonly text: string }[]
  /** Changes each of the bank's policy files. */
  readonly revised?: (text: string) => string
}

export const secondTarget = 'second-ldap' as TargetId
const secondPolicies = (groups: string) => ({
  path: 'second.yaml',
  text: `entitlements: {Second_Staff: {target: ${secondTarget}, lookup: 'cn=Second_Staff,${groups}', risk: low, owner: x, description: X}}
birthright: {second-staff: {when: everyone, grants: {entitlements: [Second_Staff]}}}`,
})

export type House = Awaited<ReturnType<typeof openHouse>>

export const bankPolicies = (groups: string) => {
  const directory = new URL('../../examples/bank/policies/', import.meta.url)
  return readdirSync(directory)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({
      path: name,
      text: readFileSync(new URL(name, directory), 'utf8').replaceAll('ou=groups,dc=bank,dc=example', groups),
    }))
}

export const openHouse = async (options: HouseOptions = {}) => {
  const { ldap } = addresses()
  const { second } = options
  const [database, tree, secondTree] = await Promise.all([
    freshDatabase(),
    freshTree(),
    second === undefined ? null : freshTree(),
  ])
  const log = createLog(process.env.MUSTER_TEST_LOG ?? 'silent', 'test')
  const db = openDatabase({ url: database.engineUrl, max: 12, applicationName: 'test-engine' })
  const admin = openDatabase({ url: database.adminUrl, max: 2, applicationName: 'test-admin' })
  const real = createLdapConnector(target, ldapSettings(tree, options.proxyPort, options.ldap))
  const connector = protecting(options.connector?.(real) ?? real, options.target?.protect ?? nothingProtected)
  const nudged: string[] = []
  const connectors = new Map([[target, connector]])
  if (second !== undefined && secondTree !== null)
    connectors.set(secondTarget, second(createLdapConnector(secondTarget, ldapSettings(secondTree))))
  const engine: Engine = {
    db,
    log,
    targets: [...connectors.keys()].map((id) => ({
      id,
      accounts: 'create',
      leaverUnmanaged: 'remove',
      disable: 'native',
      endSessions: 'none',
      protect: nothingProtected,
      batchSize: 500,
      deleteAfterMs: null,
      expectWithinMs: 60_000,
      reconcileEveryMs: 3_600_000,
      guard: defaultGuardLimits,
      ...options.target,
    })),
    connectors,
    policies: createPolicyBook(),
    guardMembers: guardMembers(() => performance.now()),
    ids: {
      action: idBlock(db, 'muster.action_id'),
      decision: idBlock(db, 'muster.decision_id'),
    },
    nudge: (stage, lane) => nudged.push(`${stage}:${lane}`),
    random: () => 0,
    settings: {
      evaluateBatch: 100,
      dispatchBatch: 500,
      leaseMs: 30_000,
      leaverSloMs: 60_000,
      bulkDeadlineMs: 900_000,
      ...options.settings,
    },
  }
  for (const { id } of engine.targets)
    await registerTarget(db, id, options.mode ?? 'enforce', readsIndirect(connectors.get(id)))
  const revised = options.revised ?? ((text: string) => text)
  const policies = [
    ...(options.policies ?? bankPolicies(tree.groups).map(({ path, text }) => ({ path, text: revised(text) }))),
    ...(secondTree === null ? [] : [secondPolicies(secondTree.groups)]),
  ]
  const applied = await applyPolicy(engine, policies, { type: 'os-user', name: 'test', authenticated: false })
  if (applied.kind !== 'applied') throw new Error(`policy: ${JSON.stringify(applied)}`)
  const entitlements = await admin.query<{ id: number; key: string; lookup: string }>({
    text: 'select id, key, lookup from muster.entitlement',
  })
  const directory = directoryWitness(ldap, tree)
  await directory.addGroups(entitlements.map(({ lookup }) => lookup))
  const tell = await openEar(admin)

  const evaluateAll = async (lane?: Lane) => {
    for (const one of lane === undefined ? (['leaver', 'bulk'] as const) : [lane])
      while ((await evaluate(engine, one)).evaluated > 0);
  }
  /** Dispatches what is ready; the clock is moved past the bulk lane's patience first. */
  const dispatchAll = async (lane?: Lane) => {
    const refs = []
    for (const one of lane === undefined ? (['leaver', 'bulk'] as const) : [lane])
      refs.push(...(await dispatch(engine, one)))
    return refs
  }
  const now = async () =>
    (await admin.query<{ at: number }>({ text: 'select (extract(epoch from muster.now()) * 1000)::bigint as at' }))[0]
      ?.at ?? 0
  const shift = async (ms: number) => {
    await admin.query({
      text: `update muster.clock set shift = shift + make_interval(secs => $1::float8 / 1000)`,
      values: [ms],
    })
  }
  /** What work there still is: due identities, dispatches out there, and how long until the next action may be tried again. */
  const left = async () => {
    const [row] = await admin.query<{ due: number; out: number; soonest: number | null }>({
      text: `select (select count(*) from muster.identity where work_due_at <= muster.now() and parked_at is null) as due,
          (select count(*) from muster.action where state = 'dispatched') as out,
          (select (extract(epoch from min(next_at) - muster.now()) * 1000)::float8 from muster.action a join muster.target t on t.id = a.target
            where a.state = 'ready' and t.mode = 'enforce' and next_at > muster.now()) as soonest`,
    })
    return row ?? { due: 0, out: 0, soonest: null }
  }
  /**
   * Evaluates, dispatches and provisions until nothing is left to do, waiting out every retry on the shifted clock.
   * `afterEach` runs after every dispatch that was provisioned.
   */
  const quiesce = async (afterEach: (dispatch: number) => Promise<void> = async () => {}) => {
    for (let round = 0; round < 80; round++) {
      await evaluateAll()
      await shift(600)
      await dispatchAll()
      const refs = await admin.query<{ id: number }>({
        text: `select id from muster.dispatch where state = 'queued' order by id`,
      })
      for (const ref of refs) {
        await provision(engine, ref.id)
        await afterEach(ref.id)
      }
      const { due, out, soonest } = await left()
      if (refs.length === 0 && due === 0 && out === 0 && soonest === null) return
      if (refs.length === 0 && due === 0 && soonest !== null) await shift(Math.max(0, soonest) + 1)
    }
    throw new Error('not quiet after 80 rounds')
  }
  /** As after a crash of everything: leases run out, lost jobs are found, then `quiesce`. */
  const recover = async (afterEach: (dispatch: number) => Promise<void> = async () => {}) => {
    await shift(Math.max(engine.settings.leaseMs, 60_000) + 1_000)
    const { requeue } = await sweep(engine)
    for (const { id } of requeue) {
      await provision(engine, id)
      await afterEach(id)
    }
    await quiesce(afterEach)
  }

  const close = async () => {
    await Promise.all([...engine.connectors.values()].map((one) => one.close()))
    await db.close()
    await admin.close()
    await database.drop()
  }

  return {
    engine,
    admin,
    database,
    tree,
    ldap,
    nudged,
    entitlements,
    tell,
    now,
    shift,
    evaluateAll,
    dispatchAll,
    quiesce,
    recover,
    close,
    ...directory,
    everything: async () => {
      const [first, other] = await Promise.all([
        directory.everything(),
        secondTree === null ? null : directoryWitness(ldap, secondTree).everything(),
      ])
      return other === null ? first : together(first, other)
    },
    second: secondTree === null ? directory : directoryWitness(ldap, secondTree),
    ...databaseWitness(admin),
    provision: (id: number) => provision(engine, id),
    sweep: () => sweep(engine),
    rows: <R>(text: string, ...values: unknown[]) => admin.query<R>({ text, values }),
  }
}

type Everything = Awaited<ReturnType<ReturnType<typeof directoryWitness>['everything']>>

/** Of both targets: all groups of everybody, and whether every account of theirs is shut. */
const together = (first: Everything, other: Everything): Everything =>
  new Map(
    [...new Set([...first.keys(), ...other.keys()])].map((person) => {
      const accounts = [first.get(person), other.get(person)].filter((one) => one !== undefined)
      return [
        person,
        {
          locked: accounts.every(({ locked }) => locked),
          groups: accounts.flatMap(({ groups }) => groups).sort(),
        },
      ]
    }),
  )

export const ldapSettings = (tree: FreshTree, proxyPort?: number, more: Readonly<Record<string, unknown>> = {}) => {
  const { ldap } = addresses()
  return ldapSettingsSchema.parse({
    ...(proxyPort === undefined
      ? { url: ldap.url, caFile: ldap.caFile }
      : { url: `ldap://127.0.0.1:${proxyPort}`, security: 'plain' }),
    bindDn: ldap.serviceDn,
    bindPassword: ldap.servicePassword,
    peopleBase: tree.people,
    groupsBase: tree.groups,
    account: {
      rdn: 'uid={username}',
      attributes: { cn: '{displayName}', sn: '{familyName}', givenName: '{givenName}', title: '{jobTitle}' },
    },
    ...more,
  })
}
