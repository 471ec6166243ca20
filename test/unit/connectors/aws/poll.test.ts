/** Requests that AWS works on: what its lists and statuses are believed, and how long a place is held. */
import { describe, expect, test } from 'vitest'
import { writeHandle } from '../../../../src/connectors/aws/handle.ts'
import { lookForPlaces, noteRequest } from '../../../../src/connectors/aws/in-progress.ts'
import { poll } from '../../../../src/connectors/aws/poll.ts'
import type { Operation, PendingOperation } from '../../../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../../../src/domain/ids.ts'
import type { Outcome } from '../../../../src/domain/outcome.ts'
import { type Answers, awsThatAnswers } from './aws-answers.ts'

const arn = 'arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef'
const user = '11111111-2222-4333-8444-555555555555' as NativeId

/** Deletions `one`, `two` …, each on an AWS account of its own; the lists are what the test says. */
const house = async (...requests: readonly string[]) => {
  const told = {
    inProgress: requests as readonly string[],
    failed: [] as readonly string[],
    failedHasMore: false,
    /** Of those not named: SUCCEEDED. */
    status: {} as Readonly<Record<string, string>>,
    /** AWS accounts on which the user is still assigned. */
    assigned: [] as readonly string[],
  }
  const answers: Answers = {
    DescribePermissionSet: () => ({ PermissionSet: { Name: 'Trader', PermissionSetArn: arn } }),
    ListAccountAssignmentDeletionStatus: ({ Filter }) => {
      const { Status } = Filter as { readonly Status: string }
      const ids = Status === 'FAILED' ? told.failed : told.inProgress
      return {
        AccountAssignmentsDeletionStatus: ids.map((RequestId) => ({ RequestId, Status })),
        ...(Status === 'FAILED' && told.failedHasMore ? { NextToken: 'more' } : {}),
      }
    },
    DescribeAccountAssignmentDeletionStatus: ({ AccountAssignmentDeletionRequestId }) => {
      const Status = told.status[String(AccountAssignmentDeletionRequestId)] ?? 'SUCCEEDED'
      return { AccountAssignmentDeletionStatus: { Status, FailureReason: 'it was not there' } }
    },
    ListAccountAssignments: ({ AccountId }) => ({
      AccountAssignments: told.assigned.includes(String(AccountId))
        ? [{ PrincipalType: 'USER', PrincipalId: user }]
        : [],
    }),
  }
  const { aws, budget, clock, called } = awsThatAnswers(answers)
  const pending: PendingOperation[] = []
  const accountOf = (request: string) => String(100_000_000_000 + requests.indexOf(request))
  const begun = clock.now
  for (const request of requests) {
    const accountId = accountOf(request)
    const place = await budget.occupy(
      [
        { name: `account:${accountId}`, max: 1 },
        { name: 'assignments', max: 15 },
      ],
      60_000,
    )
    const handle = { kind: 'deletion', request, place: place.ok ? place.id : '', begun } as const
    noteRequest(aws, handle, accountId)
    const entitlement = {
      id: 1 as EntitlementId,
      lookup: `assignment/${accountId}/Trader`,
      nativeId: `${accountId}/${arn}` as NativeId,
    }
    const operation: Operation = { op: 'revoke', account: user, entitlement }
    pending.push({ operation, handle: writeHandle(handle) })
  }
  /** The handles that the answers carry are asked with the next time. */
  const ask = async (...of: readonly string[]): Promise<readonly Outcome[]> => {
    const at = of.map((request) => requests.indexOf(request))
    const outcomes = await poll(
      aws,
      at.flatMap((n) => pending[n] ?? []),
    )
    for (const [n, outcome] of outcomes.entries()) {
      const one = pending[at[n] ?? -1]
      if (outcome.kind === 'pending' && one !== undefined)
        pending[at[n] ?? -1] = { operation: one.operation, handle: outcome.handle }
    }
    return outcomes
  }
  const isFree = async (request: string) => {
    const place = await budget.occupy([{ name: `account:${accountOf(request)}`, max: 1 }], 60_000)
    if (place.ok) await budget.vacate(place.id)
    return place.ok
  }
  return { aws, told, clock, called, ask, isFree, accountOf }
}

