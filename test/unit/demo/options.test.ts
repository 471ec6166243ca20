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
    without: [],
  })
})

test('the targets that it shall do without are those that may be missing', () => {
  expect(parseOptions(['--without', 'samba', '--without', 'aws'])).toMatchObject({ without: ['samba', 'aws'] })
  expect(parseOptions(['--without', 'kafka'])).toContain('--without')
  expect(parseOptions(['--without', 'moto'])).toContain('--without')
})
