import { z } from 'zod'
import type { NativeId } from '../../domain/ids.ts'
import type { KeptBy, ObservedEntitlement } from '../../domain/outcome.ts'
import { batchLimit, type GraphClient, type Reading } from './client.ts'
import { failed, isMissing, laterPageFailure, ok, type Result } from './errors.ts'
import { keptBy } from './groups.ts'
import { groupsAbove, memberOf, membersOf, type Resource } from './paths.ts'
import { chunksOf } from './users.ts'

const object = z.object({
  '@odata.type': z.string().optional(),
  id: z.string().min(1),
  displayName: z.string().nullish(),
  groupTypes: z.array(z.string()).nullish(),
  onPremisesSyncEnabled: z.boolean().nullish(),
})
const listed = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().optional() })
const unreadable = failed({ status: null, code: '', word: 'members-not-legible', sent: true })

/** Groups that hold an account directly; an account that is not there is not in the map. */
export type Holdings = ReadonlyMap<NativeId, readonly Held[]>

/** `kept`: what says that the account is in it, if that is neither Muster nor anybody's request. */
export type Held = ObservedEntitlement & { readonly kept: KeptBy | null }

/** What a revoke could take away. What is kept comes and goes by itself, and is told as indirect access. */
export const grantsAmong = (held: readonly Held[]): readonly ObservedEntitlement[] =>
  held.filter(({ kept }) => kept === null).map(({ nativeId, name }) => ({ nativeId, name }))

/** Groups only: directory roles and administrative units are listed beside them. */
const groupsAmong = (items: readonly unknown[]): Result<readonly Held[]> => {
  const groups: Held[] = []
  for (const item of items) {
    const parsed = object.safeParse(item)
    if (!parsed.success) return unreadable
    const { '@odata.type': type, id, displayName } = parsed.data
    if (type === '#microsoft.graph.group')
      groups.push({ nativeId: id as NativeId, name: displayName ?? id, kept: keptBy(parsed.data) })
  }
  return ok(groups)
}

/** Direct memberships of these accounts, every page of them. */
export const readHoldings = (
  client: GraphClient,
  accounts: readonly NativeId[],
  reading?: Reading,
): Promise<Result<Holdings>> => readGroupsOf(client, accounts, memberOf, reading)

/** Groups in which each of these groups is, directly or by others; one that is not there is not in the map. */
export const readGroupsAbove = (
  client: GraphClient,
  groups: readonly NativeId[],
  reading?: Reading,
): Promise<Result<Holdings>> => readGroupsOf(client, groups, groupsAbove, reading)

const readGroupsOf = async (
  client: GraphClient,
  ids: readonly NativeId[],
  listOf: (id: string) => Resource,
  reading?: Reading,
): Promise<Result<Holdings>> => {
  const holdings = new Map<NativeId, readonly Held[]>()
  const one = async (some: readonly NativeId[]): Promise<Result<null>> => {
    const answers = await client.readMany(some.map(listOf), reading)
    for (const [at, account] of some.entries()) {
      const answer = answers[at] ?? unreadable
      if (!answer.ok && isMissing(answer.failure)) continue
      if (!answer.ok) return answer
      const first = listed.safeParse(answer.value.body)
      if (!first.success) return unreadable
      let items = first.data.value
      if (first.data['@odata.nextLink'] !== undefined) {
        items = []
        const rest = await client.pages(listOf(account), (page) => void items.push(...page), reading)
        // Its first page was there a moment ago.
        if (!rest.ok) return failed(laterPageFailure(rest.failure))
      }
      const groups = groupsAmong(items)
      if (!groups.ok) return groups
      holdings.set(account, groups.value)
    }
    return ok(null)
  }
  const done = await Promise.all(chunksOf([...new Set(ids)], batchLimit).map(one))
  return done.find((result) => !result.ok) ?? ok(holdings)
}

/** Ids of everything that is directly in a group, of whatever type; null: there is no such group. */
export const readMembers = async (
  client: GraphClient,
  group: NativeId,
  reading?: Reading,
): Promise<Result<readonly string[] | null>> => {
  const ids: string[] = []
  let strange = false
  const read = await client.pages(
    membersOf(group),
    (items) => {
      for (const item of items) {
        const parsed = object.safeParse(item)
        if (parsed.success) ids.push(parsed.data.id)
        else strange = true
      }
    },
    reading,
  )
  if (!read.ok) return isMissing(read.failure) ? ok(null) : read
  return strange ? unreadable : ok(ids)
}
