import { expect, test } from 'vitest'
import type { EntitlementId, TargetId } from '../../../src/domain/ids.ts'
import { placeOf } from '../../../src/engine/judge-found.ts'

const on = (target: string) => ({ target: target as TargetId })
const entitlements = new Map(
  [on('corp-ldap'), on('corp-entra'), on('corp-ldap')].map((one, id) => [id as EntitlementId, one]),
)

test('a violation is a finding of the target on which it is, or of all over which it goes', () => {
  const broken = (...ids: number[]) =>
    placeOf({ sides: ids.map((id) => ({ side: `side ${id}`, entitlements: [id as EntitlementId] })) }, { entitlements })
  expect(broken(0, 2)).toEqual({ target: 'corp-ldap' })
  expect(broken(0, 1)).toEqual({ targets: 'corp-entra corp-ldap' })
  expect(broken(7)).toEqual({})
})
