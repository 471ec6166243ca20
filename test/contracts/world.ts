/** What the contract suite needs to know of a target: its world, seen by somebody who is not the connector. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import {
  type ApplyContext,
  type Connector,
  type EntitlementRef,
  type LinkRefusals,
  notSo,
  type Observing,
  type Operation,
} from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import type { WorkerAttributes } from '../../src/domain/worker-event.ts'

export type Group = { readonly lookup: string; readonly nativeId: NativeId }
export type Person = { readonly key: string; readonly worker: WorkerAttributes }
/** Before the request reaches the server, or when its answer is on the way back: the change is committed. */
export type Phase = 'before-commit' | 'after-commit'

/** The real server as somebody else sees it, and what can go wrong on the way to it. */
export type World = {
  /** A person's attributes as HR would tell them; `name` may hold any character. */
  readonly person: (key: string, name?: string) => Person
  /** Makes accounts past the connector, able to sign in. */
  readonly addAccounts: (people: readonly Person[]) => Promise<readonly NativeId[]>
  /** Makes a second account with the correlation of the first. */
  readonly addTwin: (person: Person) => Promise<void>
  /** `strangers`: so many members more that are no accounts of ours. */
  readonly addGroup: (name: string, members?: readonly NativeId[], strangers?: number) => Promise<Group>
  /** Accounts that really have the membership: whose sign-in would carry it. */
  readonly membersOf: (group: Group) => Promise<readonly NativeId[]>
  readonly accountsOf: (person: Person) => Promise<readonly NativeId[]>
  readonly canSignIn: (account: NativeId) => Promise<boolean>
  /** The same account under another name. */
  readonly rename: (account: NativeId) => Promise<void>
  readonly removeGroup: (group: Group) => Promise<void>
  /** A connector that soon stops waiting for an answer; the usual one is patient on the busiest machine. Whoever asked closes it. */
  readonly impatient: () => Connector
  /** Lets so much time pass for the connectors, ms; where a read may be behind, this makes it true. */
  readonly pass?: (ms: number) => void
  readonly faults: {
    /** The next write breaks the connection, or meets what is done meanwhile. */
    readonly atNextWrite: (phase: Phase, act: 'drop' | 'no-answer' | (() => Promise<void>)) => void
    /** Takes back what was armed and has not happened. */
    readonly none: () => void
    readonly dropAll: () => void
    readonly down: () => Promise<void>
    readonly up: () => Promise<void>
  }
  readonly close: () => Promise<void>
}

export const freshKey = (): string => `k${randomBytes(5).toString('hex')}`
export const always: ApplyContext & Observing = {
  signal: new AbortController().signal,
  mayWrite: () => true,
  sentMsAgo: null,
}
export const notLinkable: Outcome = { kind: 'refused', reason: 'protected', cause: { code: '', word: 'not-linkable' } }
/** Lets nobody be linked, and keeps whom it was asked about. */
export const neverLinking = () => {
  const asked: NativeId[] = []
  const linkRefusals: LinkRefusals = async (accounts) => {
    asked.push(...accounts)
    return new Map(accounts.map((account) => [account, notLinkable]))
  }
  return { asked, context: { ...always, linkRefusals } }
}
export const unknownId = '00000000-0000-4000-8000-000000000000' as NativeId

export const ref = (group: Group, pinned = true): EntitlementRef => ({
  id: 1 as EntitlementId,
  lookup: group.lookup,
  nativeId: pinned ? group.nativeId : null,
})
export const grant = (account: NativeId, group: Group, pinned = true): Operation => ({
  op: 'grant',
  account,
  entitlement: ref(group, pinned),
})
export const revoke = (account: NativeId, group: Group, pinned = true): Operation => ({
  op: 'revoke',
  account,
  entitlement: ref(group, pinned),
})
export const ensure = (person: Person, create = true, account: NativeId | null = null): Operation => ({
  op: 'ensureAccount',
  wanted: { correlation: { value: person.key }, worker: person.worker, attributesHash: '' },
  create,
  account,
})

/** `done`, `refused:account-missing`, `retry:lease` …: an outcome in one word, for lists. */
export const said = (outcome: Outcome | undefined): string => {
  if (outcome === undefined) return 'nothing'
  if (outcome.kind === 'done') return outcome.changed ? 'changed' : 'was-so'
  if (outcome.kind === 'retry' && outcome.cause.word === notSo) return 'not-so'
  return outcome.kind === 'refused' ? `refused:${outcome.reason}` : outcome.kind
}