describe('a list that does not show a request any more', () => {
  test('and was behind: its status says that AWS works on it, and so it is until that says otherwise', async () => {
    const { aws, told, clock, ask, isFree, accountOf } = await house('one', 'two', 'three', 'four', 'five')
    expect((await ask('one')).map(({ kind }) => kind)).toEqual(['pending'])
    clock.now += 1_000
    told.inProgress = ['two', 'three', 'four', 'five']
    told.assigned = [accountOf('one')]
    told.status = { one: 'IN_PROGRESS' }
    expect((await ask('one')).map(({ kind }) => kind)).toEqual(['pending'])
    // Its place was given back, and it has one again.
    expect(await isFree('one')).toBe(false)
    told.assigned = []
    for (const _ of [1, 2, 3]) {
      clock.now += 1_000
      // Nor does a list that is still behind end it for those who wait for its place.
      await lookForPlaces(aws)
      expect(await isFree('one')).toBe(false)
      expect((await ask('one')).map(({ kind }) => kind)).toEqual(['pending'])
    }
    told.status = {}
    clock.now += 1_000
    // Another process asks: it knows the place by the handle.
    aws.inProgress.requests.clear()
    expect(await ask('one')).toMatchObject([{ kind: 'done', changed: true }])
    expect(await isFree('one')).toBe(true)
  })

  test('but has never shown it may not know it yet: its place stays until it should be over in any case', async () => {
    const { aws, told, clock, ask, isFree } = await house('one', 'two', 'three')
    aws.inProgress.usual.tookUpTo(4_100, 3_900)
    told.inProgress = []
    told.status = { one: 'IN_PROGRESS' }
    clock.now += 1_500
    expect((await ask('one')).map(({ kind }) => kind)).toEqual(['pending'])
    expect([await isFree('one'), await isFree('two')]).toEqual([false, false])
    clock.now += 2_000
    await lookForPlaces(aws)
    expect(await isFree('two')).toBe(true)
  })
})

test('AWS works on it for longer than a place lasts: nobody else gets it', async () => {
  const { told, clock, ask, isFree } = await house('one')
  told.status = { one: 'IN_PROGRESS' }
  clock.now += 31_000
  expect((await ask('one')).map(({ kind }) => kind)).toEqual(['pending'])
  clock.now += 31_000
  expect(await isFree('one')).toBe(false)
})

describe('a revoke that failed because somebody else was quicker', () => {
  const over = ['one', 'two', 'three'] as const
  const counted = (called: readonly string[], operation: string) => called.filter((one) => one === operation).length

  test('is not Muster’s: one list tells which failed, and only they are asked about', async () => {
    const { told, clock, called, ask } = await house(...over)
    await ask(...over)
    clock.now += 1_000
    told.inProgress = []
    told.failed = ['two']
    told.status = { two: 'FAILED' }
    called.length = 0
    expect((await ask(...over)).map((one) => one.kind === 'done' && one.changed)).toEqual([true, false, true])
    expect(counted(called, 'DescribeAccountAssignmentDeletionStatus')).toBe(1)
    expect(counted(called, 'ListAccountAssignmentDeletionStatus')).toBe(2)
  })

  test('nor is one that was over when that list had been made: the next is waited for', async () => {
    const { told, clock, ask } = await house(...over, 'four', 'five', 'six')
    await ask(...over)
    clock.now += 1_000
    told.inProgress = ['two', 'three', 'four', 'five', 'six']
    expect(await ask('one')).toMatchObject([{ kind: 'done', changed: true }])
    clock.now += 200
    told.inProgress = ['three', 'four', 'five', 'six']
    told.failed = ['two']
    told.status = { two: 'FAILED' }
    expect(await ask('two')).toMatchObject([{ kind: 'pending', pollAfterMs: 300 }])
    clock.now += 300
    expect(await ask('two')).toMatchObject([{ kind: 'done', changed: false }])
  })

  test('nor where the failures fill more than a page: each is asked about', async () => {
    const { told, clock, called, ask } = await house(...over)
    await ask(...over)
    clock.now += 1_000
    told.inProgress = []
    told.failedHasMore = true
    told.status = { two: 'FAILED' }
    called.length = 0
    expect(await ask('one')).toMatchObject([{ kind: 'done', changed: true }])
    expect((await ask('two', 'three')).map((one) => one.kind === 'done' && one.changed)).toEqual([false, true])
    expect(counted(called, 'DescribeAccountAssignmentDeletionStatus')).toBe(3)
    expect(counted(called, 'ListAccountAssignmentDeletionStatus')).toBe(2)
  })
})
