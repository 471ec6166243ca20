import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { propertiesOf } from '../alternatives.ts'
import type { EnsureOperation, Observing } from '../connector.ts'
import { ambiguous, correlateOthers, type Missing } from '../correlate-others.ts'
import { missingAccount } from './answers.ts'
import type { Directory } from './directory.ts'
import { outcomeOfRead } from './errors.ts'
import { rootOf } from './properties.ts'
import { accountProperties, idOf, isGuest, spelled, type User, valuesOf } from './user.ts'
import { foldKey, usersBy, usersById } from './users.ts'

export type Matched = Missing & {
  readonly user: User
  /** Found by another property: the person key is to be written to it. */
  readonly toCorrelate: boolean
}

/** What is read of users that might be the one. */
export const findProperties = (settings: Directory['settings']): readonly string[] => [
  ...new Set([
    ...accountProperties(settings),
    rootOf(settings.correlation),
    ...settings.alternatives.flatMap((one) => propertiesOf(one).map(rootOf)),
  ]),
]

type Outcomes = (Outcome | undefined)[]

/**
 * Looks every account up: known ones by their object id, the others by the correlation property, then by the alternatives in
 * their order. Guests are passed over: they are somebody else's people.
 */
export const find = async (
  directory: Directory,
  operations: readonly EnsureOperation[],
  outcomes: Outcomes,
  linkRefusals?: Observing['linkRefusals'],
): Promise<{ readonly matched: readonly Matched[]; readonly missing: readonly Missing[] }> => {
  const { client, settings } = directory
  const select = findProperties(settings)
  const unknown = operations.filter(({ account }) => account === null).map(({ wanted }) => wanted.correlation.value)
  const ids = operations.flatMap(({ account }) => (account === null ? [] : [account]))
  const [known, correlated] = await Promise.all([
    usersById(client, ids, select),
    usersBy(client, settings.correlation, unknown, select),
  ])
  // Graph takes keys that differ only in case for the same; people do not.
  const spellings = Map.groupBy(new Set(unknown), foldKey)
  const byKey = correlated.ok ? byValue(correlated.value, settings.correlation) : new Map<string, readonly User[]>()

  const matched: Matched[] = []
  const missing: Missing[] = []
  for (const [index, operation] of operations.entries()) {
    const read = operation.account === null ? correlated : known
    if (!read.ok) {
      outcomes[index] = outcomeOfRead(read.failure, 'account')
      continue
    }
    if (operation.account !== null) {
      const user = known.ok ? known.value.get(operation.account as NativeId) : undefined
      if (user === undefined) outcomes[index] = missingAccount
      else matched.push({ index, operation, user, toCorrelate: false })
      continue
    }
    const { value } = operation.wanted.correlation
    const found = byKey.get(foldKey(value)) ?? []
    const user = found[0]
    const doubted = (word: string) => ambiguous(word, settings.correlation, found.map(idOf))
    if (found.length > 1) outcomes[index] = doubted('several-accounts')
    else if ((spellings.get(foldKey(value))?.length ?? 0) > 1) outcomes[index] = doubted('keys-differ-only-in-case')
    else if (user === undefined) missing.push({ index, operation })
    else if (valuesOf(user, settings.correlation)[0] !== value) outcomes[index] = doubted('correlation-not-exact')
    else matched.push({ index, operation, user, toCorrelate: false })
  }
  const others = await correlateOthers<User>(
    {
      ...settings,
      linkRefusals,
      valuesOf,
      spell: spelled,
      foldKey,
      idOf,
      nativeIdOf: idOf,
      find: async ({ property }, values) => {
        const read = await usersBy(client, property, values, select)
        if (!read.ok) return { ok: false, outcome: outcomeOfRead(read.failure, 'account') }
        return { ok: true, value: byValue(read.value, property) }
      },
    },
    matched.map(({ user }) => user),
    missing,
    outcomes,
  )
  const found = others.found.map(({ index, operation, account }) => ({
    index,
    operation,
    user: account,
    toCorrelate: true,
  }))
  return { matched: [...matched, ...found], missing: others.missing }
}

/** Employees by a value of theirs, folded as Graph compares it. */
const byValue = (users: readonly User[], property: string): ReadonlyMap<string, readonly User[]> => {
  const byFolded = new Map<string, User[]>()
  for (const user of users) {
    if (isGuest(user)) continue
    for (const value of valuesOf(user, property)) {
      const some = byFolded.get(foldKey(value)) ?? []
      if (!some.some(({ id }) => id === user.id)) byFolded.set(foldKey(value), [...some, user])
    }
  }
  return byFolded
}
