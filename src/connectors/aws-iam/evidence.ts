import type { NativeId } from '../../domain/ids.ts'
import type { Cause, Outcome } from '../../domain/outcome.ts'

/** Read in the role's trust policy. `code` null: it was so, nothing was written. */
export const held = (
  account: NativeId,
  entitlement: NativeId,
  code: string | null,
  unfinished: readonly Cause[] = [],
): Outcome => ({
  kind: 'done',
  changed: code !== null,
  evidence: { read: 'trust-policy', code: code ?? '', account, entitlement },
  ...(unfinished.length === 0 ? {} : { unfinished }),
})
