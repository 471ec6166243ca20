/** A membership that no read shows: nothing is said of it before all pages have said so. */
import { expect, test } from 'vitest'
import { changeMemberships } from '../../../../src/connectors/aws/membership.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'
import { type Answers, awsThatAnswers, notFound } from './aws-answers.ts'

const user = '11111111-2222-4333-8444-555555555555' as NativeId
const mine = 'g1'
const other = 'g2'

const revoke = async (answers: Answers, ...groups: readonly string[]) => {
  const { aws, called } = awsThatAnswers(answers)
  const gate = { signal: new AbortController().signal, mayWrite: () => true }
  const changes = groups.map((groupId, index) => ({ index, op: 'revoke', groupId }) as const)
  const outcomes = await changeMemberships(aws, user, changes, gate, Promise.resolve())
  return { outcomes: groups.map((_, index) => outcomes.get(index)), called }
}
const membership = (groupId: string) => ({ GroupId: groupId, MembershipId: `m-${groupId}` })
/** As many pages as asked for, each by itself: another replica may answer each. */
const pages = (...each: readonly (readonly string[])[]) => {
  let asked = 0
  return () => ({ GroupMemberships: (each[Math.min(asked++, each.length - 1)] ?? []).map(membership) })
}

test('two revokes, and the list that they begin with is behind: what it does not show is asked about again, and stands', async () => {
  const { outcomes, called } = await revoke(
    {
      ListGroupMembershipsForMember: pages([other], [mine, other]),
      GetGroupMembershipId: () => {
        throw notFound('GROUP_MEMBERSHIP')
      },
      DeleteGroupMembership: () => ({}),
    },
    mine,
    other,
  )
  expect(outcomes).toMatchObject([
    { kind: 'retry', cause: { word: 'contradicted' } },
    { kind: 'done', changed: true },
  ])
  expect(called.filter((one) => one === 'ListGroupMembershipsForMember')).toHaveLength(2)
})

test('all pages say the same: it is gone, and nobody of ours took it', async () => {
  const { outcomes } = await revoke(
    {
      ListGroupMembershipsForMember: pages([]),
      GetGroupMembershipId: () => {
        throw notFound('GROUP_MEMBERSHIP')
      },
    },
    mine,
    other,
  )
  expect(outcomes).toMatchObject([
    { kind: 'done', changed: false, evidence: { entitlement: mine } },
    { kind: 'done', changed: false, evidence: { entitlement: other } },
  ])
})

test.each([
  ['the user', 'USER', { kind: 'done', changed: false }],
  ['the group', 'GROUP', { kind: 'refused', reason: 'entitlement-missing' }],
])('gone while it is proved: %s', async (_, type, wanted) => {
  const { outcomes } = await revoke(
    {
      ListGroupMembershipsForMember: pages([]),
      GetGroupMembershipId: () => {
        throw notFound(type)
      },
    },
    mine,
    other,
  )
  expect(outcomes).toMatchObject([wanted, wanted])
})
