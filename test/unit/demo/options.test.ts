import { expect, test } from 'vitest'
import { parseOptions } from '../../../scripts/demo/options.ts'

test('an option that the demo does not understand is named', () => {
  expect(parseOptions(['--json', '--bogus'])).toBe('unknown: --bogus')
  expect(parseOptions(['--feed', 'few'])).toContain('--feed')
  expect(parseOptions(['--dir'])).toContain('--dir')
  expect(parseOptions(['--keep', '--feed', '60', '--dir', '/tmp/one'])).toEqual({
    json: false,
    keep: true,
    feed: 60,
    dir: '/tmp/one',
  })
})
