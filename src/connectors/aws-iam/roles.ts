import { GetRoleCommand, ListRolesCommand } from '@aws-sdk/client-iam'
import type { NativeId } from '../../domain/ids.ts'
import { isMissing, ok, type Result } from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import type { AwsIamSettings } from './config.ts'
import { decoded } from './document.ts'
import type { Iam } from './iam.ts'

export type Role = {
  /** `AROA…`: another one when a role of this name is made anew. */
  readonly id: NativeId
  readonly name: string
  readonly path: string
  readonly arn: string
  /** Its trust policy, as JSON text. */
  readonly trust: string
}

type Shown = {
  readonly RoleId?: string | undefined
  readonly RoleName?: string | undefined
  readonly Path?: string | undefined
  readonly Arn?: string | undefined
  readonly AssumeRolePolicyDocument?: string | undefined
}

const roleOf = ({ RoleId, RoleName, Path, Arn, AssumeRolePolicyDocument }: Shown): Role => ({
  id: (RoleId ?? '') as NativeId,
  name: RoleName ?? '',
  path: Path ?? '/',
  arn: Arn ?? '',
  trust: decoded(AssumeRolePolicyDocument ?? ''),
})

/** null: there is none of this name. */
export const getRole = async (iam: Iam, name: string, signal?: AbortSignal): Promise<Result<Role | null>> => {
  const read = await iam.transport.read(
    iam.bucket,
    (options) => iam.client.send(new GetRoleCommand({ RoleName: name }), options),
    signal,
  )
  if (!read.ok) return isMissing(read.failure, 'something') ? ok(null) : read
  return ok(read.value.Role === undefined ? null : roleOf(read.value.Role))
}

/** Every role that Muster may change, with its trust policy. */
export const listRoles = async (iam: Iam, signal?: AbortSignal): Promise<Result<readonly Role[]>> => {
  const all = await listAllRoles(iam, signal)
  return all.ok ? ok(all.value.filter((role) => protectionOf(iam.settings, role) === null)) : all
}

/** Every role of the account, to the last page. */
export const listAllRoles = (iam: Iam, signal?: AbortSignal): Promise<Result<readonly Role[]>> =>
  readAllPages(async (token) => {
    const read = await iam.transport.read(
      iam.bucket,
      (options) => iam.client.send(new ListRolesCommand({ Marker: token, MaxItems: 1_000 }), options),
      signal,
    )
    if (!read.ok) return read
    const { Roles, IsTruncated, Marker } = read.value
    // Truncated without a marker would end the list too early: an empty token is a failure.
    return ok({ items: (Roles ?? []).map(roleOf), next: IsTruncated ? (Marker ?? '') : undefined })
  })

const reservedNames = /^(AWSReservedSSO_|AWSServiceRole)/i
const reservedPaths = /^\/(aws-service-role|aws-reserved)\//i

/** Why Muster does not touch this role; null when it may. */
export const protectionOf = (
  { roles }: Pick<AwsIamSettings, 'roles'>,
  { name, path }: Pick<Role, 'name' | 'path'>,
): 'reserved-by-aws' | 'not-listed' | null => {
  if (reservedNames.test(name) || reservedPaths.test(path)) return 'reserved-by-aws'
  const lower = name.toLowerCase()
  const isListed = roles.some(
    (one) =>
      path.startsWith(one.path) &&
      (one.name.endsWith('*')
        ? lower.startsWith(one.name.slice(0, -1).toLowerCase())
        : lower === one.name.toLowerCase()),
  )
  return isListed ? null : 'not-listed'
}
