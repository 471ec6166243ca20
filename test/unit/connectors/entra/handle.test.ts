import { expect, test } from 'vitest'
import { type Handle, handleText, readHandle } from '../../../../src/connectors/entra/handle.ts'

test.each([
  [{ kind: 'written', at: 1763760000000, detail: '' }, 'written:1763760000000'],
  [{ kind: 'seen', at: 1, detail: '' }, 'seen:1'],
  [{ kind: 'missed', at: 2, detail: '' }, 'missed:2'],
  [
    { kind: 'created', at: 5, detail: '11111111-1111-4111-8111-111111111111' },
    'created:5:11111111-1111-4111-8111-111111111111',
  ],
  [{ kind: 'written', at: 7, detail: '1763760000000' }, 'written:7:1763760000000'],
] as const)('%j reads %s, and back', (handle: Handle, text) => {
  expect(handleText(handle)).toBe(text)
  expect(readHandle(text)).toEqual(handle)
})

test.each(['', 'written', 'written:', 'written:x', 'other:5', 'written:5:a b', 'written:5\n'])(
  '%j is not ours',
  (text) => {
    expect(readHandle(text)).toBeNull()
  },
)
