import { failureText } from '../aws-wire/errors.ts'
import type { ListedAccount, Snapshot } from '../connector.ts'
import type { Aws } from './aws.ts'
import { listUsers } from './users.ts'

/** Users of the identity store. Whose they are stands in their names or nowhere; none can be shut by a call. */
export const listAccounts = async (aws: Aws, signal: AbortSignal): Promise<Snapshot<ListedAccount>> => {
  const read = await listUsers(aws, () => true, signal)
  if (!read.ok) return { kind: 'partial', items: [], cause: failureText(read.failure) }
  return {
    kind: 'complete',
    items: read.value.items.map((user) => ({
      nativeId: user.id,
      name: user.UserName ?? user.id,
      key: null,
      enabled: user.UserStatus !== 'DISABLED',
    })),
  }
}
