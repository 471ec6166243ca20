import { CreateUserCommand, UpdateUserCommand } from '@aws-sdk/client-identitystore'
import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { differences, mapAttributes } from '../attribute-mapping.ts'
import { ok, outcomeOfRead, outcomeOfWrite, type Result, refusal, unverified } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { ApplyContext, EnsureOperation } from '../connector.ts'
import { ambiguous } from '../correlate-others.ts'
import { linkable } from '../linkable.ts'
import { namesThePerson } from '../template.ts'
import { creationOf, shownAttributes, updateOf } from './attributes.ts'
import type { Aws } from './aws.ts'
import { findAccounts, type Match, workerOf } from './find-accounts.ts'
import { type Holdings, readHoldings } from './holdings.ts'
import { describeUser, isFromScim, observedAccount, type User } from './users.ts'

type Present = { readonly user: User; readonly origin: 'created' | 'linked' | 'known'; readonly code: string }

/** Finds, links, creates and updates accounts. A repeated call begins with the look-ups, and finds what was made before. */
export const ensureAccounts = async (
  aws: Aws,
  operations: readonly EnsureOperation[],
  context: ApplyContext,
): Promise<readonly Outcome[]> => {
  const matches = await findAccounts(aws, operations)
  const found = operations.flatMap((operation, index) => {
    const match = matches[index]
    return match?.kind === 'found' ? [{ index, operation, user: match.user }] : []
  })
  const refusals: (Outcome | undefined)[] = new Array(operations.length)
  await linkable(found, ({ user }) => user.id, context, refusals)
  const present = await sideBySide(operations, async (operation, at): Promise<Present | Outcome> => {
    const match: Match = matches[at] ?? { kind: 'none' }
    if (match.kind === 'found') return refusals[at] ?? update(aws, operation, match.user, context)
    if (match.kind === 'none' && operation.create) return create(aws, operation, context)
    return outcomeOfMatch(match)
  })
  const linked = present.flatMap((one) => ('user' in one && one.origin === 'linked' ? [one.user.id] : []))
  const holdings = new Map((await readHoldings(aws, linked)).map((read, at) => [linked[at], read]))
  return present.map((one) => ('user' in one ? done(aws, one, holdings.get(one.user.id) ?? ok(null)) : one))
}

export const outcomeOfMatch = (match: Exclude<Match, { kind: 'found' }>): Outcome => {
  switch (match.kind) {
    case 'none':
      return refusal('account-missing', 'no-such-user')
    case 'gone':
      return refusal('account-missing', 'linked-user-is-gone')
    case 'many':
      return ambiguous('several-users', match.by, match.users)
    case 'unproven':
      return refusal('name-taken', 'shows-another-person-or-none')
    case 'failed':
      return outcomeOfRead(match.failure)
    default:
      return match satisfies never
  }
}

export const done = (aws: Aws, { user, origin, code }: Present, holdings: Result<Holdings | null>): Outcome => {
  if (!holdings.ok) return code === '' ? outcomeOfRead(holdings.failure) : unverified(holdings.failure)
  return {
    kind: 'done',
    changed: code !== '',
    evidence: { read: 'user', code, account: user.id, entitlement: null },
    account: { ...observedAccount(aws, user), origin },
    ...(holdings.value === null ? {} : { grants: holdings.value }),
  }
}

/** What is made must be found again by the same look-ups, or every lost answer makes another user. */
const wouldBeFound = ({ settings }: Aws): boolean => {
  const { correlation, account } = settings
  return correlation.lookups.some(
    (lookup) =>
      (namesThePerson(lookup.value) || correlation.proof !== undefined) &&
      ((lookup.by === 'userName' && lookup.value === account.userName) ||
        (lookup.by === 'email' && lookup.value === account.attributes.email)),
  )
}

const create = async (aws: Aws, operation: EnsureOperation, context: ApplyContext): Promise<Present | Outcome> => {
  const { settings } = aws
  if (!wouldBeFound(aws)) return refusal('configuration', 'no-look-up-finds-what-is-created')
  const key = settings.correlation.proof === 'employeeNumber' ? operation.wanted.correlation.value : null
  const { request, missing } = creationOf(settings.identityStoreId, settings.account, workerOf(operation), key)
  if (missing.length > 0) return refusal('invalid', `no-${missing.join('-')}`)
  const made = await aws.transport.write(
    aws.families.identityStore,
    (options) => aws.clients.identityStore.send(new CreateUserCommand(request), options),
    context,
  )
  if (!made.ok) {
    if (made.failure.verdict.kind !== 'already') return outcomeOfWrite(made.failure)
    // Taken: by this person's user after all (made meanwhile), or by somebody else.
    const [again = { kind: 'none' } as const] = await findAccounts(aws, [operation])
    if (again.kind === 'found')
      return (await notLinked(again.user, context)) ?? { user: again.user, origin: 'linked', code: '' }
    if (again.kind === 'none' || again.kind === 'unproven')
      return { kind: 'refused', reason: 'name-taken', cause: { code: made.failure.code, word: 'name-or-mail-taken' } }
    return outcomeOfMatch(again)
  }
  return readBack(aws, made.value.UserId as NativeId, 'created')
}

const notLinked = async ({ id }: User, { linkRefusals }: ApplyContext): Promise<Outcome | null> =>
  (await linkRefusals?.([id]))?.get(id) ?? null

const update = async (
  aws: Aws,
  operation: EnsureOperation,
  user: User,
  context: ApplyContext,
): Promise<Present | Outcome> => {
  const origin = operation.account === null ? 'linked' : 'known'
  const { identityStoreId, account } = aws.settings
  const wanted = mapAttributes(account.attributes, workerOf(operation))
  const changes = isFromScim(user)
    ? []
    : differences(wanted, shownAttributes(account.attributes, user)).flatMap(([name, values]) => updateOf(name, values))
  if (changes.length === 0) return { user, origin, code: '' }
  const written = await aws.transport.write(
    aws.families.identityStore,
    (options) =>
      aws.clients.identityStore.send(
        new UpdateUserCommand({ IdentityStoreId: identityStoreId, UserId: user.id, Operations: changes }),
        options,
      ),
    context,
  )
  if (!written.ok) {
    if (written.failure.verdict.kind === 'already')
      return { kind: 'refused', reason: 'name-taken', cause: { code: written.failure.code, word: 'mail-taken' } }
    return outcomeOfWrite(written.failure)
  }
  return readBack(aws, user.id, origin)
}

const readBack = async (aws: Aws, id: NativeId, origin: Present['origin']): Promise<Present | Outcome> => {
  const read = await describeUser(aws, id)
  if (!read.ok) return unverified(read.failure)
  // Made a moment ago: not shown yet, or gone again.
  if (read.value === null) return { kind: 'unknown', cause: { code: '', word: 'not-shown-yet' } }
  return { user: read.value, origin, code: '0' }
}
