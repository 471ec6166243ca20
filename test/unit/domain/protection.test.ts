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
    ['cn=app_crm,ou=groups,dc=x', 'commonName=App\\5FCrm, 2.5.4.11=Groups,DC=x', true],
    ['CommonName=App\\5fCrm,ou=groups,dc=x', 'cn=app_crm,ou=groups,dc=x', true],
    ['commonName=app_*,*', 'cn=App\\5FCrm,ou=groups,dc=x', true],
    ['*,organizationalUnitName=tier0,dc=x', 'cn=Backup,ou=Tier0,dc=x', true],
    ['*,ou=tier0,dc=x', 'cn=Backup\\,ou\\=Tier0,dc=x', false],
    ['cn=smith\\, *', 'cn=Smith\\2c John,dc=x', true],
    ['cn=b+uid=a,dc=x', 'UID=a+CN=b,dc=x', true],
    ['AWS*', 'group/AWSControlTowerAdmins', true],
    ['AWS*', 'assignment/123456789012/AWSAdministratorAccess', true],
    ['AWS*', 'role/AWSReservedSSO_x', true],
    ['break*', 'role/ops/Break-Glass', true],
    ['break*', 'arn:aws:iam::123456789012:role/ops/Break-Glass', true],
    ['ops*', 'role/ops/Break-Glass', false],
    ['AWS*', 'group/my-AWS', false],
    ['group/AWS*', 'group/AWSAdmins', true],
    ['group/AWS*', 'assignment/123456789012/AWSAdmins', false],
    ['assignment/123456789012/*', 'assignment/123456789012/Any', true],
    ['break glass *', 'displayName:Break  Glass 1', true],
    ['<GUID=6F9619FF-8B86-4D01-B42D-00CF4FC964FF>', '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', true],
    ['6F9619FF-8B86-4D01-B42D-00CF4FC964FF', '<guid=6f9619ff-8b86-4d01-b42d-00cf4fc964ff>', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(is(pattern, name)).toBe(expected)
  })
})

test('accounts are told by their native id, in any case', () => {
  const protection = { accounts: ['AB-1'], entitlements: [] }
  expect(isProtectedAccount(protection, 'ab-1')).toBe(true)
  expect(isProtectedAccount(protection, 'ab-11')).toBe(false)
})
