import { expect, test } from 'vitest'
import { namesIn } from '../../../../src/connectors/ldap-wire/schema.ts'

// RFC 4512 §4.1.1 and §4.1.2.
test.each([
  ["( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'RFC4519: NAME of' SUP name )", ['cn', 'commonname']],
  ["( 2.16.840.1.113730.3.1.3 NAME 'employeeNumber' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )", ['employeenumber']],
  ["(2.5.6.6  NAME  'person' SUP top STRUCTURAL MUST ( sn $ cn ) )", ['person']],
  ["( 1.2.3 DESC 'has no NAME 'x'' )", []],
  ['', []],
])('%s', (definition, names) => {
  expect(namesIn(definition)).toEqual(names)
})
