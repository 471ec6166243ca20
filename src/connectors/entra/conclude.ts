import type { Outcome } from '../../domain/outcome.ts'
import { notSo } from '../connector.ts'
import { retry } from './answers.ts'
import type { Confirmed } from './confirm.ts'
import type { Directory } from './directory.ts'
import { type Handle, handleText } from './handle.ts'
import type { Look } from './look.ts'
import type { Written } from './membership.ts'
import type { Item } from './operations.ts'
import { observedAccount } from './user.ts'

/** `done`, with what was read as its evidence. */
export const done = (
  { settings }: Directory,
  { operation, group }: Item,
  { read, user, grants }: Extract<Look, { kind: 'so' }>,
  { changed, code }: { readonly changed: boolean; readonly code: string },
): Outcome => ({
  kind: 'done',
  changed,
  evidence: { read, code, account: operation.account, entitlement: group?.id ?? null },
  ...(user === null || operation.op === 'endSessions'
    ? {}
    : { account: { ...observedAccount(settings, user), origin: 'known' } }),
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

type Write = Pick<Written, 'said' | 'changed' | 'code'> & {
  readonly endedFrom: number | null
  readonly at: number
}

/** The outcome right after the change: what reads show is done, and what they do not show yet is pending. */
export const concluded = (directory: Directory, item: Item, seen: Confirmed, write: Write): Outcome => {
  if (seen.kind === 'so') return done(directory, item, seen, write)
  // Nothing was written, and what is named is not there.
  if (seen.kind === 'told' && write.said !== 'accepted') return seen.outcome
  return pending(directory, {
    kind: write.said === 'accepted' ? 'written' : 'seen',
    at: write.at,
    detail: write.endedFrom === null ? '' : String(write.endedFrom),
  })
}

/** The outcome of a later look: within the settling time «not so» is «not yet». */
export const polled = (directory: Directory, item: Item, seen: Confirmed, handle: Handle): Outcome => {
  if (seen.kind === 'so') return done(directory, item, seen, { changed: handle.kind !== 'seen', code: '' })
  if (seen.kind === 'told') {
    const { outcome } = seen
    if (outcome.kind === 'throttled') return later(directory, handle, outcome.retryAfterMs)
    if (outcome.kind === 'retry') return { kind: 'unknown', cause: outcome.cause }
  }
  if (directory.client.now() - handle.at < directory.settings.settle.ms) return pending(directory, handle)
  return seen.kind === 'told' ? seen.outcome : retry(notSo)
}
