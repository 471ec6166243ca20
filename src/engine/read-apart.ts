/** Single accounts in a row that cannot be read before it is the target that cannot: leavers, and others. */
const mostFailures = { leavers: 64, others: 8 } as const
/** So long those of one read are looked at apart, ms: leavers, and then others. */
const patienceMs = 60_000

type Group = keyof typeof mostFailures

export type Asked = { readonly native_id: string; readonly leaver: boolean }

/** What one read has told of those who were asked for. */
export type Told = {
  /** Of whom it says nothing. */
  readonly left: readonly Asked[]
  /** It was complete, or showed something: the target can be read. */
  readonly tells: boolean
  /** Why it says nothing of them; null: it left nobody. */
  readonly cause: string | null
}

export type Unread = {
  /** Native ids. */
  readonly unread: ReadonlySet<string>
  /** null: there are none. */
  readonly cause: string | null
}

/** One for all reads of a run: a target that cannot tell of anybody is not asked for each of them in every read. */
export type ApartReader = (some: readonly Asked[]) => Promise<Unread>

export const accountPatience = () => AbortSignal.timeout(patienceMs)

/**
 * Whom a read leaves is looked at apart, half by half and leavers first, since one that cannot be read must not hide the others.
 */
export const apartReader = (
  read: (some: readonly Asked[], until: AbortSignal) => Promise<Told>,
  signal: AbortSignal,
  patience: () => AbortSignal,
): ApartReader => {
  /** In a row, of each group: neither uses up what the other may. */
  const failures = { leavers: 0, others: 0 }
  return async (some) => {
    const unread = new Set<string>()
    let cause: string | null = null
    const ask = async (of: readonly Asked[], until: AbortSignal): Promise<readonly Asked[]> => {
      const told = await read(of, until)
      if (told.tells) failures.leavers = failures.others = 0
      if (told.left.length > 0) cause = told.cause
      return told.left
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
    return { unread, cause: unread.size === 0 ? null : cause }
  }
}

/**
 * So many at once, leavers among themselves and first: somebody else's trouble is not theirs. `turn`: another one in each run, so that
 * whoever stands behind many who cannot be read stands before them in another run.
 */
export const inTurn = <One extends Asked>(
  asked: readonly One[],
  atOnce: number,
  turn: number,
): readonly (readonly One[])[] =>
  [true, false].flatMap((leaver) => {
    const group = asked.filter((one) => one.leaver === leaver)
    const first = group.length === 0 ? 0 : turn % group.length
    const turned = [...group.slice(first), ...group.slice(0, first)]
    return Array.from({ length: Math.ceil(turned.length / atOnce) }, (_, n) =>
      turned.slice(n * atOnce, (n + 1) * atOnce),
    )
  })
