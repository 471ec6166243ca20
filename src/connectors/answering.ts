import type { Outcome } from '../domain/outcome.ts'
import type { Connector, MemberList, PinnedEntitlement, Snapshot } from './connector.ts'

/** So long after its signal a connector may tell by itself what it knows, ms. */
const graceMs = 250

/**
 * The connector behind a door that always answers a read: one that ignores its signal is answered for, by what is known then,
 * so that whoever asks about one target goes on to the next. Writes are not here: the engine gives those up with their lease.
 */
export const answering = (connector: Connector): Connector => {
  const { changes, entitlementNames, indirectGrantsOf, own, poll } = connector
  return {
    ...connector,
    check: (signal, uses) => orElse(connector.check(signal, uses), signal, () => ({ ok: false, problems: [text] })),
    resolveEntitlements: (refs, signal) =>
      orElse(connector.resolveEntitlements(refs, signal), signal, () =>
        refs.map(() => ({ kind: 'failed', cause: text })),
      ),
    ...(entitlementNames === undefined
      ? {}
      : { entitlementNames: (ids, signal) => orElse(entitlementNames(ids, signal), signal, nothing) }),
    observe: (operations, observing) =>
      orElse(connector.observe(operations, observing), observing.signal, () => operations.map(silent)),
    ...(poll === undefined
      ? {}
      : { poll: (pending, signal) => orElse(poll(pending, signal), signal, () => pending.map(silent)) }),
    grantsOf: (ids, signal) => orElse(connector.grantsOf(ids, signal), signal, nothing),
    ...(indirectGrantsOf === undefined
      ? {}
      : { indirectGrantsOf: (ids, signal) => orElse(indirectGrantsOf(ids, signal), signal, nothing) }),
    whoIs: (members, signal) => orElse(connector.whoIs(members, signal), signal, nothing),
    accounts: (ids, signal) => orElse(connector.accounts(ids, signal), signal, nothing),
    listAccounts: (signal) => orElse(connector.listAccounts(signal), signal, nothing),
    ...(own === undefined ? {} : { own: (signal) => orElse(own(signal), signal, nothing) }),
    membersOf: (refs, signal) => lists(connector, refs, signal),
    ...(changes === undefined
      ? {}
      : {
          changes: (cursor, signal) => orElse(changes(cursor, signal), signal, () => ({ kind: 'failed', cause: text })),
        }),
  }
}

const text = 'no-answer'
const silent = (): Outcome => ({ kind: 'unknown', cause: { code: '', word: text, elsewhere: true } })
const nothing = (): Snapshot<never> => ({ kind: 'partial', items: [], cause: text })

/** What the connector says, or `otherwise` a moment after the signal fired. */
const orElse = async <T>(answer: Promise<T>, signal: AbortSignal, otherwise: () => T): Promise<T> => {
  const late = Promise.withResolvers<T>()
  let timer: NodeJS.Timeout | undefined
  const fired = () => {
    timer = setTimeout(() => late.resolve(otherwise()), graceMs)
  }
  if (signal.aborted) fired()
  else signal.addEventListener('abort', fired)
  try {
    return await Promise.race([answer, late.promise])
  } finally {
    signal.removeEventListener('abort', fired)
    clearTimeout(timer)
  }
}

/** Ends where the connector does not go on: whoever asked takes what was not listed for unread. */
async function* lists(
  connector: Connector,
  refs: readonly PinnedEntitlement[],
  signal: AbortSignal,
): AsyncGenerator<MemberList> {
  const told = connector.membersOf(refs, signal)[Symbol.asyncIterator]()
  for (;;) {
    const next = await orElse<IteratorResult<MemberList, unknown>>(told.next(), signal, () => ({
      done: true,
      value: undefined,
    }))
    if (next.done === true) return
    yield next.value
  }
}
