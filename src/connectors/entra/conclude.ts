import { type Outcome, sentUnproved } from '../../domain/outcome.ts'
import { notSo } from '../connector.ts'
import { refused, retry } from './answers.ts'
import type { Confirmed } from './confirm.ts'
import type { Directory } from './directory.ts'
import { type Handle, handleText } from './handle.ts'
import type { Look } from './look.ts'
import type { Item } from './operations.ts'
import { observedAccount } from './user.ts'

/** `done`, with what was read as its evidence. */
export const done = (
  { settings }: Directory,
  { operation, group }: Item,
  { read, user, grants }: Extract<Look, { kind: 'so' }>,
  { changed, code, wasEnabled }: { readonly changed: boolean; readonly code: string; readonly wasEnabled?: boolean },
): Outcome => ({
  kind: 'done',
  changed,
  evidence: { read, code, account: operation.account, entitlement: group?.id ?? null },
  ...(user === null || operation.op === 'endSessions'
    ? {}
    : {
        account: {
          ...observedAccount(settings, user),
          origin: 'known',
          ...(wasEnabled === undefined ? {} : { wasEnabled }),
        },
      }),
  ...(grants === null ? {} : { grants }),
})

export const pending = ({ settings }: Pick<Directory, 'settings'>, handle: Handle): Outcome => ({
  kind: 'pending',
  handle: handleText(handle),
  pollAfterMs: settings.settle.pollMs,
})

/** Nothing was read: looked at again when Graph allows it. */
export const later = ({ settings }: Pick<Directory, 'settings'>, handle: Handle, afterMs: number): Outcome => ({
  kind: 'pending',
  handle: handleText(handle),
  pollAfterMs: Math.max(settings.settle.pollMs, afterMs),
})

/** Graph said that it is so, or that it was: not proved yet. */
export type Written = {
  readonly kind: 'written'
  /** absent: there is nothing to change, as far as the replica that was asked knows. */
  readonly said: 'accepted' | 'so-already' | 'absent'
  readonly changed: boolean
  /** Graph's request id of the change; '' when nothing was changed. */
  readonly code: string
  /** Of enable and disable: what the looks before it showed; undefined where they disagreed. */
  readonly wasEnabled?: boolean
}

type Write = Pick<Written, 'said' | 'changed' | 'code' | 'wasEnabled'> & {
  readonly endedFrom: number | null
  readonly at: number
}

/**
 * A revoke in a group whose members are kept from us, as far as it can be told: whatever Graph answers, nobody reads it back. One that
 * may be on its way goes again, which harms nobody.
 */
export const unproved = (
  { operation, group }: Pick<Item, 'operation' | 'group'>,
  result: Written | Outcome | null,
): Outcome => {
  if (result?.kind === 'unknown') return { kind: 'retry', cause: result.cause }
  if (result !== null && result.kind !== 'written') return result
  return {
    kind: 'refused',
    reason: 'not-allowed',
    cause: { code: result?.code ?? '', word: sentUnproved },
    todo: `see in Entra that ${operation.account} is not in group ${group?.id} any more: Muster may not read who is in it`,
  }
}

/** What a replica that is behind does not know yet looks as if it were not there: so many looks in the settling time. */
const looksAtMissed = 10

/** Nothing was written, because what is named was not shown: true only if that is still so after the settling time. */
export const missed = (directory: Pick<Directory, 'settings'>, at: number): Outcome =>
  later(directory, { kind: 'missed', at, detail: '' }, directory.settings.settle.ms / looksAtMissed)

export const isOpen = ({ client, settings }: Directory, { at }: Handle): boolean =>
  client.now() - at < settings.settle.ms

/** The outcome right after the change: what reads show is done, and what they do not show yet is pending. */
export const concluded = (directory: Directory, item: Item, seen: Confirmed, write: Write): Outcome => {
  // Nothing was written, and nothing could be read.
  if (seen.kind === 'told' && seen.outcome.kind !== 'refused' && write.said !== 'accepted') return seen.outcome
  if (write.said === 'absent') return polledMissed(directory, item, seen, { kind: 'missed', at: write.at, detail: '' })
  if (seen.kind === 'so') return done(directory, item, seen, write)
  return pending(directory, {
    kind: write.said === 'accepted' ? 'written' : 'seen',
    at: write.at,
    detail: write.endedFrom === null ? '' : String(write.endedFrom),
  })
}

/** The outcome of a later look: within the settling time «not so» is «not yet». */
export const polled = (directory: Directory, item: Item, seen: Confirmed, handle: Handle): Outcome => {
  if (handle.kind === 'missed') return polledMissed(directory, item, seen, handle)
  // Whether it was open before the change nobody remembers here.
  if (seen.kind === 'so') return done(directory, item, seen, { changed: handle.kind !== 'seen', code: '' })
  if (seen.kind === 'told') {
    const { outcome } = seen
    if (outcome.kind === 'throttled') return later(directory, handle, outcome.retryAfterMs)
    if (outcome.kind === 'retry') return { kind: 'unknown', cause: outcome.cause }
  }
  if (isOpen(directory, handle)) return pending(directory, handle)
  return seen.kind === 'told' ? seen.outcome : retry(notSo)
}

/**
 * What was not there when it was to be changed. Absence is believed when it is read after the settling time; whatever shows
 * before that is an occasion to do what was asked.
 */
const polledMissed = (directory: Directory, item: Item, seen: Confirmed, handle: Handle): Outcome => {
  const { operation, group } = item
  switch (seen.kind) {
    case 'so':
      if (operation.op === 'enable' || operation.op === 'grant')
        return done(directory, item, seen, { changed: false, code: '' })
      // It is there by now; that it is shut may be an old view of it.
      if (operation.op === 'disable' || operation.op === 'endSessions') return retry(notSo)
      if (isOpen(directory, handle)) return missed(directory, handle.at)
      return group !== null && group.group === null
        ? refused('entitlement-missing', 'no-such-group')
        : done(directory, item, seen, { changed: false, code: '' })
    case 'told':
      if (seen.outcome.kind === 'throttled') return later(directory, handle, seen.outcome.retryAfterMs)
      if (seen.outcome.kind === 'retry') return { kind: 'unknown', cause: seen.outcome.cause }
      return isOpen(directory, handle) ? missed(directory, handle.at) : seen.outcome
    case 'not-so':
    case 'wavering':
      return retry(notSo)
    default:
      return seen satisfies never
  }
}
