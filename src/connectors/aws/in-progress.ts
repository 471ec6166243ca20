import {
  ListAccountAssignmentCreationStatusCommand,
  ListAccountAssignmentDeletionStatusCommand,
} from '@aws-sdk/client-sso-admin'
import { ok, type Result } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import type { Place } from '../budget.ts'
import type { Aws } from './aws.ts'
import type { Handle } from './handle.ts'
import type { Kind, List, Request } from './requests.ts'
import { giveBack, placeMs } from './wait-for-place.ts'

/** From so many on, a list is cheaper than their statuses. */
const listFrom = 3
/** A list may not show yet what began less than this before it: that tells nothing of its place. */
const youngMs = 1_000
/** Of the usual time. */
const soonest = 0.75
/** No list was to be had: so long each is asked by itself. */
const withoutMs = 60_000
/** Whoever was not asked about for so long is somebody else's by now. */
const forgottenMs = 60_000

/**
 * One list serves those who ask within so long, ms. Of fifteen at work, each some three seconds, one is over every fifth of a second and
 * its place is idle until a list says so. Lists take what the changes leave of 20 calls a second; creations cost one more each,
 * deletions a list of what failed, failed-deletions.ts.
 */
const listMs: Readonly<Record<Kind, number>> = { creation: 250, deletion: 150 }
const quotaOfThat = 20
const listEveryMs = (aws: Aws, kind: Kind): number =>
  listMs[kind] *
  (running(aws, 'creation').length > 0 && running(aws, 'deletion').length > 0 ? 2 : 1) *
  Math.max(1, quotaOfThat / aws.settings.callsPerSecond.ssoAdmin)
/** So often whoever waits for a place looks for one, ms: whether it is time for a list, too. */
export const lookEveryMs = listMs.deletion

type Asked = Extract<Handle, { kind: Kind }>

/** A request of ours that AWS has just taken on, or one that is asked about here for the first time. */
export const noteRequest = (aws: Aws, { kind, request, place, begun }: Asked, awsAccount: string): Request => {
  const { requests } = aws.inProgress
  const now = aws.tools.now()
  for (const [other, { heardOfAt }] of requests) if (now - heardOfAt > forgottenMs) requests.delete(other)
  const known = requests.get(request)
  if (known !== undefined) {
    known.heardOfAt = now
    return known
  }
  const noted: Request = {
    kind,
    awsAccount,
    place,
    begunAt: begun ?? now,
    heardOfAt: now,
    seenAt: null,
    isListed: false,
    isOver: false,
    lastFailures: null,
  }
  requests.set(request, noted)
  return noted
}

/**
 * true: AWS still works on it. false: it is over, or the list does not tell: its own status says. Places of others that are
 * over are given back at once, whenever those come to ask.
 */
export const isInProgress = async (aws: Aws, handle: Asked, noted: Request): Promise<boolean> => {
  if (noted.isOver || running(aws, handle.kind).length < listFrom) return false
  const requests = await listOf(aws, handle.kind)
  return requests?.has(handle.request) === true
}

/** Its status says so. */
export const isOver = async (aws: Aws, request: string, noted: Request): Promise<void> => {
  if (!noted.isOver) await end(aws, noted, aws.tools.now())
  aws.inProgress.requests.delete(request)
}

/**
 * Its status says that AWS works on it, whatever a list said: that was behind, and none is believed before it shows it. `places`:
 * what it had before; had back if nobody else has them.
 */
export const isAtWork = async (aws: Aws, noted: Request, places: readonly Place[]): Promise<void> => {
  noted.seenAt = aws.tools.now()
  if (!noted.isOver) return
  noted.isListed = false
  noted.isOver = false
  const again = await aws.tools.budget.occupy(places, placeMs)
  if (again.ok) noted.place = again.id
}

/** For those who wait: whose place is free by now. Nobody is looked for while all are too young to be over. */
export const lookForPlaces = async (aws: Aws): Promise<void> => {
  for (const kind of ['creation', 'deletion'] as const)
    if (running(aws, kind).some((one) => aws.tools.now() - one.begunAt >= youngMs && leftOf(aws, one) === 0))
      await listOf(aws, kind)
}

