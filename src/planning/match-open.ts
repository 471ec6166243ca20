import type { AwaitedAction, KeptAction, NewAction, OpenAction, Waits } from '../domain/action.ts'
import type { ActionId } from '../domain/ids.ts'
import { inFlight, keyOf, type Lookups } from './lookups.ts'

export type Matched = {
  readonly create: readonly NewAction[]
  readonly keep: readonly KeptAction[]
  readonly awaited: readonly AwaitedAction[]
  readonly supersede: readonly ActionId[]
}

/** Wanted changes against open actions: what is open already is kept, never doubled. */
export const matchOpen = (wishes: readonly NewAction[], { open }: Lookups): Matched => {
  const create = new Map(wishes.map((wish) => [keyOf(wish), wish]))
  const keep: KeptAction[] = []
  const awaited: AwaitedAction[] = []
  const supersede: ActionId[] = []
  for (const [key, actions] of open) {
    for (const action of actions) {
      const wish = create.get(key)
      if (wish !== undefined && serves(action, wish)) {
        keep.push(kept(action, wish))
        create.delete(key)
      } else if (inFlight(action)) {
        // No twin beside a call in flight: when its outcome is known, evaluation asks again.
        awaited.push({ action: action.id, changed: action.current })
        create.delete(key)
      } else supersede.push(action.id)
    }
  }
  return { create: [...create.values()], keep, awaited, supersede }
}

/** Whether the open action, with its waits written anew, does what the wish wants. */
const serves = (action: OpenAction, wish: NewAction): boolean => {
  switch (action.kind) {
    case 'ensureAccount':
      // One that only looks makes nothing, and the other way round.
      return action.lane === wish.lane && action.attributesHash === wish.attributesHash
    case 'grant':
      // One that is ready, sent or parked could run before the revoke that it should wait for: a new one waits instead.
      // Not so for a missing account: no claim can name an account that is not linked.
      return wish.afterRevokeOf.length === 0 || (action.state === 'waiting' && !inFlight(action))
    case 'revoke':
    case 'disable':
    case 'endSessions':
      // A leaver's change does not queue behind bulk work; what was sent already has left the queue.
      return inFlight(action) || action.lane === 'leaver' || wish.lane === 'bulk'
    case 'enable':
    case 'deleteAccount':
      return true
  }
}

const kept = (action: OpenAction, wish: NewAction): KeptAction => {
  const { needsAccount, afterRevokeOf, validFrom, validTo } = wish
  const waits: Waits = { needsAccount, afterRevokeOf, validFrom, validTo }
  // What a leaver loses does not wait in the bulk lane to be read back. A call that is out ends first.
  const lane = wish.lane === 'leaver' && !action.claimed ? 'leaver' : action.lane
  const changed = !action.current || lane !== action.lane || !sameWaits(action, waits)
  return { action: action.id, changed, lane, ...waits }
}

/** Only a waiting action waits for revokes, and only on it does it matter that the account came: see `serves`. */
const sameWaits = (action: OpenAction, wanted: Waits): boolean =>
  action.validFrom === wanted.validFrom &&
  action.validTo === wanted.validTo &&
  (action.state === 'waiting'
    ? action.needsAccount === wanted.needsAccount && action.afterRevokeOf.join() === wanted.afterRevokeOf.join()
    : wanted.afterRevokeOf.length === 0)
