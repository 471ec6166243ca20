import { expect, test } from 'vitest'
import { mayMeetInARole } from '../../../../src/connectors/aws-iam/config.ts'

const reach = (...names: readonly string[]) => ({
  accountId: '123456789012',
  roles: names.map((name) => {
    const at = name.lastIndexOf('/') + 1
    return { name: name.slice(at), path: name.slice(0, at) || '/' }
  }),
})

test.each([
  ['one role', 'team-a', 'team-a', true],
  ['one role in another case', 'team-a', 'Team-A', true],
  ['a role among many', 'team-a', 'team-*', true],
  ['many among more', 'team-dev-*', 'team-*', true],
  ['below a path', '/audit/x-*', 'x-1', true],
  ['everything', '*', '/audit/Auditor', true],
  ['other roles', 'team-a', 'team-b', false],
  ['a name that only begins like it', 'team-a', 'team-ab', false],
  ['others among others', 'team-*', 'ops-*', false],
  ['another path', '/audit/x-*', '/ops/x-*', false],
])('two targets meet in a role: %s', (_, one, other, wanted) => {
  expect(mayMeetInARole(reach(one), reach(other))).toBe(wanted)
  expect(mayMeetInARole(reach(other), reach('ops', one))).toBe(wanted)
  expect(mayMeetInARole(reach(one), { ...reach(other), accountId: '210987654321' })).toBe(false)
})
