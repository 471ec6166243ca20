import { DescribeUserCommand, GetUserIdCommand, ListUsersCommand } from '@aws-sdk/client-identitystore'
import type { NativeId } from '../../domain/ids.ts'
import type { ObservedAccount } from '../../domain/outcome.ts'
import { attributesHash, fillName, type Worker } from '../attribute-mapping.ts'
import { isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { readPages } from '../aws-wire/pages.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import { enterprise, shownAttributes, type UserShown } from './attributes.ts'
import type { Aws } from './aws.ts'
import type { Lookup } from './config.ts'

export type User = UserShown & { readonly id: NativeId }
export type Users = ReadonlyMap<NativeId, User>

/** So many users are described one by one; of more, pages of a hundred are read for as long as that is cheaper. */
const describedAtMost = 20

/** Users by id; one that is not in the map does not exist. */
export const readUsers = async (aws: Aws, ids: readonly NativeId[], signal?: AbortSignal): Promise<Result<Users>> => {
  const wanted = new Set(ids)
  const found = new Map<NativeId, User>()
  let isComplete = false
  if (wanted.size > describedAtMost) {
    const left = () => wanted.size - found.size
    const listed = await listUsers(
      aws,
      (users, pages) => {
        for (const user of users) if (wanted.has(user.id)) found.set(user.id, user)
        return left() > 0 && pages < left()
      },
      signal,
    )
    if (!listed.ok) return listed
    isComplete = listed.value.complete
  }
  if (isComplete) return ok(found)
  const rest = [...wanted].filter((id) => !found.has(id))
  for (const one of await sideBySide(rest, (id) => describeUser(aws, id, signal))) {
    if (!one.ok) return one
    if (one.value !== null) found.set(one.value.id, one.value)
  }
  return ok(found)
}

export const describeUser = async (aws: Aws, id: NativeId, signal?: AbortSignal): Promise<Result<User | null>> => {
  const read = await aws.transport.read(
    aws.families.identityStore,
    (options) =>
      aws.clients.identityStore.send(
        new DescribeUserCommand({ IdentityStoreId: aws.settings.identityStoreId, UserId: id, ...extensions(aws) }),
        options,
      ),
    signal,
  )
  if (!read.ok) return isMissing(read.failure, 'account') ? ok(null) : read
  return ok({ ...read.value, id })
}

/** Pages of users for as long as `more` wants them. */
export const listUsers = async (
  aws: Aws,
  more: (users: readonly User[], pages: number) => boolean,
  signal?: AbortSignal,
): Promise<Result<{ readonly items: readonly User[]; readonly complete: boolean }>> =>
  readPages<User>(async (token) => {
    const read = await aws.transport.read(
      aws.families.identityStore,
      (options) =>
        aws.clients.identityStore.send(
          new ListUsersCommand({
            IdentityStoreId: aws.settings.identityStoreId,
            MaxResults: 100,
            NextToken: token,
            ...extensions(aws),
          }),
          options,
        ),
      signal,
    )
    if (!read.ok) return read
    const items = (read.value.Users ?? []).flatMap((user) =>
      user.UserId === undefined ? [] : [{ ...user, id: user.UserId as NativeId }],
    )
    return ok({ items, next: read.value.NextToken })
  }, more)

/** AWS shows the extension only to those who ask for it. */
const extensions = ({ settings }: Aws) =>
  settings.correlation.proof === 'employeeNumber' ? { Extensions: [enterprise] } : {}

/** null: nobody has it. */
export const findUser = async (
  aws: Aws,
  lookup: Lookup,
  worker: Worker,
  signal?: AbortSignal,
): Promise<Result<NativeId | null>> => {
  const value = fillName(lookup.value, worker)
  if (value === '') return ok(null)
  const read = await aws.transport.read(
    aws.families.identityStore,
    (options) =>
      aws.clients.identityStore.send(
        new GetUserIdCommand({
          IdentityStoreId: aws.settings.identityStoreId,
          AlternateIdentifier:
            lookup.by === 'externalId'
              ? { ExternalId: { Issuer: lookup.issuer, Id: value } }
              : {
                  UniqueAttribute: {
                    AttributePath: lookup.by === 'email' ? 'emails.value' : 'userName',
                    AttributeValue: value,
                  },
                },
        }),
        options,
      ),
    signal,
  )
  if (!read.ok) return isMissing(read.failure, 'account') ? ok(null) : read
  return ok((read.value.UserId as NativeId | undefined) ?? null)
}

/** Users that SCIM made carry the identity provider's id: their attributes are not ours. */
export const isFromScim = (user: User): boolean => (user.ExternalIds ?? []).length > 0

export const observedAccount = ({ settings }: Aws, user: User): ObservedAccount => ({
  nativeId: user.id,
  enabled: user.UserStatus !== 'DISABLED',
  attributesHash: attributesHash(shownAttributes(settings.account.attributes, user)),
})
