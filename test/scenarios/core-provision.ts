import { givesAccess, seeksOnly } from '../../src/domain/action.ts'
import type { AccountId, EntitlementId } from '../../src/domain/ids.ts'
import { contains } from '../../src/domain/instant.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import { whatNext } from '../../src/planning/retry.ts'
import { attributesHash, isDue } from './core-evaluate.ts'
import { noteSent } from './core-guard.ts'
import type { CoreWorld } from './core-house.ts'
import type { CoreAction, CorePerson } from './core-person.ts'
import type { Answer } from './scenario-file.ts'
import type { Call, Told } from './simulated-directory.ts'

/** DESIGN §5: what takes away may always go; what gives, only when nothing is left to evaluate and inside its interval. */
export const claimable = (world: CoreWorld, person: CorePerson): CoreAction[] =>
  person.actions.filter(
    ({ state, claimed, unknown, target, kind, lane, validFrom, validTo }) =>
      state === 'ready' &&
      !claimed &&
      !unknown &&
      world.targets.get(target)?.mode === 'enforce' &&
      (!givesAccess[kind] || seeksOnly({ kind, lane }) || !isDue(world, person)) &&
      (validFrom === null || contains({ from: validFrom, to: validTo }, world.now)),
  )

/** Claims it and lets its call end, unless it should hang. Answers whether something moved. */
export const start = (world: CoreWorld, person: CorePerson, action: CoreAction): boolean => {
  replace(person, { ...action, state: 'dispatched', claimed: true, startedAt: ++world.tick })
  noteSent(world, person, action)
  if (person.hanging.has(action.change)) return true
  const claimed = person.actions.find(({ id }) => id === action.id)
  if (claimed === undefined) return false
  if (world.down.has(action.target))
    settle(world, person, claimed, { kind: 'retry', cause: { code: 'ECONNREFUSED', word: 'down' } })
  else hear(world, person, claimed, told(world, person, claimed))
  return true
}

/** Ends a call that was out. */
export const answer = (world: CoreWorld, person: CorePerson, action: CoreAction, as: Answer): void => {
  const cause = { code: 'ECONNRESET', word: as }
  if (as === 'done') hear(world, person, action, told(world, person, action))
  else if (as === 'not applied') settle(world, person, action, { kind: 'retry', cause })
  else {
    if (as === 'applied, answer lost') told(world, person, action)
    settle(world, person, action, { kind: 'unknown', cause })
  }
}

/** Whether something could be learned by reading. */
export const readBack = (world: CoreWorld, person: CorePerson, action: CoreAction): boolean => {
  if (world.down.has(action.target) || isDistrusted(person, action)) return false
  // What only looks is looked for again.
  if (seeksOnly(action)) return start(world, person, { ...action, unknown: false })
  const isSo = world.directories.get(action.target)?.isSo(callOf(world, person, action)) ?? false
  if (isSo) hear(world, person, action, { kind: 'done', changed: action.effective })
  else settle(world, person, action, { kind: 'retry', cause: { code: '', word: 'not so' } })
  return true
}

/** A revoke that went out beside its grant proves nothing until that grant is known. */
const isDistrusted = ({ actions }: CorePerson, { inverseOf }: CoreAction): boolean =>
  inverseOf !== null && actions.some(({ id, claimed, unknown }) => id === inverseOf && (claimed || unknown))

const told = (world: CoreWorld, person: CorePerson, action: CoreAction): Told =>
  world.directories.get(action.target)?.apply(callOf(world, person, action)) ?? {
    kind: 'refused',
    reason: 'configuration',
  }

const callOf = ({ entitlements, targets }: CoreWorld, person: CorePerson, action: CoreAction): Call => {
  const { kind, entitlement, target } = action
  if (kind === 'grant' || kind === 'revoke')
    return { kind, person: person.key, group: entitlements.nameOf(entitlement as EntitlementId) }
  if (kind === 'endSessions' || kind === 'deleteAccount') throw new Error(`${kind} was planned, and nobody offers it`)
  if (kind !== 'ensureAccount') return { kind, person: person.key }
  if (seeksOnly(action)) return { kind: 'seek', person: person.key }
  const attributes = person.at?.primary?.attributes ?? {}
  const create = targets.get(target)?.accounts === 'create'
  return {
    kind,
    person: person.key,
    username: String(attributes.username),
    hash: attributesHash(person, attributes),
    create,
  }
}

