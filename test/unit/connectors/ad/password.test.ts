import { expect, test } from 'vitest'
import { forgottenPassword } from '../../../../src/connectors/ad/password.ts'

test('quoted UTF-16LE, long, of every class, and never twice the same', () => {
  const [one, other] = [forgottenPassword(), forgottenPassword()]
  const text = one.toString('utf16le')
  expect(text).toMatch(/^"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*-)[\w-]{36}"$/)
  expect(one).toHaveLength(text.length * 2)
  expect(one.equals(other)).toBe(false)
})
