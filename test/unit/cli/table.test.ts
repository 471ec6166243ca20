import { expect, test } from 'vitest'
import { jsonText } from '../../../src/cli/json-text.ts'
import { paintFor } from '../../../src/cli/paint.ts'
import { cellText, pairLines, printable, tableLines, timeText } from '../../../src/cli/table.ts'

const plain = paintFor(false)

test('columns stand under their headings, however wide their cells are', () => {
  expect(
    tableLines(
      plain,
      ['id', 'name'],
      [
        [1, 'short'],
        [10_000, null],
        [7n, true],
      ],
    ),
  ).toEqual(['id     name', '1      short', '10000  –', '7      yes'])
})

test('what is absent is left out of pairs', () => {
  expect(
    pairLines(plain, [
      ['person', 'P-1'],
      ['deadline', null],
      ['note', ''],
    ]),
  ).toEqual(['person  P-1'])
})

test('text from outside cannot move the cursor or turn the direction of writing', () => {
  expect(printable('a\u001b[2Jb\u202ec\nd')).toBe('a�[2Jb�c�d')
  expect(cellText('\u0007')).toBe('�')
})

test('moments are RFC 3339 without idle zeroes; ids are numbers in JSON', () => {
  expect([timeText(0), timeText(new Date(1))]).toEqual(['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.001Z'])
  expect(JSON.parse(jsonText({ id: 12n, at: new Date(0) }))).toEqual({ id: 12, at: '1970-01-01T00:00:00.000Z' })
})

test('colour is for terminals only', () => {
  expect(paintFor(true).red('x')).toBe('\u001b[31mx\u001b[39m')
  expect(plain.red('x')).toBe('x')
})
