import { DeleteUserCommand } from '@aws-sdk/client-identitystore'
import type { NativeId } from '../../domain/ids.ts'
import type { Evidence, Outcome } from '../../domain/outcome.ts'
import { isMissing, ok, outcomeOfRead, outcomeOfWrite, refusal, unverified } from '../aws-wire/errors.ts'
import type { Gate } from '../aws-wire/transport.ts'
import type { Aws } from './aws.ts'
import { readHoldings } from './holdings.ts'
import { describeUser, isFromScim } from './users.ts'

const evidence = (account: NativeId, code: string): Evidence => ({ read: 'user', code, account, entitlement: null })

/**
 * For good: AWS keeps nothing to restore, and a user made anew has another id. As there is no disabled state, a user is
 * deleted only when complete reads show that it holds nothing.
 */
export const deleteAccount = async (aws: Aws, account: NativeId, gate: Gate): Promise<Outcome> => {
  const user = await describeUser(aws, account)
  if (!user.ok) return outcomeOfRead(user.failure)
  if (user.value === null) return { kind: 'done', changed: false, evidence: evidence(account, '') }
  if (isFromScim(user.value)) return refusal('protected', 'scim-owned')
  const [holdings = ok([])] = await readHoldings(aws, [account])
  if (!holdings.ok) return outcomeOfRead(holdings.failure)
  if (holdings.value.length > 0) return refusal('protected', 'has-grants')
  const deleted = await aws.transport.write(
    aws.families.identityStore,
    (options) =>
      aws.clients.identityStore.send(
        new DeleteUserCommand({ IdentityStoreId: aws.settings.identityStoreId, UserId: account }),
        options,
      ),
    gate,
  )
  if (!deleted.ok && !isMissing(deleted.failure, 'account')) return outcomeOfWrite(deleted.failure)
  const after = await describeUser(aws, account)
  if (!after.ok) return unverified(after.failure)
  if (after.value !== null) return { kind: 'unknown', cause: { code: '', word: 'still-shown' } }
  return { kind: 'done', changed: deleted.ok, evidence: evidence(account, deleted.ok ? '0' : '') }
}
