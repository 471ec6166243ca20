import { fillName, type Worker } from '../attribute-mapping.ts'
import { type Failure, ok, type Result } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { EnsureOperation } from '../connector.ts'
import { namesThePerson } from '../template.ts'
import { shownKey } from './attributes.ts'
import type { Aws } from './aws.ts'
import type { Lookup } from './config.ts'
import { describeUser, findUser, listUsers, readUsers, type User } from './users.ts'

export type Match =
  | { readonly kind: 'found'; readonly user: User }
  | { readonly kind: 'none' | 'gone' }
  | { readonly kind: 'many'; readonly by: string; readonly users: readonly User['id'][] }
  /** Somebody has the name, and does not show that it is this person. */
  | { readonly kind: 'unproven' }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** What templates may name: the correlation value is the person key, whatever else the worker says. */
export const workerOf = ({ wanted }: EnsureOperation): Worker => ({
  ...wanted.worker,
  personKey: wanted.correlation.value,
})

/** So many look-ups one by one; of more, pages of all users are read for as long as that is cheaper. */
const lookedUpAtMost = 100

/** One match for each operation, in order. */
export const findAccounts = async (
  aws: Aws,
  operations: readonly EnsureOperation[],
  signal?: AbortSignal,
): Promise<readonly Match[]> => {
  const { lookups } = aws.settings.correlation
  const unlinked = operations.filter(({ account }) => account === null)
  const known = operations.flatMap(({ account }) => account ?? [])
  const byId = known.length === 0 ? ok(new Map<User['id'], User>()) : await readUsers(aws, known, signal)
  const all =
    unlinked.length * lookups.length > lookedUpAtMost ? await readEverybody(aws, unlinked.length, signal) : ok(null)
  if (!all.ok) return operations.map(() => ({ kind: 'failed', failure: all.failure }))
  const index = all.value === null ? null : indexOf(lookups, all.value)
  return sideBySide(operations, async (operation): Promise<Match> => {
    if (operation.account !== null) {
      if (!byId.ok) return { kind: 'failed', failure: byId.failure }
      const user = byId.value.get(operation.account)
      return user === undefined ? { kind: 'gone' } : { kind: 'found', user }
    }
    const known = index === null ? null : inIndex(lookups, index, operation)
    const found = known === null ? await lookUp(aws, operation, signal) : ok(known)
    return found.ok ? judge(aws, operation, found.value) : { kind: 'failed', failure: found.failure }
  })
}

type Hit = { readonly lookup: Lookup; readonly user: User }

const lookUp = async (aws: Aws, operation: EnsureOperation, signal?: AbortSignal): Promise<Result<readonly Hit[]>> => {
  const hits: Hit[] = []
  for (const lookup of aws.settings.correlation.lookups) {
    const id = await findUser(aws, lookup, workerOf(operation), signal)
    if (!id.ok) return id
    if (id.value === null) continue
    const before = hits.find(({ user }) => user.id === id.value)
    const user = before === undefined ? await describeUser(aws, id.value, signal) : ok(before.user)
    if (!user.ok) return user
    if (user.value !== null) hits.push({ lookup, user: user.value })
  }
  return ok(hits)
}

/** null: too many to be read for these. */
const readEverybody = async (
  aws: Aws,
  wanted: number,
  signal?: AbortSignal,
): Promise<Result<readonly User[] | null>> => {
  const listed = await listUsers(aws, (_, pages) => pages < wanted, signal)
  if (!listed.ok) return listed
  return ok(listed.value.complete ? listed.value.items : null)
}

type Entry = { readonly value: string; readonly user: User }
type Index = ReadonlyMap<string, readonly Entry[]>

/** Whether AWS looks at case is not documented: values that differ only so have one key. */
const keyOf = (by: Lookup['by'], value: string, issuer = ''): string =>
  JSON.stringify([by, issuer, value.normalize('NFKC').toLowerCase()])

const indexOf = (lookups: readonly Lookup[], users: readonly User[]): Index => {
  const index = new Map<string, Entry[]>()
  const file = (user: User, by: Lookup['by'], value: string, issuer?: string) => {
    const key = keyOf(by, value, issuer)
    const entries = index.get(key)
    if (entries === undefined) index.set(key, [{ value, user }])
    else if (!entries.some((one) => one.user.id === user.id && one.value === value)) entries.push({ value, user })
  }
  for (const user of users) {
    for (const lookup of lookups) {
      if (lookup.by === 'userName') file(user, 'userName', user.UserName ?? '')
      else if (lookup.by === 'email') for (const { Value = '' } of user.Emails ?? []) file(user, 'email', Value)
      else
        for (const { Issuer, Id = '' } of user.ExternalIds ?? [])
          if (Issuer === lookup.issuer) file(user, 'externalId', Id, Issuer)
    }
  }
  return index
}

/** null: somebody has nearly that name. Only AWS can say whether it is the same to it. */
const inIndex = (lookups: readonly Lookup[], index: Index, operation: EnsureOperation): readonly Hit[] | null => {
  const hits: Hit[] = []
  for (const lookup of lookups) {
    const value = fillName(lookup.value, workerOf(operation))
    if (value === '') continue
    const entries = index.get(keyOf(lookup.by, value, lookup.by === 'externalId' ? lookup.issuer : '')) ?? []
    if (entries.some((one) => one.value !== value)) return null
    hits.push(...entries.map(({ user }) => ({ lookup, user })))
  }
  return hits
}

/** A hit by the person key, or by a name that the user confirms. */
const judge = ({ settings }: Aws, operation: EnsureOperation, hits: readonly Hit[]): Match => {
  const { proof } = settings.correlation
  const key = operation.wanted.correlation.value
  const isProven = ({ lookup, user }: Hit) => namesThePerson(lookup.value) || proof === 'none' || shownKey(user) === key
  const proven = new Map(hits.filter(isProven).map(({ user }) => [user.id, user]))
  const [user] = proven.values()
  if (proven.size > 1) {
    const by = new Set(hits.filter(isProven).map(({ lookup }) => lookup.by))
    return { kind: 'many', by: [...by].join(', '), users: [...proven.keys()] }
  }
  if (user !== undefined) return { kind: 'found', user }
  return { kind: hits.length > 0 ? 'unproven' : 'none' }
}
