import type { NativeId } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'
import { isProtectedAccount, isProtectedEntitlement, type Protection } from '../domain/protection.ts'
import type { ApplyContext, Connector, EntitlementRef, LinkRefusals, Operation } from './connector.ts'
import { isOwn, isOwnName, rememberOwn } from './own-things.ts'
import { rememberNames, type ShownName, type ShownNames } from './shown-names.ts'
import { unanswered } from './unanswered.ts'

/**
 * The connector behind a door that nothing protected passes: whoever is break-glass, whatever is the target's own, and what
 * Muster itself is there, is neither written nor linked, whatever a policy or a human wants of it. Lists and grants are read
 * as they are.
 */
export const protecting = (
  connector: Connector,
  protection: Protection,
  clock: () => number = () => performance.now(),
): Connector => {
  const own = rememberOwn(connector, clock)
  const names = rememberNames(connector, clock)
  const door: Door = {
    accountWord: (nativeId) =>
      isProtectedAccount(protection, nativeId)
        ? 'protected-account'
        : isOwn(own.known(), 'account', nativeId)
          ? 'own-account'
          : null,
    entitlementWord: ({ lookup, nativeId }, op) => {
      const names = nativeId === null ? [lookup] : [lookup, nativeId]
      if (names.some((name) => isProtectedEntitlement(protection, name))) return 'protected-entitlement'
      // Whoever is in it by another hand may be put out.
      if (op === 'revoke') return null
      const isOurs =
        isOwnName(own.known(), lookup) || (nativeId !== null && isOwn(own.known(), 'entitlement', nativeId))
      return isOurs ? 'own-entitlement' : null
    },
    names,
    asksNames: () => names.told && protection.entitlements.length > 0,
    ownsEntitlements: () => own.known().some(({ kind }) => kind === 'entitlement'),
  }
  const { poll } = connector
  return {
    ...connector,
    apply: async (operations, context) => {
      if ((await own.ask(context.signal)) === null)
        return (await connector.observe(operations, { signal: context.signal, sentMsAgo: null })).map(
          whyUnread(own.untold()),
        )
      return apply(connector, door, operations, context)
    },
    observe: async (operations, observing) => {
      if ((await own.ask(observing.signal)) === null)
        return operations.map(() => ({ kind: 'unknown', cause: ownUnread(own.untold()).cause }))
      return (await connector.observe(operations, observing)).map((outcome) => unlinked(door, outcome))
    },
    ...(poll === undefined
      ? {}
      : {
          poll: async (pending, signal) =>
            (await poll(pending, signal)).map((outcome, index) => notLinked(door, pending[index]?.operation, outcome)),
        }),
    protects: async (account, signal) => {
      const told = await own.ask(signal)
      return door.accountWord(account) !== null ? true : told === null ? null : false
    },
  }
}

type Door = {
  /** Our word for why it is not touched; null: it may be. */
  readonly accountWord: (nativeId: NativeId) => string | null
  readonly entitlementWord: (entitlement: EntitlementRef, op: 'grant' | 'revoke') => string | null
  readonly ownsEntitlements: () => boolean
  /** Whether what the target calls an entitlement may decide. */
  readonly asksNames: () => boolean
  readonly names: ShownNames
}

const apply = async (
  connector: Connector,
  door: Door,
  operations: readonly Operation[],
  context: ApplyContext,
): Promise<readonly Outcome[]> => {
  const first = operations.map((operation) => refusal(door, operation))
  const left = operations.filter((_, index) => first[index] === null)
  const meant = await meantBy(connector, door, left, context)
  const shown = await shownAs(door, left, meant, context)
  const judged = operations.map((operation, index) => first[index] ?? meantRefusal(door, operation, meant, shown))
  const reasons = await whyNotAnswered(connector, operations, judged, context)
  const refusals = judged.map((one, index) => reasons.get(index) ?? one)
  const open = operations.filter((_, index) => refusals[index] === null)
  const told = (
    open.length === 0 ? [] : await connector.apply(open, { ...context, linkRefusals: linkRefusals(door, context) })
  ).values()
  return refusals.map((one, index) => one ?? notLinked(door, operations[index], told.next().value ?? notBegun))
}

/** A person key may come to stand on Muster's own account, or on a protected one: only who finds it knows. */
const linkRefusals =
  (door: Door, context: ApplyContext): LinkRefusals =>
  async (accounts) => {
    const left = accounts.filter((account) => linkRefusal(door, account) === null)
    const others = left.length === 0 ? undefined : await context.linkRefusals?.(left)
    return new Map([
      ...(others ?? []),
      ...accounts.flatMap((account) => {
        const refusal = linkRefusal(door, account)
        return refusal === null ? [] : [[account, refusal] as const]
      }),
    ])
  }

