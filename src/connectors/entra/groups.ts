import { z } from 'zod'
import type { NativeId } from '../../domain/ids.ts'
import type { KeptBy, Outcome } from '../../domain/outcome.ts'
import type { EntitlementRef } from '../connector.ts'
import { refused, retry } from './answers.ts'
import { batchLimit, type GraphClient, type Reading } from './client.ts'
import type { EntraSettings } from './config.ts'
import { type Failure, failed, isMissing, ok, outcomeOfRead, type Result } from './errors.ts'
import { displayNameOf } from './lookup.ts'
import { group, groupsNamed } from './paths.ts'
import type { Answer } from './transport.ts'
import { chunksOf, isGuid } from './users.ts'

const groupBody = z.object({
  id: z.string().min(1),
  displayName: z.string().nullish(),
  groupTypes: z.array(z.string()).nullish(),
  isAssignableToRole: z.boolean().nullish(),
  onPremisesSyncEnabled: z.boolean().nullish(),
  securityEnabled: z.boolean().nullish(),
  mailEnabled: z.boolean().nullish(),
  visibility: z.string().nullish(),
})
export type Group = z.output<typeof groupBody>
const groupProperties = Object.keys(groupBody.shape)

/** null: there is no group of this id. */
export const readGroup = async (client: GraphClient, id: string, reading?: Reading): Promise<Result<Group | null>> =>
  groupIn(await client.read(group(id, groupProperties), reading))

const groupIn = (read: Result<Answer>): Result<Group | null> => {
  if (!read.ok) return isMissing(read.failure) ? ok(null) : read
  const parsed = groupBody.safeParse(read.value.body)
  return parsed.success ? ok(parsed.data) : failed({ status: null, code: '', word: 'group-not-legible', sent: true })
}

/**
 * Whether who is in it is kept from us: without Member.Read.Hidden it reads like a group with nobody in it. It is so made, and stays so
 * (resource type group, `visibility`).
 */
export const isHidden = (
  { visibility }: Group,
  { hiddenMembershipGroups }: Pick<EntraSettings, 'hiddenMembershipGroups'>,
): boolean => visibility?.toLowerCase() === 'hiddenmembership' && !hiddenMembershipGroups

const keepers = { rule: 'dynamic-membership', sync: 'synced-from-ad' } as const satisfies Record<KeptBy, string>

/**
 * What alone says who is in it: no request takes anybody out of such a group, Muster's or a human's. A group that is dynamic no longer
 * may still show its old rule; `groupTypes` decides (resource type group).
 */
export const keptBy = ({
  groupTypes,
  onPremisesSyncEnabled,
}: Pick<Group, 'groupTypes' | 'onPremisesSyncEnabled'>): KeptBy | null => {
  if (typesOf({ groupTypes }).has('dynamicmembership')) return 'rule'
  return onPremisesSyncEnabled === true ? 'sync' : null
}

const typesOf = ({ groupTypes }: Pick<Group, 'groupTypes'>): ReadonlySet<string> =>
  new Set((groupTypes ?? []).map((type) => type.toLowerCase()))

/** Why members of this group are not ours to change; null when they are. */
export const obstacle = (
  { groupTypes, onPremisesSyncEnabled, isAssignableToRole, mailEnabled }: Group,
  { roleAssignableGroups }: Pick<EntraSettings, 'roleAssignableGroups'>,
): string | null => {
  const kept = keptBy({ groupTypes, onPremisesSyncEnabled })
  if (kept !== null) return keepers[kept]
  const types = typesOf({ groupTypes })
  if (isAssignableToRole === true && !roleAssignableGroups) return 'role-assignable'
  // A Microsoft 365 group (Unified) has mail and is ours; distribution and mail-enabled security groups are Exchange's.
  return mailEnabled === true && !types.has('unified') ? 'mail-enabled' : null
}

/** Whose rule or directory says who is in it, if anybody's but ours. */
const keeperOf = (group: Group): Pick<Extract<Named, { kind: 'found' }>, 'keptBy'> => {
  const kept = keptBy(group)
  return kept === null ? {} : { keptBy: keepers[kept] }
}

export type Named =
  | { readonly kind: 'found'; readonly nativeId: NativeId; readonly keptBy?: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'ambiguous' }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** What the catalogue means by an object id, `displayName:<name>` or a plain display name. */
