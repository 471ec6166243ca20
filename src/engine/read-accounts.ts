import type { Connector, SeenAccount } from '../connectors/connector.ts'
import type { NativeId } from '../domain/ids.ts'

/** Single accounts in a row that cannot be read before it is the target that cannot: leavers, and others. */
const mostFailures = { leavers: 64, others: 8 } as const
/** So long those of one read are looked at apart, ms: leavers, and then others. */
const patienceMs = 60_000

type Group = keyof typeof mostFailures

export type Asked = { readonly native_id: string; readonly leaver: boolean }

export type AccountsRead = {
  readonly shown: ReadonlyMap<string, SeenAccount>
  /** Of whom nothing is known: neither shown, nor in a read that was complete. By native id. */
  readonly unread: ReadonlySet<string>
  /** Why; null: there are none. */
  readonly cause: string | null
}

/** One for all reads of a run: a target that cannot tell of anybody is not asked for each of them in every read. */
export type AccountReader = (some: readonly Asked[]) => Promise<AccountsRead>

/**
 * Accounts as the target shows them. A read that is not complete shows those whom it shows, and says nothing of the rest: they
 * are looked at apart, half by half and leavers first, since one that cannot be read must not hide the others. Only a complete
 * read says of somebody that they are not there.
 */
export const accountReader = (
  { accounts }: Pick<Connector, 'accounts'>,
  signal: AbortSignal,
  patience = () => AbortSignal.timeout(patienceMs),
): AccountReader => {
  /** In a row, of each group: neither uses up what the other may. */
  const failures = { leavers: 0, others: 0 }
  return async (some) => {
    const shown = new Map<string, SeenAccount>()
    const unread = new Set<string>()
    let cause: string | null = null
    /** Answers of whom it says nothing. */
    const ask = async (of: readonly Asked[], until: AbortSignal): Promise<readonly Asked[]> => {
      const read = await accounts(
        of.map(({ native_id }) => native_id as NativeId),
        until,
      )
      for (const item of read.items) shown.set(item.nativeId, item)
      if (read.kind === 'complete' || read.items.length > 0) failures.leavers = failures.others = 0
      if (read.kind === 'complete') return []
      cause = read.cause
      return of.filter(({ native_id }) => !shown.has(native_id))
    }
    const leave = (of: readonly Asked[]) => {
      for (const { native_id } of of) unread.add(native_id)
    }
    const lookApart = async (of: readonly Asked[], group: Group, until: AbortSignal): Promise<void> => {
      if (of.length === 0) return
      if (until.aborted || failures[group] >= mostFailures[group]) return leave(of)
      const left = await ask(of, until)
      if (of.length === 1 && left.length === 1) {
        failures[group] += 1
        return leave(left)
      }
      const middle = Math.ceil(left.length / 2)
      await lookApart(left.slice(0, middle), group, until)
      await lookApart(left.slice(middle), group, until)
    }

    signal.throwIfAborted()
    const left = some.length === 0 ? [] : await ask(some, signal)
    if (some.length === 1) leave(left)
    else
      for (const group of ['leavers', 'others'] as const) {
        const of = left.filter(({ leaver }) => leaver === (group === 'leavers'))
        if (of.length === 0) continue
        const over = patience()
        await lookApart(of, group, AbortSignal.any([signal, over]))
        // They take their time and tell nothing: nobody else of them is looked at apart before it tells something.
        if (over.aborted) failures[group] = Number.POSITIVE_INFINITY
      }
    return { shown, unread, cause: unread.size === 0 ? null : cause }
  }
}