const linkRefusal = (door: Door, account: NativeId): Outcome | null => {
  const word = door.accountWord(account)
  return word === null ? null : refused(word)
}

/** Found for somebody who has none: nobody links it, whatever the connector says. Who was named passed the door before the change. */
const notLinked = (door: Door, operation: Operation | undefined, outcome: Outcome): Outcome =>
  operation?.account === null ? unlinked(door, outcome) : outcome

const unlinked = (door: Door, outcome: Outcome): Outcome =>
  outcome.kind === 'done' && outcome.account !== undefined
    ? (linkRefusal(door, outcome.account.nativeId) ?? outcome)
    : outcome

/** Whose trouble it is that a name tells nothing: the connector's own word for it, where it has one. */
const whyNotAnswered = async (
  connector: Connector,
  operations: readonly Operation[],
  judged: readonly (Outcome | null)[],
  { signal }: ApplyContext,
): Promise<ReadonlyMap<number, Outcome>> => {
  const asked = [...operations.entries()].filter(([index]) => judged[index] === notAnswered)
  if (asked.length === 0) return new Map()
  const told = await connector.observe(
    asked.map(([, operation]) => operation),
    { signal, sentMsAgo: null },
  )
  return new Map(asked.map(([index], at) => [index, unanswered(told[at], notAnswered)]))
}

const refusal = (door: Door, operation: Operation): Outcome | null => {
  const word =
    (operation.account === null ? null : door.accountWord(operation.account)) ??
    ('entitlement' in operation ? door.entitlementWord(operation.entitlement, operation.op) : null)
  return word === null ? null : refused(word)
}

type Meant = ReadonlyMap<string, NativeId | 'missing' | 'unread'>

/** What names without a pinned id mean now: one may mean what is Muster's own, or protected by another name. */
const meantBy = async (
  connector: Connector,
  door: Door,
  operations: readonly Operation[],
  { signal }: ApplyContext,
): Promise<Meant> => {
  const named = new Map(
    operations.flatMap((operation) =>
      'entitlement' in operation &&
      operation.entitlement.nativeId === null &&
      (door.asksNames() || (operation.op === 'grant' && door.ownsEntitlements()))
        ? [[operation.entitlement.lookup, operation.entitlement] as const]
        : [],
    ),
  )
  const refs = [...named.values()]
  const told = refs.length === 0 ? [] : await connector.resolveEntitlements(refs, signal)
  return new Map(
    refs.map(({ lookup }, at) => {
      const one = told[at]
      return [lookup, one?.kind === 'found' ? one.nativeId : one?.kind === 'missing' ? 'missing' : 'unread']
    }),
  )
}

/** What the target calls them now. */
const shownAs = async (
  door: Door,
  operations: readonly Operation[],
  meant: Meant,
  { signal }: ApplyContext,
): Promise<ReadonlyMap<NativeId, ShownName>> => {
  if (!door.asksNames()) return new Map()
  const ids = operations.flatMap((operation) => {
    const id = 'entitlement' in operation ? idOf(operation.entitlement, meant) : undefined
    return id === undefined || id === 'missing' || id === 'unread' ? [] : [id]
  })
  return door.names.of(ids, signal)
}

const idOf = ({ lookup, nativeId }: EntitlementRef, meant: Meant) => nativeId ?? meant.get(lookup)

const meantRefusal = (
  door: Door,
  operation: Operation,
  meant: Meant,
  shown: ReadonlyMap<NativeId, ShownName>,
): Outcome | null => {
  if (!('entitlement' in operation)) return null
  const id = idOf(operation.entitlement, meant)
  // Nothing was asked of it, or it is not there: then there is nothing to protect.
  if (id === undefined || id === 'missing') return null
  if (id === 'unread') return notAnswered
  const name = shown.get(id) ?? null
  if (name === 'unread') return notAnswered
  const { entitlement, op } = operation
  const word =
    door.entitlementWord({ ...entitlement, nativeId: id }, op) ??
    (name === null ? null : door.entitlementWord({ ...entitlement, lookup: name, nativeId: id }, op))
  return word === null ? null : refused(word)
}

const notAnswered = { kind: 'retry', cause: { code: '', word: 'not-read-before', elsewhere: true } } as const
const ownUnread = (code: string) => ({ kind: 'retry', cause: { code, word: 'own-not-read', elsewhere: true } }) as const
/** Who is not let in at all is told so: that is the target's trouble, and waits otherwise than a read that failed. */
const whyUnread =
  (code: string) =>
  (read: Outcome): Outcome =>
    read.kind === 'refused' && read.reason === 'credential' ? read : ownUnread(code)

const refused = (word: string): Outcome => ({ kind: 'refused', reason: 'protected', cause: { code: '', word } })
const notBegun: Outcome = { kind: 'retry', cause: { code: '', word: 'not-begun' } }