/** How long until the change of this AWS account should be over, ms; 0: at any moment, for all that is known here. */
export const accountFreeInMs = (aws: Aws, awsAccount: string): number => {
  const own = [...aws.inProgress.requests.values()].find((one) => !one.isOver && one.awsAccount === awsAccount)
  return own === undefined ? 0 : leftOf(aws, own)
}

/** The same of the first of those that leave nobody else a place; 0 also while there are fewer of them here than places. */
export const anyFreeInMs = (aws: Aws, places: number): number => {
  const all = [...aws.inProgress.requests.values()].filter((one) => !one.isOver)
  return all.length < places ? 0 : Math.min(...all.map((one) => leftOf(aws, one)))
}

/** Hardly any are over sooner. */
const leftOf = ({ inProgress, tools }: Aws, { begunAt }: Request): number =>
  Math.max(0, inProgress.usual.ms() * soonest - (tools.now() - begunAt))

/** Nobody has seen AWS at work on it, and by now hardly any would be. */
const isOverInAnyCase = (aws: Aws, one: Request): boolean => one.seenAt === null && leftOf(aws, one) === 0

const running = ({ inProgress }: Aws, kind: Kind): readonly Request[] =>
  [...inProgress.requests.values()].filter((one) => one.kind === kind && !one.isOver)

const end = async (aws: Aws, noted: Request, at: number): Promise<void> => {
  noted.isOver = true
  noted.lastFailures = aws.inProgress.failures
  aws.inProgress.usual.tookUpTo(at - noted.begunAt, noted.seenAt === null ? null : noted.seenAt - noted.begunAt)
  await giveBack(aws, noted.place)
}

const listOf = async (aws: Aws, kind: Kind): Promise<ReadonlySet<string> | null> => {
  const { lists } = aws.inProgress
  const now = aws.tools.now()
  const last = lists.get(kind)
  const isFresh = last !== undefined && now - last.at < (last.wasRead ? listEveryMs(aws, kind) : withoutMs)
  const list: List = isFresh ? last : { at: now, requests: readList(aws, kind, now), wasRead: true }
  lists.set(kind, list)
  const requests = await list.requests
  list.wasRead = requests !== null
  return requests
}

const readList = async (aws: Aws, kind: Kind, at: number): Promise<ReadonlySet<string> | null> => {
  // Whoever begins after the list was made is not on it.
  const before = [...aws.inProgress.requests].filter(([, one]) => one.kind === kind && !one.isOver)
  const list = await requestsOf(aws, kind)
  if (!list.ok) return null
  for (const [request, one] of before) {
    if (list.value.has(request)) {
      one.seenAt = at
      one.isListed = true
      // One that no list has shown yet may be hidden by a list that is behind: until it should be over in any case, or, where its
      // own status has said that AWS works on it, until that says otherwise.
    } else if (!one.isOver && at - one.begunAt >= youngMs && (one.isListed || isOverInAnyCase(aws, one)))
      await end(aws, one, at)
  }
  return list.value
}

const requestsOf = async (aws: Aws, kind: Kind): Promise<Result<ReadonlySet<string>>> => {
  const all = await readAllPages(async (token) => {
    const input = {
      InstanceArn: aws.settings.instanceArn,
      Filter: { Status: 'IN_PROGRESS' },
      MaxResults: 100,
      NextToken: token,
    } as const
    const read = await aws.transport.read(aws.families.ssoAdmin, async (options) => {
      if (kind === 'creation') {
        const page = await aws.clients.ssoAdmin.send(new ListAccountAssignmentCreationStatusCommand(input), options)
        return { statuses: page.AccountAssignmentsCreationStatus ?? [], next: page.NextToken }
      }
      const page = await aws.clients.ssoAdmin.send(new ListAccountAssignmentDeletionStatusCommand(input), options)
      return { statuses: page.AccountAssignmentsDeletionStatus ?? [], next: page.NextToken }
    })
    return read.ok ? ok({ items: read.value.statuses, next: read.value.next }) : read
  })
  return all.ok ? ok(new Set(all.value.map(({ RequestId = '' }) => RequestId))) : all
}
