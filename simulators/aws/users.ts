/** Users: what is unique, what SCIM owns, and updates, which moto does not know. */
import { type Behind, limited, type Rules } from './rules.ts'
import type { UserRecord } from './state.ts'
import { AwsError, type Json, notFound, record, text } from './wire.ts'

export const users: Rules = {
  CreateUser: async (body, behind) => {
    refuseUnfit(body.UserName, 'userName')
    refuseTaken(behind, body, null)
    const { IdentityStoreId, ...attributes } = body
    const made = await behind.moto.ask('identitystore', 'CreateUser', body)
    const id = text(made, 'UserId')
    behind.state.users.set(id, { attributes, externalIds: [], status: 'ENABLED', revision: 1 })
    return { IdentityStoreId, UserId: id, UserArn: userArn(id), Revision: '1' }
  },
  UpdateUser: async (body, behind) => {
    const user = need(behind, text(body, 'UserId'))
    const operations = Array.isArray(body.Operations) ? body.Operations : []
    const attributes = operations.reduce<Json>((before, one) => patched(before, record(one)), user.attributes)
    refuseTaken(behind, attributes, text(body, 'UserId'))
    user.attributes = attributes
    user.revision += 1
    const id = text(body, 'UserId')
    return {
      IdentityStoreId: behind.identityStoreId,
      UserId: id,
      UserArn: userArn(id),
      Revision: String(user.revision),
    }
  },
  DeleteUser: async (body, behind) => {
    const id = text(body, 'UserId')
    need(behind, id)
    for (const { id: MembershipId } of behind.state.memberships.ofUser(id))
      await behind.moto.ask('identitystore', 'DeleteGroupMembership', {
        IdentityStoreId: body.IdentityStoreId,
        MembershipId,
      })
    for (const membership of behind.state.memberships.ofUser(id)) behind.state.memberships.remove(membership)
    await behind.moto.ask('identitystore', 'DeleteUser', body)
    behind.state.users.delete(id)
    return {}
  },
  DescribeUser: async (body, behind) => {
    const id = text(body, 'UserId')
    const user = need(behind, id)
    await behind.moto.ask('identitystore', 'DescribeUser', { IdentityStoreId: body.IdentityStoreId, UserId: id })
    return shown(id, user, body, behind)
  },
  ListUsers: async (body, behind) => {
    const { Extensions, ...asked } = body
    const list = await behind.moto.ask('identitystore', 'ListUsers', limited(asked, behind))
    const items = Array.isArray(list.Users) ? list.Users.map(record) : []
    return {
      ...list,
      Users: items.flatMap((item) => {
        const id = text(item, 'UserId')
        const user = behind.state.users.get(id)
        return user === undefined ? [] : [shown(id, user, { Extensions }, behind)]
      }),
    }
  },
  GetUserId: async (body, behind) => {
    const wanted = record(body.AlternateIdentifier)
    const external = record(wanted.ExternalId)
    const unique = record(wanted.UniqueAttribute)
    const path = text(unique, 'AttributePath').toLowerCase()
    refuseUnfit(external.Id, 'externalId.id')
    const value = unique.AttributeValue
    const isSame = (one: unknown) =>
      one === value || (behind.state.foldsCase && String(one).toLowerCase() === String(value).toLowerCase())
    for (const [id, user] of behind.state.users) {
      const isIt =
        wanted.ExternalId !== undefined
          ? user.externalIds.some(({ Issuer, Id }) => Issuer === external.Issuer && Id === external.Id)
          : (path === 'username' && isSame(user.attributes.UserName)) ||
            (path === 'emails.value' && isSame(emailOf(user.attributes)))
      if (isIt) return { IdentityStoreId: behind.identityStoreId, UserId: id, UserArn: userArn(id) }
    }
    throw notFound('USER')
  },
}

/** The model's pattern of a user name and of an external id: no white space, nothing that is not printed. */
const refuseUnfit = (value: unknown, path: string): void => {
  if (typeof value === 'string' && !/^[\p{L}\p{M}\p{S}\p{N}\p{P}]+$/u.test(value))
    throw new AwsError('ValidationException', `Value at '${path}' failed to satisfy constraint`)
}

const need = (behind: Behind, id: string): UserRecord => {
  const user = behind.state.users.get(id)
  if (user === undefined) throw notFound('USER')
  return user
}

const userArn = (id: string): string => `arn:aws:identitystore:::user/${id}`

const shown = (id: string, user: UserRecord, asked: Json, { identityStoreId }: Behind): Json => {
  const { Extensions, ...attributes } = user.attributes
  const names = Array.isArray(asked.Extensions) ? asked.Extensions : []
  const extensions = Object.entries(record(Extensions)).filter(([name]) => names.includes(name))
  return {
    ...attributes,
    IdentityStoreId: identityStoreId,
    UserId: id,
    UserArn: userArn(id),
    Revision: String(user.revision),
    UserStatus: user.status,
    ...(user.externalIds.length > 0 ? { ExternalIds: user.externalIds } : {}),
    ...(extensions.length > 0 ? { Extensions: Object.fromEntries(extensions) } : {}),
  }
}

const emailOf = (attributes: Json): unknown =>
  Array.isArray(attributes.Emails) ? record(attributes.Emails[0]).Value : undefined

const refuseTaken = ({ state }: Behind, attributes: Json, self: string | null): void => {
  const email = emailOf(attributes)
  for (const [id, user] of state.users) {
    if (id === self) continue
    const isTaken =
      user.attributes.UserName === attributes.UserName || (email !== undefined && emailOf(user.attributes) === email)
    if (isTaken) throw new AwsError('ConflictException', 'Duplicate', { Reason: 'UNIQUENESS_CONSTRAINT_VIOLATION' })
  }
}

const capital = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1)

/** `name.givenName`, `emails`: paths and the members inside a value begin in lower case; null takes the attribute away. */
const patched = (attributes: Json, operation: Json): Json => {
  const path = text(operation, 'AttributePath')
  if (path.startsWith('aws:')) {
    const [extension = '', member = ''] = path.split('.')
    const all = record(attributes.Extensions)
    return {
      ...attributes,
      Extensions: { ...all, [extension]: { ...record(all[extension]), [member]: operation.AttributeValue } },
    }
  }
  const [outer = '', inner] = path.split('.').map(capital)
  const value = asMembers(operation.AttributeValue)
  if (inner !== undefined) return { ...attributes, [outer]: without({ ...record(attributes[outer]), [inner]: value }) }
  return without({ ...attributes, [outer]: value })
}

const asMembers = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(asMembers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [capital(name), inner]))
}

const without = (attributes: Json): Json =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined))
