import type { NativeId } from '../../domain/ids.ts'
import { failureText } from '../aws-wire/errors.ts'
import type { ListedAccount, Snapshot } from '../connector.ts'
import type { Iam } from './iam.ts'
import { listRoles } from './roles.ts'
import { readTrust } from './trust.ts'

/** Everybody whom a statement of ours names: IAM keeps no other list of them. Nobody can be shut. */
export const listAccounts = async (iam: Iam, signal: AbortSignal): Promise<Snapshot<ListedAccount>> => {
  const roles = await listRoles(iam, signal)
  if (!roles.ok) return { kind: 'partial', items: [], cause: failureText(roles.failure) }
  const names = new Set<string>()
  for (const { trust } of roles.value) for (const name of readTrust(iam.settings, trust)?.people ?? []) names.add(name)
  const isKey = iam.settings.session.name === '{personKey}'
  return {
    kind: 'complete',
    items: [...names].sort().map((name) => ({
      nativeId: name as NativeId,
      name,
      key: isKey ? name : null,
      enabled: true,
    })),
  }
}
