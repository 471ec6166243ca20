import { describe, expect, test } from 'vitest'
import type { EntitlementId, TargetId } from '../../../src/domain/ids.ts'
import { compilePolicy } from '../../../src/policies/compile.ts'
import { expandRole } from '../../../src/policies/role-expansion.ts'
import { catalogue, policySet } from './policies.ts'

const set = policySet(catalogue('A', 'B'))
const row = (id: number) => ({ id: id as EntitlementId, target: 'ldap' as TargetId })

describe('a policy without its catalogue rows is a bug, not a smaller policy', () => {
  test('an entitlement without an id', () => {
    expect(() => compilePolicy(set, new Map([['A', row(1)]]))).toThrow('entitlement B has no id')
  })
  test('two entitlements of one id', () => {
    expect(() =>
      compilePolicy(
        set,
        new Map([
          ['A', row(1)],
          ['B', row(1)],
        ]),
      ),
    ).toThrow('A and B share the id 1')
  })
})

test('a role gives what its nested roles give, by the shortest way', () => {
  const { roles } = policySet(
    catalogue('A', 'B', 'C'),
    'roles:\n  top: { roles: [left, right], entitlements: [A] }\n  left: { roles: [deep] }\n  right: { roles: [deep], entitlements: [B] }\n  deep: { entitlements: [A, B, C] }\n',
  )
  expect(Object.fromEntries(expandRole(new Map(roles.map((role) => [role.key, role])), 'top'))).toEqual({
    A: ['top'],
    B: ['top', 'right'],
    C: ['top', 'left', 'deep'],
  })
})
