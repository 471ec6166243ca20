import {
  ListAccountAssignmentCreationStatusCommand,
  ListAccountAssignmentDeletionStatusCommand,
} from '@aws-sdk/client-sso-admin'
import { ok, type Result } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import type { Aws } from './aws.ts'
import type { Kind, List } from './requests.ts'

/** From so many on, a list is cheaper than their statuses. */
const listFrom = 3
/** Who was not asked about for so long is no longer waited for. */
const askedMs = 3_000
/** One list serves those who ask within this; each request is over for half of it, on average, before it is noticed. */
const listMs = 250
/** No list was to be had: so long each is asked by itself. */
const withoutMs = 60_000

/**
 * true: AWS still works on it. false: it is over, or the list does not tell: its own status says. Places of others that are
 * over are given back at once, whenever those come to ask.
 */
export const isInProgress = async (aws: Aws, kind: Kind, request: string, place: string): Promise<boolean> => {
  const { asked, lists } = aws.inProgress
  const now = aws.tools.now()
  for (const [other, { at }] of asked) if (now - at > askedMs) asked.delete(other)
  asked.set(request, { kind, place, at: now })
  if ([...asked.values()].filter((one) => one.kind === kind).length < listFrom) return false
  const last = lists.get(kind)
  const isFresh = last !== undefined && now - last.at < (last.wasRead ? listMs : withoutMs)
  const list: List = isFresh ? last : { at: now, requests: readList(aws, kind), wasRead: true }
  lists.set(kind, list)
  const requests = await list.requests
  list.wasRead = requests !== null
  return requests?.has(request) === true
}

/** Its status says so. */
export const isOver = ({ inProgress }: Aws, request: string): void => void inProgress.asked.delete(request)

const readList = async (aws: Aws, kind: Kind): Promise<ReadonlySet<string> | null> => {
  const { asked } = aws.inProgress
  // Whoever begins after the list was made is not on it.
  const before = [...asked]
  const list = await requestsOf(aws, kind)
  if (!list.ok) return null
  for (const [request, { kind: its, place }] of before)
    if (its === kind && !list.value.has(request)) await aws.tools.budget.vacate(place)
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
