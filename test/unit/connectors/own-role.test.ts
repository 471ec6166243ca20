import { expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import { protecting } from '../../../src/connectors/protecting.ts'
import type { EntitlementId, NativeId } from '../../../src/domain/ids.ts'

const context = { signal: new AbortController().signal, mayWrite: () => true }

test.each([
  ['pinned to the role that was', 'AROAOLD', 'role/muster', 'refused'],
  ['pinned to the one of that name now', 'AROANEW', 'role/muster', 'refused'],
  ['not pinned yet', null, 'role/muster', 'refused'],
  ['in another case', 'AROANEW', 'role/Muster', 'refused'],
  ['another role', 'AROAOTHER', 'role/muster-ops', 'done'],
] as const)(
  'Muster’s own role was made anew under its name while it runs: nobody is let in (%s)',
  async (_, id, lookup, kind) => {
    const connector = protecting(
      {
        own: async () => ({
          kind: 'complete',
          items: [{ kind: 'entitlement', nativeId: 'AROAOLD', lookup: 'role/muster' }],
        }),
        resolveEntitlements: async () => [{ kind: 'found', nativeId: 'AROANEW' }],
        apply: async () => [{ kind: 'done' }],
      } as unknown as Connector,
      { accounts: [], entitlements: [] },
    )
    const entitlement = { id: 1 as EntitlementId, lookup, nativeId: id as NativeId | null }
    const grant: Operation = { op: 'grant', account: 'P-1' as NativeId, entitlement }
    expect(await connector.apply([grant], context)).toMatchObject([{ kind }])
    // Whoever is in it by another hand may be put out.
    expect(await connector.apply([{ ...grant, op: 'revoke' }], context)).toMatchObject([{ kind: 'done' }])
  },
)
