import type { Outcome } from '../../domain/outcome.ts'
import { type Failure, outcomeOfRead, refusal } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { EntitlementRef } from '../connector.ts'
import type { Iam } from './iam.ts'
import { roleNameOf } from './lookup.ts'
import { getRole, protectionOf, type Role } from './roles.ts'

export type Identity =
  | { readonly kind: 'role'; readonly role: Role }
  | { readonly kind: 'missing' | 'changed' | 'bad-lookup' | 'other-account' }
  | { readonly kind: 'protected'; readonly word: string; readonly role: Role }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** What this entitlement is now. */
export const identify = async (
  iam: Iam,
  { lookup, nativeId }: EntitlementRef,
  signal?: AbortSignal,
): Promise<Identity> => {
  const name = roleNameOf(lookup)
  if (name === null) return { kind: 'bad-lookup' }
  const read = await getRole(iam, name, signal)
  if (!read.ok) return { kind: 'failed', failure: read.failure }
  const role = read.value
  if (role === null) return { kind: 'missing' }
  if (role.arn.split(':')[4] !== iam.settings.accountId) return { kind: 'other-account' }
  if (nativeId !== null && nativeId !== role.id) return { kind: 'changed' }
  const word = protectionOf(iam.settings, role)
  return word === null ? { kind: 'role', role } : { kind: 'protected', word, role }
}

/** One identity for each ref, in order; the same ref is read once. */
export const identifyAll = async (
  iam: Iam,
  refs: readonly EntitlementRef[],
  signal?: AbortSignal,
): Promise<readonly Identity[]> => {
  const byKey = new Map(refs.map((ref) => [keyOf(ref), ref]))
  const keys = [...byKey.keys()]
  const read = await sideBySide([...byKey.values()], (ref) => identify(iam, ref, signal))
  const found = new Map(read.map((identity, at) => [keys[at], identity]))
  return refs.map((ref) => found.get(keyOf(ref)) ?? { kind: 'missing' })
}

const keyOf = ({ lookup, nativeId }: EntitlementRef): string => JSON.stringify([lookup, nativeId])

/** Why nothing is done here. */
export const refusalOf = (identity: Exclude<Identity, { kind: 'role' }>): Outcome => {
  switch (identity.kind) {
    case 'missing':
      return refusal('entitlement-missing', 'no-such-role')
    case 'changed':
      return refusal('entitlement-changed-identity', 'another-role')
    case 'bad-lookup':
      return refusal('configuration', 'not-a-role')
    case 'other-account':
      return refusal('configuration', 'another-aws-account')
    case 'protected':
      return refusal('protected', identity.word)
    case 'failed':
      return outcomeOfRead(identity.failure)
    default:
      return identity satisfies never
  }
}
