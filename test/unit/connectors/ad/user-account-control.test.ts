import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isEnabled, newAccount, withEnabled } from '../../../../src/connectors/ad/user-account-control.ts'

test('a new account is a normal one, and disabled', () => {
  expect(newAccount).toBe('514')
})

test('one bit is set or cleared, every other stays', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.boolean(), (control, enabled) => {
      const changed = withEnabled(control, enabled)
      expect(isEnabled(changed)).toBe(enabled)
      expect((changed ^ control) & ~2).toBe(0)
      expect(changed).toBeGreaterThanOrEqual(0)
    }),
  )
})
