import { knownAttributes } from '../../src/domain/attributes.ts'
import type { EntitlementId, TargetId } from '../../src/domain/ids.ts'
import type { Instant } from '../../src/domain/instant.ts'
import { nothingProtected } from '../../src/domain/protection.ts'
import type { TargetRules } from '../../src/domain/target.ts'
import { type CompiledPolicy, compilePolicy } from '../../src/policies/compile.ts'
import { parsePolicies } from '../../src/policies/parse.ts'
import type { PolicyWindow } from '../../src/policies/timeline.ts'
import { evaluatePerson, isDue } from './core-evaluate.ts'
import { type CoreGuard, guardOf, release } from './core-guard.ts'
import { type CorePerson, newPerson } from './core-person.ts'
import { answer, claimable, readBack, start } from './core-provision.ts'
import { guardLimits } from './limits.ts'
import type { Observation, ScenarioHouse } from './run-scenario.ts'
import { type Given, policyFiles } from './scenario-file.ts'
import { type SimulatedDirectory, simulateDirectory } from './simulated-directory.ts'
import { instantOf, workerEvent } from './worker-events.ts'

/** What everybody in the core house shares. */
export type CoreWorld = {
  now: Instant
  /** Orders what was sent and what was verified. */
  tick: number
  nextId: number
  readonly targets: Map<TargetId, TargetRules>
  readonly directories: Map<TargetId, SimulatedDirectory>
  readonly down: Set<TargetId>
  readonly policies: PolicyWindow[]
  readonly entitlements: Entitlements
  readonly people: Map<string, CorePerson>
  readonly guard: CoreGuard
  readonly modeSetAt: Map<TargetId, Instant>
}

/** Ids of entitlements, managed or only seen. */
export type Entitlements = {
  readonly idOf: (target: TargetId, name: string) => EntitlementId
  readonly nameOf: (id: EntitlementId) => string
  readonly targetOf: (id: EntitlementId) => TargetId
}

/** What the scenarios' targets can do. */
const likeLdap = {
  disable: 'native',
  endSessions: 'none',
  deleteAfterMs: null,
  protect: nothingProtected,
} as const satisfies Partial<TargetRules>

/**
 * The pure core with the least around it that makes a house: a queue that never fails, simulated targets, a clock that
 * stands still until told. The claim protocol is DESIGN §5's.
 */
export const openCoreHouse = async (given: Given): Promise<ScenarioHouse> => {
  const names = Object.keys(given.targets) as TargetId[]
  const world: CoreWorld = {
    now: instantOf(given.now),
    tick: 0,
    nextId: 1,
    targets: new Map(names.map((id) => [id, { id, ...(given.targets[id] as Given['targets'][string]), ...likeLdap }])),
    directories: new Map(
      names.map((id) => [id, simulateDirectory(given.directory.filter(({ target }) => target === id))]),
    ),
    down: new Set(),
    policies: [],
    entitlements: numberedEntitlements(),
    people: new Map(),
    guard: {
      limits: new Map(names.map((id) => [id, guardLimits((given.targets[id] as Given['targets'][string]).guard)])),
      sent: new Map(),
      held: new Map(),
      released: new Set(),
    },
    modeSetAt: new Map(names.map((id) => [id, instantOf(given.now)])),
  }
  const everybodyIsDue = (): void => {
    for (const person of world.people.values()) person.due = true
  }
  const personOf = (key: string): CorePerson => {
    const person = world.people.get(key) ?? newPerson(key)
    world.people.set(key, person)
    return person
  }
  const applyPolicies = (sources: readonly string[]): void => {
    world.policies.push({
      activeFrom: world.policies.length === 0 ? null : world.now,
      policy: compiled(sources, world),
    })
    everybodyIsDue()
  }
  applyPolicies(given.policies)

  return {
    ingest: async (event) => {
      const person = personOf(event.person)
      // A second event of the same source and id is a duplicate: it is kept in the inbox, and changes nothing.
      if (!person.events.some(({ id }) => id === event.id)) person.events.push(workerEvent(event, world.now))
      person.due = true
      person.parked = false
    },
    clock: async (at) => {
      world.now = instantOf(at)
    },
    applyPolicies: async (sources) => applyPolicies(sources),
    setMode: async (target, mode) => {
      const rules = world.targets.get(target as TargetId)
      if (rules === undefined) throw new Error(`the scenario has no target ${target}`)
      if (mode === 'enforce' && rules.mode !== 'enforce') resumeDeadlines(world, rules.id)
      world.targets.set(rules.id, { ...rules, mode })
      world.modeSetAt.set(rules.id, world.now)
      everybodyIsDue()
    },
    reject: async (key, entitlement) => {
      const person = personOf(key)
      const held = person.plan?.held.find((one) => world.entitlements.nameOf(one.entitlement) === entitlement)
      if (held === undefined) throw new Error(`nothing holds ${entitlement} of ${key}`)
      person.rejected.add(JSON.stringify(held))
    },
    release: async (target, changes) => release(world, target as TargetId, changes),
    failing: async (key, fails) => {
      personOf(key).fails = fails
    },
    calling: async (key, change) => void personOf(key).hanging.add(change),
    answered: async (key, change, as) => {
      const person = personOf(key)
      const action = person.actions.find((one) => one.claimed && one.change === change)
      if (action === undefined) throw new Error(`no call is out that would ${change} for ${key}`)
      person.hanging.delete(change)
      answer(world, person, action, as)
    },
    down: async (target) => void world.down.add(target as TargetId),
    up: async (target) => void world.down.delete(target as TargetId),
    outside: async (entry) => world.directories.get(entry.target as TargetId)?.set(entry),
    restart: async () => {
      for (const person of world.people.values()) {
        person.hanging.clear()
        for (const action of person.actions.filter(({ claimed }) => claimed))
          answer(world, person, action, 'not applied, answer lost')
      }
    },
    rest: async () => rest(world),
    observe: async (key) => observe(world, personOf(key)),
    close: async () => {},
  }
}