const hear = (world: CoreWorld, person: CorePerson, action: CoreAction, heard: Told): void => {
  if (heard.kind === 'refused') settle(world, person, action, { ...heard, cause: { code: '50', word: heard.reason } })
  else if (isDistrusted(person, action))
    replace(person, { ...action, state: 'ready', claimed: false, unknown: true, effective: heard.changed })
  else {
    const { change, lane, startedAt } = action
    if (heard.changed) person.changes.push({ change, lane, startedAt, verifiedAt: ++world.tick })
    verified(world, person, action, heard.origin === 'created')
  }
}

/** All that is not done. */
const settle = (
  world: CoreWorld,
  person: CorePerson,
  action: CoreAction,
  outcome: Exclude<Outcome, { kind: 'done' }>,
): void => {
  const { lane, kind, current } = action
  const accounts = world.targets.get(action.target)?.accounts ?? 'create'
  const deadlineInMs = action.deadline === null ? null : action.deadline - world.now
  const next = whatNext(outcome, {
    lane,
    kind,
    attempts: action.attempts + 1,
    rests: 0,
    accounts,
    deadlineInMs,
    random: 0,
  })
  const attempts = action.attempts + (next.kind !== 'done' && next.kind !== 'park' && next.counts ? 1 : 0)
  if (next.kind === 'readBack' || next.kind === 'poll')
    replace(person, { ...action, state: 'ready', claimed: false, unknown: true, effective: true, attempts })
  else if (next.kind === 'done') {
    person.actions = person.actions.filter(({ id }) => id !== action.id)
    person.absent.add(action.target)
    if (!current) person.due = true
  } else if (current)
    replace(person, {
      ...action,
      state: next.kind === 'park' ? 'parked' : 'ready',
      claimed: false,
      unknown: false,
      attempts,
    })
  else {
    // A later plan left it behind: it does not run again, and evaluation asks anew.
    person.actions = person.actions.filter(({ id }) => id !== action.id)
    person.due = true
  }
}

const verified = (world: CoreWorld, person: CorePerson, action: CoreAction, created: boolean): void => {
  const { kind, entitlement, target } = action
  person.actions = person.actions.filter(({ id }) => id !== action.id)
  if (!action.current) person.due = true
  if (kind === 'grant') person.grants.set(entitlement as EntitlementId, true)
  else if (kind === 'revoke') person.grants.delete(entitlement as EntitlementId)
  else look(world, person, action, created)
  // The outcome transaction releases what waited for this.
  for (const waiting of person.actions.filter(({ state }) => state === 'waiting')) {
    const needsAccount = waiting.needsAccount && !(created && waiting.target === target)
    const free = !needsAccount && !waiting.afterRevokeOf.some((id) => mayBeThere(person, id))
    replace(person, { ...waiting, needsAccount, state: free ? 'ready' : 'waiting' })
  }
}

const mayBeThere = ({ grants, actions }: CorePerson, id: EntitlementId): boolean =>
  grants.has(id) ||
  actions.some(
    ({ kind, entitlement, claimed, unknown }) => kind === 'grant' && entitlement === id && (claimed || unknown),
  )

/** What an account call read: the account, and for one that was found or shut, all that it holds. */
const look = (world: CoreWorld, person: CorePerson, action: CoreAction, created: boolean): void => {
  const { kind, target } = action
  const account = world.directories.get(target)?.of(person.key)
  if (account === undefined) return
  const known = person.accounts.get(target)
  const id = known?.id ?? (world.nextId++ as AccountId)
  person.accounts.set(target, { id, target, enabled: account.enabled, attributesHash: account.hash })
  if ((kind === 'disable' || seeksOnly(action)) && person.at?.leaver) person.readSinceLeaving.add(target)
  // One that was made for somebody on leave is shut now.
  if (created && person.at?.accountsEnabled === true) return
  person.due = true
  if (kind === 'disable' || known === undefined)
    for (const group of account.groups) {
      const entitlement = world.entitlements.idOf(target, group)
      person.grants.set(entitlement, person.grants.get(entitlement) ?? false)
    }
}

const replace = (person: CorePerson, changed: CoreAction): void => {
  person.actions = person.actions.map((action) => (action.id === changed.id ? changed : action))
}
