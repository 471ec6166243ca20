import type { Actor } from '../../src/domain/actor.ts'
import type { TargetId } from '../../src/domain/ids.ts'
import type { Instant } from '../../src/domain/instant.ts'
import { applyPolicy } from '../../src/engine/apply-policy.ts'
import { rejectHold, releaseHold } from '../../src/engine/decide-hold.ts'
import { ingest } from '../../src/engine/ingest.ts'
import { readsIndirect } from '../../src/engine/read-indirect.ts'
import { setTargetMode } from '../../src/engine/set-target-mode.ts'
import { sweep } from '../../src/engine/sweep.ts'
import { openDatabase } from '../../src/store/database.ts'
import { registerTarget } from '../../src/store/targets.ts'
import { freshDatabase } from '../support/stack.ts'
import { createCalls, type NameOf } from './engine-calls.ts'
import { houseClock } from './engine-clock.ts'
import { plantTree, type ScenarioTree } from './engine-directory.ts'
import { auditedChanges, observePerson } from './engine-observe.ts'
import { startEngine } from './engine-parts.ts'
import { createRest } from './engine-rest.ts'
import { hrMessage } from './hr-message.ts'
import type { ScenarioHouse } from './run-scenario.ts'
import { type Given, policyFiles } from './scenario-file.ts'

const somebody: Actor = { type: 'os-user', name: 'somebody', authenticated: false }

/** Where the policies of scenarios say that groups are; each target of a scenario has a subtree of its own. */
const writtenBases = { 'bank-ldap': 'ou=groups,dc=bank,dc=example', 'vault-ldap': 'ou=groups,dc=vault,dc=example' }

/**
 * The engine as it is, on a PostgreSQL database and subtrees of slapd of its own: events come in as bytes through decode
 * and ingest, and every stage is run until nothing moves. No Kafka, no Redis, no loops: what they carry are hints.
 */
export const openEngineHouse = async (given: Given): Promise<ScenarioHouse> => {
  const targets = Object.keys(given.targets)
  const [database, ...subtrees] = await Promise.all([freshDatabase(), ...targets.map(plantTree)])
  const trees = new Map<string, ScenarioTree>(targets.map((id, i) => [id, subtrees[i] as ScenarioTree]))
  const admin = openDatabase({ url: database.adminUrl, max: 2, applicationName: 'scenario-admin' })
  const clock = houseClock(admin)
  const nameOf: NameOf = async (target, operation) => {
    if (operation.op === 'ensureAccount')
      return { person: operation.wanted.correlation.value, change: `ensureAccount ${target}` }
    const [row] = await admin.query<{ person: string; key: string | null }>({
      text: `select i.person_key as person, (select key from muster.entitlement where id = $3) as key from muster.account a
        join muster.identity i on i.id = a.identity_id where a.target = $1 and a.native_id = $2 and a.unlinked_at is null`,
      values: [target, operation.account, 'entitlement' in operation ? operation.entitlement.id : null],
    })
    return { person: row?.person ?? '', change: `${operation.op} ${row?.key ?? target}` }
  }
  const calls = createCalls(nameOf)
  const rest = createRest(admin, clock, calls)
  let parts = startEngine(database.engineUrl, given, trees, calls)
  const seenUpTo = new Map<string, number>()

  await clock.begin(given.now)
  for (const [id, { mode }] of Object.entries(given.targets))
    await registerTarget(
      parts.engine.db,
      id as TargetId,
      mode,
      readsIndirect(parts.engine.connectors.get(id as TargetId)),
    )
  const [stream] = await admin.query<{ id: number }>({
    text: `insert into muster.stream (topic, incarnation, partition, required_offset) values ('scenario', 1, 0, 0) returning id`,
  })
  let offset = 0

  const applyPolicies = async (sources: readonly string[]): Promise<void> => {
    const files = policyFiles(sources).map(({ path, text }) => ({ path, text: planted(text) }))
    const { db, nudge, connectors, log } = parts.engine
    const known = Object.keys(writtenBases).map((id) => ({ id }))
    const applied = await applyPolicy({ db, nudge, connectors, log, targets: known }, files, somebody)
    if (applied.kind === 'invalid') throw new Error(JSON.stringify(applied.problems, null, 2))
    const catalogue = await admin.query<{ target: string; key: string }>({
      text: 'select target, key from muster.entitlement where managed',
    })
    for (const [id, tree] of trees)
      await tree.addGroups(catalogue.filter(({ target }) => target === id).map(({ key }) => key))
  }
  const planted = (text: string): string =>
    Object.entries(writtenBases).reduce(
      (changed, [id, base]) => changed.replaceAll(base, trees.get(id)?.groupsBase ?? base),
      text,
    )
  const treeOf = (target: string): ScenarioTree => {
    const tree = trees.get(target)
    if (tree === undefined) throw new Error(`the scenario has no target ${target}`)
    return tree
  }

  const kill = async (): Promise<void> => {
    await parts.die()
    calls.dropAll()
    await rest.settled()
    await parts.bury()
  }

  await applyPolicies(given.policies)
  for (const [id, tree] of trees) await tree.stand(given.directory.filter(({ target }) => target === id))

  return {
    ingest: async (event) => {
      const message = hrMessage(event, offset++, (await clock.now()) as Instant)
      await ingest(parts.engine, stream?.id ?? 0, [message])
      await admin.query({ text: 'update muster.stream set required_offset = next_offset' })
    },
    clock: async (at) => void (await clock.to(at)),
    applyPolicies,
    setMode: async (target, mode) => void (await setTargetMode(parts.engine, target, mode, somebody)),
    reject: async (person, entitlement) => {
      const [hold] = await admin.query<{ id: number }>({
        text: `select h.id from muster.hold h join muster.identity i on i.id = h.identity_id
          join muster.entitlement e on e.id = h.entitlement_id
          where i.person_key = $1 and e.key = $2 and h.closed_at is null`,
        values: [person, entitlement],
      })
      if (hold === undefined) throw new Error(`nothing holds ${entitlement} of ${person}`)
      await rejectHold(parts.engine, hold.id, 'not wanted', somebody)
    },
    release: async (target, changes) => {
      const holds = await admin.query<{ id: number }>({
        text: `select id from muster.hold where kind = 'guard' and closed_at is null and target = $1 and action_kind = $2::muster.action_kind`,
        values: [target, changes],
      })
      if (holds.length === 0) throw new Error(`the guard holds no ${changes} on ${target}`)
      for (const { id } of holds) await releaseHold(parts.engine, id, 'meant so', somebody)
    },
    failing: async (person, fails) => void (fails ? calls.fails.add(person) : calls.fails.delete(person)),
    calling: async (person, change) => calls.calling(person, change),
    answered: async (person, change, as) => {
      await rest.settled(calls.answer(person, change, as))
    },
    down: async (target) => void calls.down.add(target),
    up: async (target) => void calls.down.delete(target),
    outside: async (entry) => treeOf(entry.target).set(entry),
    restart: async () => {
      await kill()
      parts = startEngine(database.engineUrl, given, trees, calls)
      await clock.on(parts.engine.settings.leaseMs + 1_000)
      for (const { id } of (await sweep(parts.engine)).requeue) await rest.provisionOne(parts.engine, id)
    },
    rest: () => rest.rest(parts.engine),
    observe: async (person) => {
      const { changes, upTo } = await auditedChanges(admin, person, seenUpTo.get(person) ?? 0)
      seenUpTo.set(person, upTo)
      return observePerson(admin, trees, person, changes)
    },
    close: async () => {
      await kill()
      await admin.close()
      await database.drop()
    },
  }
}
