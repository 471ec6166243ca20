import { expect, test } from 'vitest'
import { pieceOf } from '../../../../src/connectors/ad/ranges.ts'

const entry = (attributes: Readonly<Record<string, readonly string[]>>) => ({
  dn: '',
  attributes: new Map(Object.entries(attributes)),
})

test('a whole list, and none', () => {
  expect(pieceOf(entry({ member: ['a', 'b'] }), 'member')).toEqual({ values: ['a', 'b'], from: 0, next: null })
  expect(pieceOf(entry({}), 'member')).toEqual({ values: [], from: 0, next: null })
})

test('a piece tells where the next begins; the last one that it is the last', () => {
  expect(pieceOf(entry({ 'member;range=0-1499': ['a'] }), 'member')).toEqual({ values: ['a'], from: 0, next: 1500 })
  expect(pieceOf(entry({ 'member;range=1500-*': ['z'] }), 'member')).toEqual({ values: ['z'], from: 1500, next: null })
})

test('an empty name beside the piece does not hide it, in whatever case it is written', () => {
  const both = entry({ member: [], 'member;range=0-2': ['a', 'b', 'c'] })
  expect(pieceOf(both, 'member')).toMatchObject({ values: ['a', 'b', 'c'], next: 3 })
  expect(pieceOf(entry({ 'memberof;range=0-0': ['g'] }), 'memberOf')).toMatchObject({ values: ['g'], next: 1 })
})

test('another attribute is another list', () => {
  expect(pieceOf(entry({ 'memberof;range=0-4': ['g'], member: ['a'] }), 'member')).toEqual({
    values: ['a'],
    from: 0,
    next: null,
  })
})