const rest = (world: CoreWorld): void => {
  for (let tries = new Set<number>(), again = true; again; ) {
    again = false
    for (const person of world.people.values()) {
      if (person.parked || !isDue(world, person)) continue
      evaluatePerson(world, person)
      again = true
    }
    for (const person of world.people.values())
      for (const action of person.actions.filter(({ unknown, claimed }) => unknown && !claimed))
        again = readBack(world, person, action) || again
    const mayLeave = guardOf(world)
    // What the target turned away in this rest waits for the next one.
    for (const person of world.people.values())
      for (const action of claimable(world, person).filter(({ id }) => !tries.has(id))) {
        if (!mayLeave(person, action)) continue
        tries = tries.add(action.id)
        again = start(world, person, action) || again
      }
  }
}

/** While nothing was sent to the target, no deadline ran. */
const resumeDeadlines = ({ people, now, modeSetAt }: CoreWorld, target: TargetId): void => {
  const since = modeSetAt.get(target) ?? now
  for (const person of people.values())
    person.actions = person.actions.map((action) =>
      action.target !== target || action.deadline === null
        ? action
        : { ...action, deadline: (action.deadline + now - Math.max(since, action.createdAt)) as Instant },
    )
}

const observe = (world: CoreWorld, person: CorePerson): Observation => {
  const { nameOf } = world.entitlements
  const { at, decision, plan } = person
  const changes = person.changes.splice(0)
  const targets = [...world.directories]
  const state = (on: SimulatedDirectory) => {
    const account = on.of(person.key)
    return account === undefined ? 'none' : account.enabled ? 'enabled' : 'disabled'
  }
  const held = (plan?.held ?? []).filter((one) => !person.rejected.has(JSON.stringify(one)))
  return {
    lifecycle: at?.lifecycle ?? 'prehire',
    leaver: at?.leaver ?? false,
    parked: person.parked,
    holds: Object.fromEntries(targets.map(([id, on]) => [id, on.groupsOf(person.key)])),
    accounts: Object.fromEntries(targets.map(([id, on]) => [id, state(on)])),
    wanted: (decision?.wanted ?? []).map(({ entitlement }) => nameOf(entitlement)),
    held: Object.fromEntries(held.map(({ entitlement, policies }) => [nameOf(entitlement), policies])),
    violations: (decision?.violations ?? []).flatMap(({ policy, exception }) => (exception === null ? [policy] : [])),
    reported: person.reported.map(nameOf),
    changes,
    open: Object.fromEntries(
      person.actions.map(({ change, state: stands, claimed, unknown }) => [
        change,
        claimed ? 'calling' : unknown ? 'unknown' : stands,
      ]),
    ),
  }
}

const numberedEntitlements = (): Entitlements => {
  const ids = new Map<string, EntitlementId>()
  const names: { readonly target: TargetId; readonly name: string }[] = []
  return {
    idOf: (target, name) => {
      const known = ids.get(`${target} ${name}`)
      if (known !== undefined) return known
      const id = (names.push({ target, name }) - 1) as EntitlementId
      ids.set(`${target} ${name}`, id)
      return id
    },
    nameOf: (id) => names[id]?.name ?? '',
    targetOf: (id) => names[id]?.target ?? ('' as TargetId),
  }
}

const compiled = (sources: readonly string[], { entitlements }: CoreWorld): CompiledPolicy => {
  const parsed = parsePolicies(policyFiles(sources), {
    attributes: knownAttributes,
    targets: ['bank-ldap', 'vault-ldap'],
  })
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems, null, 2))
  const ids = parsed.set.entitlements.map(({ key, target }) => {
    const on = target as TargetId
    return [key, { id: entitlements.idOf(on, key), target: on }] as const
  })
  return compilePolicy(parsed.set, new Map(ids))
}
