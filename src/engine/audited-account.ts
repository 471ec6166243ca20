import type { Manifest } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'

export type Manifests = {
  readonly connectors: ReadonlyMap<TargetId, { readonly manifest: Pick<Manifest, 'accountIds'> }>
}

/** How the audit names accounts of a target: by their native ids, or by their rows in muster.account, which can be erased. */
export type AuditedBy = 'native-id' | 'row'

export const auditedBy = ({ connectors }: Manifests, target: TargetId): AuditedBy =>
  connectors.get(target)?.manifest.accountIds === 'opaque' ? 'native-id' : 'row'

export const auditedAccount = (
  by: AuditedBy,
  { account, native_id }: { readonly account: number | null; readonly native_id: string },
): string | number | null => (by === 'native-id' ? native_id : account)
