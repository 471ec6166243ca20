import { expect, test } from 'vitest'
import { fillName } from '../../../src/connectors/attribute-mapping.ts'

test.each([
  ['{personKey}', 'K1 ', 'K1 '],
  ['{personKey}', ' K1', ' K1'],
  [' {personKey} ', 'K1', 'K1'],
  ['{personKey} {initials}', 'K1', 'K1'],
  ['{personKey} {initials}', 'K1 ', 'K1 '],
  ['{initials} x{personKey}', 'K1', 'xK1'],
  ['{username}', 'K1', ''],
])('%j of %j is %j: a person key stays letter for letter, and all else loses its ends', (template, personKey, name) => {
  expect(fillName(template, { personKey, initials: ' ' })).toBe(name)
})