/** What an impatient connector says once it has come as far as to send: a machine may be too slow even for what is answered. */
export const onceSent = async (attempt: () => Promise<Outcome | undefined>): Promise<string> => {
  for (;;) {
    const word = said(await attempt())
    if (word !== 'retry') return word
  }
}

/** Asks for what is not done yet, again and again; of each, the different words that it was answered with, in their order. */
export const untilDone = async (
  connector: Connector,
  operations: readonly Operation[],
): Promise<readonly (readonly string[])[]> => {
  const words = operations.map(() => new Set<string>())
  for (let open = [...operations.keys()]; open.length > 0; ) {
    const asked = open.flatMap((at) => operations[at] ?? [])
    const outcomes = await connector.apply(asked, always)
    for (const [at, index] of open.entries()) words[index]?.add(said(outcomes[at]))
    open = open.filter((_, at) => outcomes[at]?.kind !== 'done')
  }
  return words.map((said) => [...said])
}

/** A round trip on this machine's own network: what was reset on it before is known by then to whoever held it. */
export const roundTrip = async (): Promise<void> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const probe = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(probe, 'connect')
  probe.destroy()
  server.close()
  await once(server, 'close')
}

/** What becomes of these in the end, in words: what a read did not show at once is looked at after the settling time. */
export const settling = async (
  world: Pick<World, 'pass'>,
  connector: Connector,
  operations: readonly Operation[],
): Promise<readonly string[]> => {
  const outcomes = await connector.apply(operations, always)
  const open = outcomes.flatMap((outcome, at) => {
    const operation = operations[at]
    return outcome.kind === 'pending' && operation !== undefined ? [{ at, operation, handle: outcome.handle }] : []
  })
  world.pass?.(connector.manifest.settleMs)
  const polled = open.length === 0 ? [] : ((await connector.poll?.(open, always.signal)) ?? [])
  return outcomes.map((outcome, at) => said(polled[open.findIndex((one) => one.at === at)] ?? outcome))
}

export const accountOf = (outcome: Outcome | undefined) => (outcome?.kind === 'done' ? outcome.account : undefined)
export const grantsOf = (outcome: Outcome | undefined) =>
  outcome?.kind === 'done' ? outcome.grants?.map(({ nativeId }) => nativeId).sort() : undefined

/** What kind of target it is, where that decides what can be asked of it. */
export type Traits = {
  /** kept: accounts are things that the target keeps. named: an account is a name that somebody else gives. */
  readonly accounts: 'kept' | 'named'
  /** More accounts than one page, one search or one call of the target holds. */
  readonly crowd: number
  /** So many members a group can hold for certain. */
  readonly largestGroup: number
  /** An account that is surely not there. */
  readonly unknownId: NativeId
  /** Person keys that can stand on an account here; whoever has another one is refused, and nothing is made. */
  readonly keys: RegExp
  /** The same of names, where these are not free. */
  readonly names?: RegExp
}
/** HR gives no other: what PostgreSQL cannot store is quarantined. */
const anyKey = /^[^\0]+$/
export const usual: Traits = { accounts: 'kept', crowd: 1_100, largestGroup: 10_000, unknownId, keys: anyKey }

/** What one run of the suite works with. Its world and connector are there from `beforeAll` on. */
export type Scene = {
  readonly world: World
  readonly connector: Connector
  readonly traits: Traits
  readonly apply: (operations: readonly Operation[], context?: ApplyContext) => Promise<readonly Outcome[]>
  /** The same, in words. */
  readonly saying: (operations: readonly Operation[], context?: ApplyContext) => Promise<readonly string[]>
  /** The same, after the settling time: what a read did not show at once is pending until then. */
  readonly settling: (operations: readonly Operation[]) => Promise<readonly string[]>
  /** Somebody new; without `name` the key is the name. */
  readonly person: (name?: string) => Person
  readonly addAccount: () => Promise<NativeId>
}

/** What enabling and disabling say: this word, or that the target has no such thing. */
export const ifOffered = ({ connector }: Scene, word: string): string =>
  connector.manifest.disable === 'none' ? 'refused:not-allowed' : word

/** What making an account says: this word, or that whoever has a name is there already. */
export const ifMade = ({ traits }: Scene, word: string): string => (traits.accounts === 'named' ? 'was-so' : word)

export const sorted = (ids: readonly NativeId[]) => [...ids].sort()
