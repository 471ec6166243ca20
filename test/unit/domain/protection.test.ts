import { describe, expect, test } from 'vitest'
import { isProtectedAccount, isProtectedEntitlement } from '../../../src/domain/protection.ts'

describe('names of protected entitlements', () => {
  const is = (pattern: string, name: string) => isProtectedEntitlement({ accounts: [], entitlements: [pattern] }, name)

  test.each([
    ['AWS*', 'AWSControlTowerAdmins', true],
    ['AWS*', 'awsreserved', true],
    ['AWS*', 'my-AWS', false],
    ['AWS', 'AWS', true],
    ['AWS', 'AWSX', false],
    ['*admins', 'Domain Admins', true],
    ['*admins', 'Domain Admins 2', false],
    ['cn=*,ou=tier0,*', 'cn=Backup,ou=tier0,dc=x', true],
    ['cn=*,ou=tier0,*', 'cn=Backup,ou=tier1,dc=x', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*', '', true],
    ['.*', 'anything', false],
    ['a+', 'aa', false],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(is(pattern, name)).toBe(expected)
  })
})

test('accounts are told by their native id, in any case', () => {
  const protection = { accounts: ['AB-1'], entitlements: [] }
  expect(isProtectedAccount(protection, 'ab-1')).toBe(true)
  expect(isProtectedAccount(protection, 'ab-11')).toBe(false)
})
