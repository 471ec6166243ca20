import { expect, test } from 'vitest'
import { parseExtendedDn, splitDn } from '../../../../src/connectors/ad/extended-dn.ts'

const guid = 'C4B3FAEF-0b80-4e2a-91d8-77e57d41dfba'

test('GUID, SID and name; a SID is not everywhere; a name may hold anything', () => {
  expect(parseExtendedDn(`<GUID=${guid}>;<SID=S-1-5-21-1-2-3-4>;CN=a\\, <b>;\\+,DC=x`)).toEqual({
    guid: guid.toLowerCase(),
    sid: 'S-1-5-21-1-2-3-4',
    dn: 'CN=a\\, <b>;\\+,DC=x',
  })
  expect(parseExtendedDn(`<GUID=${guid}>;OU=x,DC=y`)).toMatchObject({ sid: undefined, dn: 'OU=x,DC=y' })
  expect(parseExtendedDn('CN=line\nbreak,DC=x')).toBeNull()
  expect(parseExtendedDn(`<GUID=${guid}>;CN=line\nbreak,DC=x`)?.dn).toBe('CN=line\nbreak,DC=x')
})

test.each(['CN=a,DC=x', '', '<SID=S-1-5>;CN=a', '<GUID=>;CN=a'])('%j is none', (text) => {
  expect(parseExtendedDn(text)).toBeNull()
})

test('the first part of a name, as it is written', () => {
  expect(splitDn('CN=Doe\\, J\\C3\\B6hn \\\\,OU=x,DC=y')).toEqual({
    rdn: 'CN=Doe\\, J\\C3\\B6hn \\\\',
    parent: 'OU=x,DC=y',
  })
  expect(splitDn('DC=y')).toEqual({ rdn: 'DC=y', parent: '' })
})
