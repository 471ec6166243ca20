import { expect, test } from 'vitest'
import { createPace } from '../../../../src/connectors/ldap-wire/pace.ts'

test('halves when a modify takes longer than 20 ms, grows back when it is quick, adds and deletes apart', () => {
  const pace = createPace()
  expect(pace.size('add')).toBe(500)
  pace.took('add', 500, 21)
  expect([pace.size('add'), pace.size('delete')]).toEqual([250, 500])
  pace.took('add', 250, 15)
  expect(pace.size('add')).toBe(250)
  pace.took('add', 250, 5)
  expect(pace.size('add')).toBe(500)
  pace.took('add', 500, 5)
  expect(pace.size('add')).toBe(500)
})

test('a few values that take long halve themselves, not the most; it never stops altogether', () => {
  const pace = createPace()
  pace.took('delete', 40, 50)
  expect(pace.size('delete')).toBe(20)
  for (let at = 0; at < 20; at += 1) pace.took('delete', pace.size('delete'), 1_000)
  expect(pace.size('delete')).toBe(8)
})

test('a few quick values say nothing about many', () => {
  const pace = createPace()
  pace.took('add', 500, 30)
  pace.took('add', 1, 1)
  expect(pace.size('add')).toBe(250)
})