export const lookUp = async (client: GraphClient, lookup: string, reading?: Reading): Promise<Named> => {
  if (isGuid(lookup)) {
    const read = await readGroup(client, lookup, reading)
    if (!read.ok) return { kind: 'failed', failure: read.failure }
    return read.value === null
      ? { kind: 'missing' }
      : { kind: 'found', nativeId: read.value.id as NativeId, ...keeperOf(read.value) }
  }
  const found: Omit<Extract<Named, { kind: 'found' }>, 'kind'>[] = []
  const read = await client.pages(
    groupsNamed(displayNameOf(lookup), groupProperties),
    (items) => {
      for (const item of items) {
        const shown = groupBody.safeParse(item)
        const id = String((item as { readonly id?: unknown } | null)?.id ?? '')
        found.push({ nativeId: id as NativeId, ...(shown.success ? keeperOf(shown.data) : {}) })
      }
    },
    reading,
  )
  if (!read.ok) return { kind: 'failed', failure: read.failure }
  const [only, ...others] = found
  if (only === undefined) return { kind: 'missing' }
  return others.length > 0 ? { kind: 'ambiguous' } : { kind: 'found', ...only }
}

/** What is known of groups for a short time: their kind hardly ever changes, and Graph itself checks each change again. */
export type GroupMemory = {
  readonly get: (id: NativeId) => Group | undefined
  readonly put: (id: NativeId, group: Group) => void
  readonly forget: (id: NativeId) => void
}

const rememberMs = 60_000

export const createGroupMemory = (now: () => number): GroupMemory => {
  const known = new Map<NativeId, { readonly group: Group; readonly until: number }>()
  return {
    get: (id) => {
      const entry = known.get(id)
      return entry !== undefined && now() < entry.until ? entry.group : undefined
    },
    put: (id, value) => void known.set(id, { group: value, until: now() + rememberMs }),
    forget: (id) => void known.delete(id),
  }
}

export type Opened =
  | { readonly kind: 'group'; readonly id: NativeId; readonly group: Group | null }
  | { readonly kind: 'no'; readonly outcome: Outcome }

/** Reads these groups together; one that cannot be read is left to whoever opens it. */
export const prefetch = async (
  client: GraphClient,
  memory: GroupMemory,
  ids: readonly NativeId[],
  reading?: Reading,
): Promise<void> => {
  const unknown = [...new Set(ids)].filter((id) => memory.get(id) === undefined)
  if (unknown.length < 2) return
  await Promise.all(
    chunksOf(unknown, batchLimit).map(async (some) => {
      const answers = await client.readMany(
        some.map((id) => group(id, groupProperties)),
        reading,
      )
      for (const [at, id] of some.entries()) {
        const answer = answers[at]
        const read = answer === undefined ? null : groupIn(answer)
        if (read?.ok && read.value !== null) memory.put(id, read.value)
      }
    }),
  )
}

export type Terms = {
  /** Only while the catalogue's name still means it (a grant); what is there is taken away whatever it is called by now. */
  readonly isBound: boolean
  /** A replica may not know a new group yet: whoever is to leave it is taken out by its id (a revoke). */
  readonly isLeftUnseen: boolean
}

/**
 * The group of a grant or revoke, with its identity proved. A pinned id that is not there any more is looked up by its name,
 * to tell a group that is gone from a name that now means another.
 */
export const openGroup = async (
  client: GraphClient,
  memory: GroupMemory,
  ref: EntitlementRef,
  { isBound, isLeftUnseen }: Terms,
): Promise<Opened> => {
  const { lookup, nativeId } = ref
  const no = (outcome: Outcome): Opened => ({ kind: 'no', outcome })
  const another = no(refused('entitlement-changed-identity', 'another-group'))
  let known: Group | null = null
  if (nativeId !== null) {
    known = memory.get(nativeId) ?? null
    if (known === null) {
      const read = await readGroup(client, nativeId)
      if (!read.ok) return no(outcomeOfRead(read.failure, 'entitlement'))
      known = read.value
      if (known !== null) memory.put(nativeId, known)
    }
    if (known !== null && (!isBound || isNamed(known, lookup))) return { kind: 'group', id: nativeId, group: known }
  }
  const named = await lookUp(client, lookup)
  switch (named.kind) {
    case 'failed':
      return no(outcomeOfRead(named.failure, 'entitlement'))
    case 'missing':
    case 'ambiguous':
      if (nativeId !== null && known === null && isLeftUnseen) return { kind: 'group', id: nativeId, group: null }
      if (known !== null && named.kind === 'missing') return no(refused('entitlement-missing', 'group-renamed'))
      return no(
        named.kind === 'missing'
          ? refused('entitlement-missing', 'no-such-group')
          : refused('configuration', 'ambiguous-name'),
      )
    case 'found':
      if (nativeId === null)
        return openGroup(client, memory, { ...ref, nativeId: named.nativeId }, { isBound: false, isLeftUnseen })
      return isSame(named.nativeId, nativeId) ? no(retry('not-replicated', '404')) : another
    default:
      return named satisfies never
  }
}

const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

const isNamed = ({ id, displayName }: Group, lookup: string): boolean =>
  isGuid(lookup) ? isSame(id, lookup) : isSame(displayName ?? '', displayNameOf(lookup))
