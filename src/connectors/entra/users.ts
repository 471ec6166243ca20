import type { NativeId } from '../../domain/ids.ts'
import type { GraphClient, Reading } from './client.ts'
import { batchLimit } from './client.ts'
import { failed, isMissing, ok, type Result } from './errors.ts'
import { allUsers, type Resource, user, usersWhere, valuesPerFilter } from './paths.ts'
import { readUser, type User } from './user.ts'

export const chunksOf = <T>(items: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))

/** Graph compares text without case. */
export const foldKey = (value: string): string => value.normalize('NFC').toLowerCase()

/** Users that have one of these values, complete: whoever is not among them was not there. */
export const usersBy = async (
  client: GraphClient,
  property: string,
  values: readonly string[],
  select: readonly string[],
  reading?: Reading,
): Promise<Result<readonly User[]>> => {
  const queries = chunksOf([...new Set(values)], valuesPerFilter).map((some) => usersWhere(property, some, select))
  const read = await Promise.all(chunksOf(queries, batchLimit).map((some) => lists(client, some, reading)))
  const users: User[] = []
  for (const list of read) {
    if (!list.ok) return list
    users.push(...list.value)
  }
  return ok(users)
}

/** Several lists of users in one request; one that goes on is followed. */
const lists = async (
  client: GraphClient,
  resources: readonly Resource[],
  reading: Reading | undefined,
): Promise<Result<readonly User[]>> => {
  const bodies: unknown[] = []
  for (const [at, answer] of (await client.readMany(resources, reading)).entries()) {
    if (!answer.ok) return answer
    const body = answer.value.body as { readonly value?: unknown; readonly '@odata.nextLink'?: unknown } | null
    if (!Array.isArray(body?.value)) return failed({ status: null, code: '', word: 'page-not-legible', sent: true })
    if (body['@odata.nextLink'] === undefined) bodies.push(...body.value)
    else {
      const resource = resources[at]
      if (resource === undefined) continue
      const rest = await client.pages(resource, (items) => void bodies.push(...items), reading)
      if (!rest.ok) return rest
    }
  }
  return legible(bodies)
}

const legible = (bodies: readonly unknown[]): Result<readonly User[]> => {
  const users: User[] = []
  for (const body of bodies) {
    const user = readUser(body)
    if (user === null) return failed({ status: null, code: '', word: 'user-not-legible', sent: true })
    users.push(user)
  }
  return ok(users)
}

export type Users = ReadonlyMap<NativeId, User>

/** Users by object id; one that is not in the map was not shown. */
export const usersById = async (
  client: GraphClient,
  ids: readonly NativeId[],
  select: readonly string[],
  reading?: Reading,
): Promise<Result<Users>> => {
  const read = await usersBy(client, 'id', ids.filter(isGuid), select, reading)
  return read.ok ? ok(new Map(read.value.map((user) => [user.id as NativeId, user]))) : read
}

/** The same, few of them each by its own object and not by a search. */
export const usersNow = async (
  client: GraphClient,
  ids: readonly NativeId[],
  select: readonly string[],
  reading?: Reading,
): Promise<Result<Users>> => {
  const few = ids.filter(isGuid)
  if (few.length > batchLimit) return usersById(client, few, select, reading)
  const users = new Map<NativeId, User>()
  const answers = await client.readMany(
    few.map((id) => user(id, select)),
    reading,
  )
  for (const [at, id] of few.entries()) {
    const answer = answers[at]
    if (answer === undefined || (!answer.ok && isMissing(answer.failure))) continue
    if (!answer.ok) return answer
    const read = readUser(answer.value.body)
    if (read === null) return failed({ status: null, code: '', word: 'user-not-legible', sent: true })
    users.set(id, read)
  }
  return ok(users)
}

export const everyUser = async (client: GraphClient, reading?: Reading): Promise<Result<ReadonlySet<string>>> => {
  const ids = new Set<string>()
  let strange = false
  const read = await client.pages(
    allUsers(['id']),
    (items) => {
      for (const item of items) {
        const user = readUser(item)
        if (user === null) strange = true
        else ids.add(user.id)
      }
    },
    reading,
  )
  if (!read.ok) return read
  return strange ? failed({ status: null, code: '', word: 'user-not-legible', sent: true }) : ok(ids)
}

export const isGuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
