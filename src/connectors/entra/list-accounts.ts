import type { ListedAccount, Snapshot } from '../connector.ts'
import { type Directory, lowPriority } from './directory.ts'
import { failureText } from './errors.ts'
import { allUsers } from './paths.ts'
import { rootOf } from './properties.ts'
import { idOf, isEnabled, isGuest, readUser, valuesOf } from './user.ts'

/** Members of the tenant; guests are somebody else's accounts. */
export const listAccounts = async (
  { client, settings: { correlation } }: Directory,
  signal: AbortSignal,
): Promise<Snapshot<ListedAccount>> => {
  const items: ListedAccount[] = []
  let illegible = 0
  const read = await client.pages(
    allUsers(['id', 'userType', 'accountEnabled', 'userPrincipalName', rootOf(correlation)]),
    (page) => {
      for (const body of page) {
        const user = readUser(body)
        if (user === null) illegible += 1
        else if (!isGuest(user))
          items.push({
            nativeId: idOf(user),
            name: user.userPrincipalName ?? user.id,
            key: valuesOf(user, correlation)[0] ?? null,
            enabled: isEnabled(user),
          })
      }
    },
    lowPriority(signal),
  )
  if (!read.ok) return { kind: 'partial', items: [], cause: failureText(read.failure) }
  return illegible === 0 ? { kind: 'complete', items } : { kind: 'partial', items, cause: 'user-not-legible' }
}
