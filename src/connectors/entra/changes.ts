import { z } from 'zod'
import type { NativeId } from '../../domain/ids.ts'
import type { Changes } from '../connector.ts'
import type { GraphClient } from './client.ts'
import { type Directory, lowPriority } from './directory.ts'
import { type Failure, failed, failureText, isMissing, isPageLost, ok, type Result } from './errors.ts'
import { groupChanges, type Resource, userChanges } from './paths.ts'
import { accountProperties } from './user.ts'

/** Both delta links, whole: Graph says that they are opaque. */
const cursorForm = z.object({ groups: z.string(), users: z.string() })
const changed = z.object({ id: z.string().min(1) })

/**
 * Groups and users that Graph names since the cursor. It repeats some, splits others over pages and names what has not changed:
 * all of it only says where to read.
 */
export const changes = async (directory: Directory, cursor: string | null, signal: AbortSignal): Promise<Changes> => {
  const held = cursor === null ? null : readCursor(directory.client, cursor)
  if (held === null) return fromNow(directory, signal)
  const [groups, users] = await Promise.all([
    follow(directory.client, held.groups, signal),
    follow(directory.client, held.users, signal),
  ])
  for (const part of [groups, users]) {
    if (part.ok) continue
    return isLost(part.failure) ? fromNow(directory, signal) : { kind: 'failed', cause: failureText(part.failure) }
  }
  if (!groups.ok || !users.ok) return { kind: 'failed', cause: 'not-read' }
  return {
    kind: 'changes',
    entitlements: groups.value.ids,
    accounts: users.value.ids,
    cursor: JSON.stringify({ groups: groups.value.link, users: users.value.link }),
  }
}

const readCursor = (client: GraphClient, cursor: string): z.output<typeof cursorForm> | null => {
  let value: unknown
  try {
    value = JSON.parse(cursor)
  } catch {
    return null
  }
  const parsed = cursorForm.safeParse(value)
  // The token goes to no other host, whatever a cursor says.
  return parsed.success && client.isOurs(parsed.data.groups) && client.isOurs(parsed.data.users) ? parsed.data : null
}

/** Whatever the status: the token is older than Graph keeps (7 days), or the service moved. A 410 says so without a code. */
const lostCodes = /^(syncStateNotFound|resyncRequired|Directory_ExpiredPageToken|SyncStateInvalid)/i

const isLost = (failure: Failure): boolean =>
  isMissing(failure) ||
  isPageLost(failure) ||
  lostCodes.test(failure.code) ||
  (failure.status === 400 && /token/i.test(failure.message ?? ''))

type Followed = { readonly ids: readonly NativeId[]; readonly link: string }

const follow = async (client: GraphClient, path: string, signal: AbortSignal): Promise<Result<Followed>> => {
  const ids = new Set<NativeId>()
  let strange = false
  const resource: Resource = { path, units: 1 }
  const read = await client.pages(
    resource,
    (items) => {
      for (const item of items) {
        const parsed = changed.safeParse(item)
        if (parsed.success) ids.add(parsed.data.id as NativeId)
        else strange = true
      }
    },
    lowPriority(signal),
  )
  if (!read.ok) return read
  if (strange || read.value === null || !client.isOurs(read.value))
    return failed({ status: null, code: '', word: 'delta-not-legible', sent: true })
  return ok({ ids: [...ids], link: read.value })
}

const fromNow = async ({ client, settings }: Directory, signal: AbortSignal): Promise<Changes> => {
  const [groups, users] = await Promise.all([
    client.pages(groupChanges, () => {}, lowPriority(signal)),
    client.pages(userChanges(accountProperties(settings)), () => {}, lowPriority(signal)),
  ])
  if (!groups.ok) return { kind: 'failed', cause: failureText(groups.failure) }
  if (!users.ok) return { kind: 'failed', cause: failureText(users.failure) }
  if (groups.value === null || users.value === null) return { kind: 'failed', cause: 'no-delta-link' }
  return { kind: 'from-now', cursor: JSON.stringify({ groups: groups.value, users: users.value }) }
}
