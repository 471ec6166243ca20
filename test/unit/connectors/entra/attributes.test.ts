import { describe, expect, test } from 'vitest'
import { differences } from '../../../../src/connectors/attribute-mapping.ts'
import { bodyOf, creationHash, namesOf, unfit, wantedAttributes } from '../../../../src/connectors/entra/attributes.ts'
import { entraSettingsSchema } from '../../../../src/connectors/entra/config.ts'
import { isGuest, mappedOf, readUser, valuesOf } from '../../../../src/connectors/entra/user.ts'

const settings = entraSettingsSchema.parse({
  tenant: '84841066-274d-4ec0-a5c1-276be684bdd3',
  clientId: '9a3d526c-b3c1-4479-ba74-197b5c5751ae',
  credential: { kind: 'secret', secretFile: '/run/secret' },
  account: {
    userPrincipalName: '{username}@bank.example',
    attributes: {
      displayName: '{givenName} {familyName}',
      businessPhones: ['{custom.phone}', '{custom.mobile}'],
      'employeeOrgData.costCenter': '{costCenter}',
      'employeeOrgData.division': '{company}',
      employeeHireDate: '{custom.hireDate}',
      department: '{department}',
    },
  },
})
const worker = {
  username: 'jdoe',
  givenName: 'Jane',
  familyName: 'Doe',
  costCenter: 'CC7',
  department: null,
  'custom.phone': '+1 2',
  'custom.hireDate': '2026-12-01',
}
const user = readUser({
  id: 'x',
  displayName: 'Jane Doe',
  businessPhones: ['+1 2'],
  employeeOrgData: { costCenter: 'CC7', division: null },
  employeeHireDate: '2026-12-01T00:00:00Z',
  department: '',
})

describe('attributes of a user', () => {
  test('what Graph gives back for what was wanted is no difference, and has the same hash', () => {
    const wanted = wantedAttributes(settings, worker)
    if (user === null) throw new Error('not read')
    expect(differences(wanted, mappedOf(settings, user))).toEqual([])
    expect(unfit(wanted)).toBeNull()
  })

  test('what differs becomes one body: objects for dots, lists for lists, null to clear', () => {
    const wanted = wantedAttributes(settings, { ...worker, company: 'Bank', 'custom.mobile': '+1 3' })
    if (user === null) throw new Error('not read')
    const body = bodyOf([...differences(wanted, mappedOf(settings, user)), ['department', []]])
    expect(body).toEqual({
      businessPhones: ['+1 2', '+1 3'],
      employeeOrgData: { division: 'Bank' },
      department: null,
    })
    expect(bodyOf([['businessPhones', []]])).toEqual({ businessPhones: [] })
  })

  test('a moment that is none is not fit', () => {
    expect(unfit(wantedAttributes(settings, { ...worker, 'custom.hireDate': 'next spring' }))).toBe('employeeHireDate')
  })

  test('names: both must come out', () => {
    expect(namesOf(settings, worker)).toEqual({ userPrincipalName: 'jdoe@bank.example', mailNickname: 'jdoe' })
    expect(namesOf(settings, { ...worker, username: null })).toBeNull()
  })

  test('another name is another wish for a new account; another order is not', () => {
    expect(creationHash(settings, { ...worker, username: 'jane' })).not.toBe(creationHash(settings, worker))
    expect(creationHash(settings, Object.fromEntries(Object.entries(worker).reverse()))).toBe(
      creationHash(settings, worker),
    )
  })

  test('a guest is one in any spelling; a body without id is no user', () => {
    expect(['Guest', 'guest'].map((userType) => isGuest({ id: 'x', userType }))).toEqual([true, true])
    expect(isGuest({ id: 'x', userType: 'Member' })).toBe(false)
    expect(readUser({ displayName: 'x' })).toBeNull()
    expect(valuesOf({ id: 'x', employeeOrgData: null }, 'employeeOrgData.costCenter')).toEqual([])
  })
})
